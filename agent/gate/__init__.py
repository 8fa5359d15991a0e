"""The answer gate: what a sentence must pass before it may leave the service.

Deterministic and linear in the text's length. A sentence is shown only when it carries at least one key, every key is
this run's, and one statement of one cited passage says what it says: the same numbers, tied to the same drug and
people, the same "no", no more and no less firmly, under the same conditions. Other words for the same are read as the
same. Everything else is withheld with a reason: when in doubt, the clinician gets the recommendation itself. The gate
never edits a sentence.
"""

from __future__ import annotations

from agent.gate.check import MIN_SUPPORT, AnswerGate, SecondOpinion
from agent.gate.verdict import Verdict, WithheldReason

__all__ = ["MIN_SUPPORT", "AnswerGate", "SecondOpinion", "Verdict", "WithheldReason"]
