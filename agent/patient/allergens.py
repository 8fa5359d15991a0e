"""What an allergy that a recommendation states is to."""

from __future__ import annotations

from agent.patient.names import drug_names


def stated_allergens(text: str) -> frozenset[str]:
    """The drugs and classes named; for "penicillin" the class, as everybody means it."""
    return frozenset(name for named in drug_names().find(text) for name in named.names)
