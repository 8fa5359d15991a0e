"""Action probabilities: how sure the model was of the action it chose, and of the source it searched.

The decision is the first token of the action's value. Its alternatives, as the server reports
them, are matched to action names by prefix; their probabilities are summed per action. `raw` is
that mass, `normalised` divides by the mass of all permitted actions. What the alternatives do not
show stays out: raw values are lower bounds when the server lists few alternatives.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from agent.actions import BEFORE_SOURCE, BEFORE_VALUE, ActionKind
from agent.client import TokenLogprob


class ActionProbabilities(BaseModel):
    """Probability mass of each action at the token that decided, in [0, 1]."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    raw: dict[ActionKind, float]
    #: None where no permitted action has any reported mass.
    normalised: dict[ActionKind, float] | None


def action_probabilities(
    tokens: Sequence[TokenLogprob] | None, permitted: Sequence[ActionKind]
) -> ActionProbabilities | None:
    """Read the probabilities from a decision's tokens.

    Returns None when the server gave no log-probabilities or the value's first token is not found.
    """
    masses = _masses(tokens, BEFORE_VALUE, [kind.value for kind in ActionKind])
    if masses is None:
        return None
    raw = {kind: min(masses[kind.value], 1.0) for kind in ActionKind}
    mass = sum(masses[kind.value] for kind in permitted)
    return ActionProbabilities(
        raw=raw,
        normalised={kind: masses[kind.value] / mass for kind in permitted} if mass > 0 else None,
    )


def source_probabilities(tokens: Sequence[TokenLogprob] | None, sources: Sequence[str]) -> dict[str, float] | None:
    """The probability of each source at the token that decided, normalised over `sources`; they add up to 1.

    Returns None where nothing can be read, as for actions.
    """
    masses = _masses(tokens, BEFORE_SOURCE, sources)
    total = sum(masses.values()) if masses else 0.0
    return {name: mass / total for name, mass in masses.items()} if masses and total > 0 else None


def _masses(
    tokens: Sequence[TokenLogprob] | None, opening: re.Pattern[str], values: Sequence[str]
) -> dict[str, float] | None:
    before = ""
    for token in tokens or ():
        found = opening.match(before + token.token)
        if found is None or not (before + token.token)[found.end() :]:
            before += token.token
            continue
        masses = dict.fromkeys(values, 0.0)
        alternatives = dict(token.top) | {token.token: token.logprob}
        for text, logprob in alternatives.items():
            match = opening.match(before + text)
            piece = (before + text)[match.end() :] if match else ""
            fitting = [
                value for value in values if piece and (value.startswith(piece) or piece.startswith(f'{value}"'))
            ]
            if len(fitting) == 1:  # a first piece that fits two values decides nothing
                masses[fitting[0]] += math.exp(logprob)
        return masses
    return None
