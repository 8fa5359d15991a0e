"""Decision: which objections of the gate's rules an entailment scorer may overrule, and how sure it must be.

Only that a word is not the passage's may be overruled, where the scorer is sure enough: rules that compare words have
no list for everything that can be put in other words. A number, drug, route, group of people, strength, "no" or
condition is never overruled: there the rules are more exact than a learnt score.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from pydantic import BaseModel, ConfigDict, field_validator

from agent.gate.verdict import WithheldReason as Why

#: What may ever be overruled.
OVERRULABLE = frozenset([Why.WORDS_NOT_IN_PASSAGE])


class Decision(BaseModel):
    """Least log-odds of an entailment, chosen on development pairs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: By objection: the scorer must be at least this sure for it to be overruled; what is not named stands.
    overrules: Mapping[Why, float] = {}

    @field_validator("overrules")
    @classmethod
    def _may_be(cls, value: Mapping[Why, float]) -> Mapping[Why, float]:
        if never := set(value) - OVERRULABLE:
            raise ValueError(f"never overruled: {', '.join(sorted(never))}")
        return value

    def needed(self, objections: Collection[Why]) -> float | None:
        """The least log-odds with which a sentence is shown in spite of these objections; None where it never is.

        At least one objection.
        """
        needed = [self.overrules.get(why) for why in objections]
        return None if None in needed else max(one for one in needed if one is not None)
