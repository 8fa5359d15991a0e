"""What an export counts: rows written, and what was refused and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from agent import Rollout
from retrieval import Withdrawn
from training.judging import cites_withdrawn

Row = dict[str, Any]


class Refusal(StrEnum):
    """Why a run, or a row of it, is not in the file."""

    NO_CONSENT = "no_consent"
    #: A trainer would cut it, and train on the rest as if it were whole.
    TOO_LONG = "too_long"
    #: Text rows train every assistant message, and earlier turns were not sampled in this run.
    EARLIER_TURNS = "earlier_turns"
    NO_STEPS = "no_steps"
    #: It holds a deliberate misstep, and this format would train on it.
    EXPLORED = "explored"
    #: Two runs of one question began with different prompts.
    OTHER_PROMPT = "other_prompt"
    NO_LABEL = "no_label"
    #: It cites guidance that was withdrawn since.
    WITHDRAWN = "withdrawn"


@dataclass
class ExportReport:
    """Counts of one export."""

    rows: int = 0
    refused: Counter[Refusal] = field(default_factory=Counter)

    def lines(self) -> list[str]:
        """The counts as lines of text."""
        return [
            f"rows     {self.rows}",
            *(f"refused  {name} {count}" for name, count in sorted(self.refused.items())),
        ]


@dataclass(frozen=True, slots=True)
class Export:
    """Limits that hold for every format."""

    #: Tokens of the longest row; what is longer is refused and counted, never cut.
    max_tokens: int = 4096


def standing(rollouts: Iterable[Rollout], withdrawn: Withdrawn, report: ExportReport) -> Iterator[Rollout]:
    """The runs that cite nothing withdrawn; the others are counted."""
    for rollout in rollouts:
        if cites_withdrawn(rollout, withdrawn):
            report.refused[Refusal.WITHDRAWN] += 1
        else:
            yield rollout


def provenance(rollout: Rollout) -> Row:
    """Where a row came from, carried beside what is trained on."""
    return {
        "rollout_id": rollout.rollout_id,
        "model": rollout.policy.model,
        "adapter": rollout.policy.adapter,
        "template_sha256": rollout.policy.template_sha256,
        "prompt_sha256": rollout.policy.prompt_sha256,
        "question_source": rollout.provenance.question_source,
        "licence": rollout.provenance.licence,
        "training_consent": rollout.provenance.training_consent,
    }
