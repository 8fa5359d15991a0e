"""What is recorded of people's use: conversations, their turns, feedback, consent; and what is still to be told on."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Literal, NewType, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from agent import Answer, Judgement, RolloutId, RunSummary
from agent.judgements import Thumbs
from agent.question import Printable

OwnerId = NewType("OwnerId", str)
ConversationId = NewType("ConversationId", str)

#: Longest title, in characters.
MAX_TITLE_CHARS = 200
#: Longest comment on an answer, in characters.
MAX_COMMENT_CHARS = 2_000
#: Turns of one conversation: it is read whole, about 10 kB a turn.
MAX_TURNS_KEPT = 100
#: Conversations of one person; reaching it means that a program makes them.
MAX_CONVERSATIONS = 5_000
#: How long a conversation is kept in which nothing was asked.
EMPTY_KEPT = timedelta(days=1)
#: Longest search of conversations, in characters, and the words it may have.
MAX_SEARCH_CHARS = 200
MAX_SEARCH_WORDS = 8
MAX_PAGE = 100

Title = Annotated[Printable, StringConstraints(strip_whitespace=True), Field(min_length=1, max_length=MAX_TITLE_CHARS)]
Comment = Annotated[Printable, StringConstraints(strip_whitespace=True), Field(max_length=MAX_COMMENT_CHARS)]

#: The wording that people decide on. A change of it needs a new version, and asks everybody again.
CONSENT_VERSION = "1"
CONSENT_WORDING = (
    "May your questions here, with their answers and your feedback, be used to train the model of this service? "
    "Only what you ask from now on is used. Whoever runs this service can read it while preparing the training. "
    "You can change this at any time: then nothing of yours goes into a later training. Without your yes, nothing is "
    "used."
)


class Reason(StrEnum):
    """Why an answer was good or not, in words of a closed list, so that they can be counted."""

    RIGHT = "right_recommendation"
    CLEAR = "clear"
    COMPLETE = "complete"
    WRONG = "clinically_wrong"
    WRONG_SOURCE = "wrong_source"
    INCOMPLETE = "incomplete"
    OTHER_QUESTION = "other_question"
    OTHER_PATIENT = "other_patient"
    OUTDATED = "outdated"
    UNCLEAR = "unclear"


#: Which reasons go with which thumb.
REASONS: dict[Thumbs, frozenset[Reason]] = {
    "up": frozenset({Reason.RIGHT, Reason.CLEAR, Reason.COMPLETE}),
    "down": frozenset(Reason) - {Reason.RIGHT, Reason.CLEAR, Reason.COMPLETE},
}


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TurnState(StrEnum):
    """How a turn stands."""

    #: Asked, and the run goes on, or was cut off with the service.
    ASKED = "asked"
    ANSWERED = "answered"
    #: Whoever asked went away or pressed stop.
    STOPPED = "stopped"
    #: The service failed on it.
    FAILED = "failed"


class Feedback(_Record):
    """A thumb on an answer, with reasons that go with it."""

    thumbs: Thumbs
    reasons: tuple[Reason, ...] = Field(
        default=(),
        max_length=len(Reason),
        description="Of those that go with the thumb. Up: "
        f"{', '.join(sorted(REASONS['up']))}. Down: {', '.join(sorted(REASONS['down']))}.",
    )
    comment: Comment = Field(default="", description="Leave out what identifies a patient.")

    @model_validator(mode="after")
    def _reasons_fit(self) -> Self:
        strange = [str(reason) for reason in self.reasons if reason not in REASONS[self.thumbs]]
        if strange:
            raise ValueError(f"{strange[0]} is no reason for thumbs {self.thumbs}")
        if len(set(self.reasons)) < len(self.reasons):
            raise ValueError("a reason is named twice")
        return self


class StoredTurn(_Record):
    """One question with what came of it."""

    rollout_id: RolloutId = Field(description="Of the record of its run.")
    state: TurnState = Field(
        description="asked: not answered yet, or cut off with the service; stopped: whoever asked went away."
    )
    asked_at: AwareDatetime
    question: str
    result: RunSummary | None = Field(default=None, description="The finished run; null where it did not finish.")
    shown: Answer | None = Field(default=None, description="What was shown of an answer that was stopped.")
    feedback: Feedback | None = None

    @property
    def answer(self) -> Answer | None:
        """What was shown, whole or in part."""
        return self.result.answer if self.result is not None else self.shown


class ConversationInfo(_Record):
    """A conversation without its turns; the title is None until something is asked in it or it is named."""

    id: ConversationId
    title: str | None
    created_at: AwareDatetime
    updated_at: AwareDatetime = Field(description="When something was last asked or answered in it.")
    turns: int = Field(description="How many questions were asked in it.")


class Conversation(ConversationInfo):
    """A conversation with its turns, oldest first. A question that was asked again after a failure stands once."""

    asked: tuple[StoredTurn, ...]


class ConversationPage(_Record):
    """Part of a list, last used first. `next_cursor` gives the part after it, None at the end."""

    conversations: tuple[ConversationInfo, ...]
    next_cursor: str | None = None


class Consent(_Record):
    """A decision on training, and the version of the wording it was made on."""

    training: bool
    version: str
    decided_at: AwareDatetime

    @property
    def stands(self) -> bool:
        """Whether it was made on the wording in force; on another one people are asked again."""
        return self.version == CONSENT_VERSION

    @property
    def agreed(self) -> bool:
        """Whether what is asked under it may be trained on."""
        return self.stands and self.training


class Begun(_Record):
    """A turn that was begun: the answered turns before it, and whether its run may be trained on."""

    earlier: tuple[StoredTurn, ...]
    training_consent: bool


class Pending(_Record):
    """Something that the journal of runs has yet to be told; told at least once, in order."""

    id: int
    at: AwareDatetime
    #: A judgement to put beside the runs; None: take the words out of `rollout_id`.
    judgement: Judgement | None = None
    rollout_id: RolloutId

    @property
    def kind(self) -> Literal["judge", "erase"]:
        """What is to be done."""
        return "judge" if self.judgement is not None else "erase"


def too_many_conversations(most: int) -> str:
    """What is said where a person has as many conversations as are kept."""
    return f"You have {most:,} conversations, the most that are kept. Delete some, then begin a new one."


def too_many_turns() -> str:
    """What is said where a conversation is as long as one may be."""
    return f"This conversation has {MAX_TURNS_KEPT} questions, the most that one holds. Begin a new one."


def thumbs_judgement(rollout_id: RolloutId, at: datetime, feedback: Feedback | None) -> Judgement:
    """Feedback as the journal of runs is told of it: without the comment."""
    return Judgement(
        rollout_id=rollout_id,
        at=at,
        kind="thumbs",
        thumbs=feedback.thumbs if feedback else None,
        reasons=tuple(str(reason) for reason in feedback.reasons) if feedback else (),
    )


def withdrawal_judgement(rollout_id: RolloutId, at: datetime) -> Judgement:
    """That a run must not be trained on any more."""
    return Judgement(rollout_id=rollout_id, at=at, kind="consent_withdrawn")
