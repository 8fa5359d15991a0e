"""A policy's own examples, run: every question with what it must come to and what it came to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from agent.policy.audience import Audience
from agent.policy.document import ExampleGroup, Policy
from agent.policy.rules import Outcome


@dataclass(frozen=True, slots=True)
class ExampleOutcome:
    """One example and what the policy makes of it."""

    question: str
    audience: Audience
    expected: Outcome
    #: The rule that was expected to decide; None: any.
    rule: str | None
    got: Outcome
    #: Ids of the rules that decided.
    rules: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether it came out as it must."""
        return self.got is self.expected and (self.rule is None or self.rule in self.rules)

    @property
    def false_block(self) -> bool:
        """Refused although it must be answered: a clinician is left without guidance."""
        return self.got is Outcome.REFUSE and self.expected is not Outcome.REFUSE

    @property
    def missed(self) -> bool:
        """Answered although it must be refused."""
        return self.expected is Outcome.REFUSE and self.got is not Outcome.REFUSE


def run_examples(policy: Policy, groups: Iterable[ExampleGroup] | None = None) -> Iterator[ExampleOutcome]:
    """Every example of `groups` (the policy's own where none are given) in order."""
    for group in policy.examples if groups is None else groups:
        for question in group.questions:
            judged = policy.judge(question, group.audience)
            yield ExampleOutcome(
                question=question,
                audience=group.audience,
                expected=group.expect,
                rule=group.rule,
                got=judged.outcome,
                rules=tuple(rule.id for rule in judged.rules),
            )
