"""What is measured of the agent: each measure's name, what it is of, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from agent.gate import WithheldReason

Unit = Literal["share", "count"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A ratio of two sums over questions; its name is stable, its label is for people."""

    name: str
    label: str
    #: What one unit of the denominator is.
    of: str
    unit: Unit = "share"
    #: Whether more is better; None where that depends.
    more_is_better: bool | None = True
    #: Shown for every kind of question, not only for all of them.
    of_kinds: bool = False


MEASURES: tuple[Measure, ...] = (
    Measure("valid_actions", "valid actions", "decisions usable without repair, of decisions"),
    Measure("right_action", "right action", "questions that ended as their kind needs", of_kinds=True),
    Measure("gold_retrieved", "gold retrieved at the end", "questions with a known gold passage", of_kinds=True),
    Measure("gold_cited", "answered with gold cited", "answerable questions, in the model's own words", of_kinds=True),
    Measure("gold_shown", "gold among all shown", "answerable questions, lists of recommendations too"),
    Measure("citations", "passages cited per answer", "answers in the model's own words", "count", None),
    Measure("unsupported", "unsupported before gate", "sentences written with a citation", more_is_better=False),
    Measure("withheld", "withheld by the gate", "sentences written", more_is_better=False, of_kinds=True),
    *(
        Measure(f"withheld:{reason}", f"  {reason.replace('_', ' ')}", "sentences written", more_is_better=False)
        for reason in WithheldReason
    ),
    Measure("verbatim", "copied word for word", "sentences shown", more_is_better=None),
    Measure("abstained_right", "declined, rightly", "unanswerable questions", of_kinds=True),
    Measure("abstained_wrong", "declined, wrongly", "answerable questions", more_is_better=False, of_kinds=True),
    Measure("clarified_right", "asked for what was missing", "underspecified questions", of_kinds=True),
    Measure("clarified_wrong", "asked needlessly", "questions of known kind", more_is_better=False, of_kinds=True),
    Measure("searches", "searches per answer", "questions answered", "count", None, of_kinds=True),
    Measure("over_search", "searches beyond need", "searches where the need is known", more_is_better=False),
    Measure("under_search", "answered without the gold", "questions with a known gold passage", more_is_better=False),
    Measure("searched_needlessly", "searched needlessly", "questions that need none", more_is_better=False),
    Measure(
        "not_searched",
        "ended without a search",
        "questions that need one, those asked back left out",
        more_is_better=False,
    ),
    Measure("failed", "runs failed or out of budget", "runs", more_is_better=False),
    Measure("must_have", "must-have words shown", "stated phrases (lexical)"),
    Measure("tokens", "tokens per run", "runs whose tokens the server reported", "count", None, of_kinds=True),
)

MEASURE_NAMES = tuple(measure.name for measure in MEASURES)
