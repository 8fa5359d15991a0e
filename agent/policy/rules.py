"""Rules: which questions are refused, and which have something said beside their answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from agent.policy.audience import Audience
from agent.policy.phrases import compiled, found, meant

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")]


class Outcome(StrEnum):
    """What a rule does to a question."""

    #: Nothing: the rule is for another audience.
    ANSWER = "answer"
    #: The question is answered, and the rule's words stand before the answer.
    NOTICE = "notice"
    #: The rule's words are the answer. No search is made and no model asked.
    REFUSE = "refuse"


def _phrase(text: str) -> str:
    compiled(text)
    return text


Phrase = Annotated[str, AfterValidator(_phrase)]


class PolicyRule(BaseModel):
    """One kind of question, with what is done for each audience and what is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Key
    clinician: Outcome
    public: Outcome
    #: Key of the words that are said, among the policy's `wording`.
    say: Key
    #: The rule applies to a sentence that holds one of these, see `agent.policy.phrases`,
    when: Annotated[tuple[Phrase, ...], Field(min_length=1)]
    #: and none of these: a clinician may quote a patient.
    unless: tuple[Phrase, ...] = ()

    def outcome(self, audience: Audience) -> Outcome:
        """What the rule does for an audience."""
        return self.clinician if audience is Audience.CLINICIAN else self.public

    def applies(self, sentences: Iterable[str]) -> bool:
        """Whether one of the sentences (see `plain_sentences`) is what the rule looks for."""
        return any(meant(self.when, sentence) and not found(self.unless, sentence) for sentence in sentences)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a policy makes of one question."""

    audience: Audience
    #: The first rule that refuses it; None: it is answered.
    refused: PolicyRule | None = None
    #: Every rule whose words stand before the answer, in the file's order.
    notices: tuple[PolicyRule, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """All in one word."""
        if self.refused is not None:
            return Outcome.REFUSE
        return Outcome.NOTICE if self.notices else Outcome.ANSWER

    @property
    def rules(self) -> tuple[PolicyRule, ...]:
        """The rules that decided."""
        return (self.refused,) if self.refused is not None else self.notices
