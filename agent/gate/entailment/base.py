"""The contract of an entailment scorer, with a scripted one for tests.

A scorer reads a sentence and what a passage states together and says how sure it is that the statement says what the
sentence says. It decides nothing: which of the rules' objections it may overrule, and how sure it must be, is said in
`agent.gate.entailment.decision`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

#: Characters of a title and of the statement before that are read with a statement: its heading, and what it goes on
#: from.
TITLE_CHARS, BEFORE_CHARS = 70, 110


def premise(title: str, before: str, statement: str) -> str:
    """A statement with its heading and the end of the one before it, as a scorer reads it."""
    return f"{title[:TITLE_CHARS]}. {before[-BEFORE_CHARS:]} | {statement}"


class EntailmentScorer(Protocol):
    """Sentence and premises to log-odds; called from one thread at a time."""

    @property
    def name(self) -> str:
        """Name for people."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same pair could get a materially different score."""
        ...

    def score(self, sentence: str, premises: Sequence[str]) -> list[float]:
        """Log-odds that a premise says what the sentence says, one a premise; 0 is as likely as not.

        Raises:
            EntailmentError: the model could not be loaded or failed.
        """
        ...


class ScriptedEntailment:
    """Says of each sentence what it is told to say. For tests."""

    name = "scripted"
    fingerprint = "scripted-1"

    def __init__(self, log_odds: Callable[[str, str], float]) -> None:
        self._log_odds = log_odds

    def score(self, sentence: str, premises: Sequence[str]) -> list[float]:
        """See `EntailmentScorer.score`."""
        return [self._log_odds(sentence, one) for one in premises]
