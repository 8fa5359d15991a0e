"""Allergies that a recommendation states, and what they are to."""

from __future__ import annotations

import re

from agent.patient.names import drug_names

#: Says that it is about an allergy.
ALLERGY = re.compile(r"\b(?:allerg\w+|hypersensitiv\w+|anaphyla\w+|reaction\s+to)\b", re.IGNORECASE)


def stated_allergens(text: str) -> frozenset[str]:
    """The drugs and classes named; for "penicillin" the class, as everybody means it."""
    return frozenset(name for named in drug_names().find(text) for name in named.names)
