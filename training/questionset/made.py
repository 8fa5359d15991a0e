"""A question on its way into a file: what it needs kept apart by, besides what the file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.actions import Missing, ReplyKind
from agent.question import Turn
from retrieval import PassageId
from training.questions import QuestionKind


@dataclass(frozen=True, slots=True)
class Made:
    """One made question."""

    kind: QuestionKind
    template: str
    question: str
    #: What it is about; nothing of one cluster stands in two parts.
    clusters: tuple[str, ...]
    origin: str
    licence: str
    source: str = "guidelines"
    gold: tuple[PassageId, ...] = ()
    queries: tuple[str, ...] = ()
    history: tuple[Turn, ...] = ()
    missing: Missing | None = None
    case: Mapping[Missing, str] = field(default_factory=dict)
    reply: ReplyKind | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """Two with the same key are the same question."""
        return (self.question.casefold().strip("?. "), *(turn.question for turn in self.history))
