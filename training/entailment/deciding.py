"""Choosing the decision: how sure the scorer must be, from pairs that were not trained on.

For each objection the least log-odds is chosen such that of the wrong sentences that meet only objections like it at
most a stated share would be shown. Objections are taken together as sets, because a sentence that meets two must pass
both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from agent.gate import WithheldReason
from agent.gate.entailment.decision import OVERRULABLE, Decision


class Objected(BaseModel):
    """A sentence that the rules withhold, for objections that may be overruled, and what the scorer says of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    objections: frozenset[WithheldReason]
    log_odds: float
    faithful: bool


def choose_decision(objected: Sequence[Objected], *, most_wrong: float, least_wrong_pairs: int = 20) -> Decision:
    """The decision that shows at most the share `most_wrong` of the wrong sentences, for each objection.

    An objection that fewer than `least_wrong_pairs` wrong sentences meet is never overruled: its threshold could not be
    told.
    """
    overrules: dict[WithheldReason, float] = {}
    for why in sorted(OVERRULABLE):
        wrong = sorted((one.log_odds for one in objected if not one.faithful and why in one.objections), reverse=True)
        if len(wrong) >= least_wrong_pairs:
            overrules[why] = round(wrong[math.floor(most_wrong * len(wrong))] + 0.01, 2)
    return Decision(overrules=overrules)
