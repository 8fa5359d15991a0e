"""Questions made for training and testing: what is asked, and what a good run would do with it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent.actions import Missing, ReplyKind
from agent.origin import Split
from agent.question import Turn
from retrieval import PassageId


class QuestionKind(StrEnum):
    """What a good run does with a question."""

    #: One search, or a few, find the passage that answers it.
    ANSWERABLE = "answerable"
    #: The corpora do not hold the answer.
    UNANSWERABLE = "unanswerable"
    #: What decides the answer was not said; once it is, the question is answerable.
    UNDERSPECIFIED = "underspecified"
    #: Two passages are needed, each with a search of its own.
    MULTI_HOP = "multi_hop"
    #: It leans on an earlier turn.
    CONVERSATIONAL = "conversational"
    #: Thanks, rewording, or a question about the service.
    NO_SEARCH = "no_search"


class TrainingQuestion(BaseModel):
    """One line of a file of questions; also a valid line for `clinsearch rollouts generate`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    question: str
    kind: QuestionKind
    history: tuple[Turn, ...] = ()
    #: The source a good search goes to.
    source: str = "guidelines"
    #: Passages that answer it; a multi-hop question needs all of them, others any one.
    gold: tuple[PassageId, ...] = ()
    #: Good searches, best first; for a multi-hop question one for each gold passage.
    queries: tuple[str, ...] = ()
    #: What must be asked for, where the kind is underspecified.
    missing: Missing | None = None
    #: The hidden case: what the clinician says when asked, by what is asked for.
    case: Mapping[Missing, str] = Field(default_factory=dict)
    reply: ReplyKind | None = None
    split: Split = "train"
    question_source: str
    licence: str
    training_consent: bool
    #: The wording it was made by, as "name/part/number"; None for a question nobody made from a wording.
    template: str | None = None
    #: Asked by a person, not made.
    real: bool = False

    @model_validator(mode="after")
    def _whole(self) -> TrainingQuestion:
        kind = self.kind
        if kind is QuestionKind.UNDERSPECIFIED and (self.missing is None or self.missing not in self.case):
            raise ValueError("an underspecified question names what is missing and its hidden case gives it")
        if kind is QuestionKind.NO_SEARCH and self.reply is None:
            raise ValueError("a question that needs no search names the reply")
        if kind is QuestionKind.UNANSWERABLE and self.gold:
            raise ValueError("an unanswerable question has no gold passage")
        if kind in _ANSWERED and not self.gold:
            raise ValueError(f"a question of kind {kind} names its gold passages")
        if kind is QuestionKind.MULTI_HOP and len(self.queries) != len(self.gold):
            raise ValueError("a multi-hop question has one query for each gold passage")
        return self


_ANSWERED = frozenset(
    {QuestionKind.ANSWERABLE, QuestionKind.UNDERSPECIFIED, QuestionKind.MULTI_HOP, QuestionKind.CONVERSATIONAL}
)
