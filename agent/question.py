"""Questions: what may be asked, and the earlier turns that come with it."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from agent.errors import QuestionError
from agent.policy import Audience
from retrieval import HomeRegion, PassageId, SearchFilters
from retrieval.documents import sha256_of

#: Longest question in characters: a page of case notes. The model's context is the reason for a bound.
MAX_QUESTION_CHARS = 4_000
MAX_TURNS = 10
#: Longest earlier answer that comes with a question.
MAX_ANSWER_CHARS = 8_000
#: Earlier questions that a follow-up is searched with; older ones are more often about something else.
_TURNS_SEARCHED = 2
#: Unicode's categories Cc and Cs, which are closed, without line breaks and tabs.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


def has_control_characters(text: str) -> bool:
    """True for control characters other than line breaks and tabs, and for halves of surrogate pairs."""
    return _CONTROL.search(text) is not None


def _printable(text: str) -> str:
    if has_control_characters(text):
        raise ValueError("control characters are not allowed")
    return text


Printable = Annotated[str, AfterValidator(_printable)]


class Turn(BaseModel):
    """An earlier question with the answer that was shown, and the passages it cited."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: Printable = Field(max_length=MAX_QUESTION_CHARS)
    answer: Printable = Field(max_length=MAX_ANSWER_CHARS)
    passage_ids: tuple[Annotated[PassageId, AfterValidator(_printable)], ...] = Field(
        default=(), max_length=20, description="Ids of the recommendations that the answer cited."
    )


class Question(BaseModel):
    """A question ready to be asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    history: tuple[Turn, ...] = Field(default=(), max_length=MAX_TURNS)
    filters: SearchFilters = SearchFilters()
    #: Where the clinician works; None takes the deployment's.
    home_region: HomeRegion | None = None
    #: Whom the answer is for; None takes the deployment's.
    audience: Audience | None = None

    @property
    def task_key(self) -> str:
        """SHA-256 over everything that makes this question what it is.

        What is left at its default is not part of it, so that a new field does not change every key.
        """
        return sha256_of(self.model_dump(mode="json", exclude_defaults=True))

    @property
    def own_words(self) -> str:
        """What the clinician said, for searching: a follow-up ("she is not pregnant") needs what came before it."""
        earlier = [turn.question for turn in self.history[-_TURNS_SEARCHED:]]
        return " ".join([*earlier, self.text])


def clean_question(text: str) -> str:
    """The question with outer space removed and line ends unified.

    Letters of any script pass unchanged, joiners and direction marks included, since Persian,
    Hindi and right-to-left text need them.

    Raises:
        QuestionError: `question_empty`, `question_too_long` or `question_control_characters`.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    # Bounded before it is looked at character by character.
    if len(text) > MAX_QUESTION_CHARS:
        raise QuestionError(
            "question_too_long",
            f"The question has {len(text):,} characters; the limit is {MAX_QUESTION_CHARS:,}. Shorten it, then ask.",
        )
    if has_control_characters(text):
        raise QuestionError(
            "question_control_characters", "The question contains control characters. Remove them and ask again."
        )
    if not any(c.isalnum() for c in text):
        raise QuestionError("question_empty", "The question is empty. Type a clinical question and ask again.")
    return text
