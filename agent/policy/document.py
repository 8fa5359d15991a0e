"""What a policy file holds, and what it makes of a question."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo, field_validator, model_validator

from agent.errors import QuestionError
from agent.policy.audience import Audience
from agent.policy.rules import Judged, Key, Outcome, PolicyRule
from agent.policy.words import plain_sentences
from retrieval import Scope, SourceId

POLICY_SCHEMA: Literal["clinsearch.policy.v1"] = "clinsearch.policy.v1"
#: What every policy must say, whatever its rules: where help is, and (said by the service itself) what is not taken on.
NEEDED_WORDING = ("emergency", "self-harm", "out-of-scope")

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400, pattern=r"^[^\r\n]*$")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AudienceTerms(_Model):
    """What one audience is searched and told."""

    #: Ids of the sources that are searched for it; empty: all.
    sources: tuple[SourceId, ...] = ()
    #: Regions whose guidance is searched for it ("GB", "INT"); empty: all.
    regions: tuple[str, ...] = ()
    #: Sentences that stand with every answer.
    disclaimers: Annotated[tuple[Line, ...], Field(max_length=5)] = ()


class ExampleGroup(_Model):
    """Questions that must all come out the same."""

    audience: Audience
    expect: Outcome
    #: The rule that must be among those that decide; left out: any.
    rule: Key | None = None
    questions: Annotated[tuple[str, ...], Field(min_length=1)]


class Policy(_Model):
    """One organisation's policy."""

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, populate_by_name=True)

    schema_: Literal["clinsearch.policy.v1"] = Field(alias="schema")
    #: The organisation's own, as it likes: "2026-11".
    version: Annotated[Line, Field(max_length=40)]
    organisation: Line
    #: What the service is for, in a sentence.
    scope: Line
    #: Whom a deployment with this policy answers, unless its setting says a narrower one.
    audience: Audience
    #: Whether a single request may name a narrower audience.
    audience_per_request: bool
    audiences: dict[Audience, AudienceTerms]
    #: What is said, by key.
    wording: dict[Key, Line]
    rules: tuple[PolicyRule, ...]
    examples: tuple[ExampleGroup, ...] = ()
    #: SHA-256 of the file, filled in when it is read.
    sha256: str = ""

    @field_validator("audiences")
    @classmethod
    def _every_audience(cls, value: dict[Audience, AudienceTerms]) -> dict[Audience, AudienceTerms]:
        if missing := [str(audience) for audience in Audience if audience not in value]:
            raise ValueError(f"{' and '.join(missing)} is missing; say what is searched and told for it")
        return value

    @field_validator("wording")
    @classmethod
    def _needed_wording(cls, value: dict[str, str]) -> dict[str, str]:
        if missing := [key for key in NEEDED_WORDING if key not in value]:
            raise ValueError(f"{' and '.join(missing)} is missing; write what is said")
        return value

    @field_validator("rules")
    @classmethod
    def _rules_fit(cls, value: tuple[PolicyRule, ...], info: ValidationInfo) -> tuple[PolicyRule, ...]:
        seen: set[str] = set()
        for rule in value:
            if rule.id in seen:
                raise ValueError(f"the rule {rule.id} stands twice; give one of them another id")
            seen.add(rule.id)
            wording = info.data.get("wording", {rule.say: ""})
            if rule.say not in wording:
                raise ValueError(
                    f"the rule {rule.id} says {rule.say!r}, which is not among wording: {', '.join(wording)}"
                )
        return value

    @model_validator(mode="after")
    def _examples_fit(self) -> Self:
        known = {rule.id for rule in self.rules}
        for group in self.examples:
            if group.rule is not None and group.rule not in known:
                raise ValueError(f"an example expects the rule {group.rule}, which there is not: {', '.join(known)}")
        return self

    def judge(self, question: str, audience: Audience | None = None) -> Judged:
        """What is made of a question, for the policy's own audience unless another is named."""
        audience = audience or self.audience
        sentences = plain_sentences(question)
        applying = [rule for rule in self.rules if rule.applies(sentences)]
        refused = next((rule for rule in applying if rule.outcome(audience) is Outcome.REFUSE), None)
        notices = tuple(rule for rule in applying if rule.outcome(audience) is Outcome.NOTICE)
        return Judged(audience, refused, () if refused is not None else notices)

    def audience_of(self, wanted: Audience | None, deployment: Audience) -> Audience:
        """Whom a request is answered for in a deployment for some audience.

        Raises:
            QuestionError: `audience_not_allowed`; the deployment or the policy does not let requests choose that.
        """
        if wanted is None or wanted is deployment:
            return deployment
        why = (
            f"and no request can widen that ({deployment} does not cover {wanted})"
            if not deployment.covers(wanted)
            else "and its policy lets no request choose another audience"
        )
        if self.audience_per_request and deployment.covers(wanted):
            return wanted
        raise QuestionError(
            "audience_not_allowed", f"This service answers the audience {deployment}, {why}. Leave audience out."
        )

    def terms(self, audience: Audience) -> AudienceTerms:
        """What an audience is searched and told."""
        return self.audiences[audience]

    def search_scope(self, audience: Audience) -> Scope:
        """What may be searched for an audience."""
        terms = self.audiences[audience]
        return Scope(sources=terms.sources, regions=terms.regions)

    @cached_property
    def named_sources(self) -> frozenset[SourceId]:
        """Every source that the policy names."""
        return frozenset(source for terms in self.audiences.values() for source in terms.sources)
