"""The guard: what the service does not take on, read from a policy file and checked before any model call."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field

from agent.actions import DeclineReason
from agent.errors import PolicyFileError

DEFAULT_POLICY = Path(__file__).parent / "policy.yaml"


class PolicyRule(BaseModel):
    """One kind of request that is declined, with what the clinician is told."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    reason: DeclineReason
    patterns: Annotated[tuple[str, ...], Field(min_length=1)]
    #: Words that make the rule not apply: a clinician may quote a patient.
    unless: tuple[str, ...] = ()
    message: str

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile("|".join(f"(?:{pattern})" for pattern in self.patterns), re.IGNORECASE | re.DOTALL)

    def matches(self, question: str) -> bool:
        """True when any pattern is found in the question and no exception is."""
        return self._compiled.search(question) is not None and not any(
            re.search(pattern, question, re.IGNORECASE | re.DOTALL) for pattern in self.unless
        )


class Policy(BaseModel):
    """All rules; the first that matches decides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    rules: tuple[PolicyRule, ...]

    def check(self, question: str) -> PolicyRule | None:
        """The rule that declines this question, or None."""
        return next((rule for rule in self.rules if rule.matches(question)), None)


def load_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """Read a policy file.

    Raises:
        PolicyFileError: the file cannot be read, breaks the schema or holds a bad pattern.
    """
    try:
        policy = Policy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        for rule in policy.rules:
            rule.matches("")
    except (OSError, yaml.YAMLError, ValueError, re.error) as error:
        raise PolicyFileError(f"{path.name}: {error}") from error
    return policy
