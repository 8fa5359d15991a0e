"""Support: how well a passage bears a sentence out, as one number between 0 and 1.

The gate's own support is lexical: the share of a sentence's words that the passage has. A scorer of another make (an
encoder's nearness, later an entailment model) may be put beside it; the lower of the two counts, so that a scorer can
only make the gate stricter.
"""

from __future__ import annotations

from typing import Protocol

#: Least share of a sentence's words that the passage must have, words of the frame left out. Fitted on the
#: development pairs only, see `support_thresholds.json`.
MIN_SUPPORT = 0.4


class SupportScorer(Protocol):
    """Anything that says how well a passage supports a sentence."""

    def score(self, sentence: str, passage: str) -> float:
        """From 0 (not at all) to 1 (says the same)."""
        ...
