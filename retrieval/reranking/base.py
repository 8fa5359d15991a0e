"""The contract of a reranker, with a scripted one for tests.

A reranker reads a question and passages together and scores each; it ranks nothing and keeps no clock. The deadline
is kept by `retrieval.reranking.stage`, which hands it a few passages at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from retrieval.tokens import tokenise


class Reranker(Protocol):
    """Question and passages to scores; called from one thread at a time."""

    @property
    def name(self) -> str:
        """Name for people."""
        ...

    @property
    def fingerprint(self) -> str:
        """Changes whenever the same pair could get a materially different score."""
        ...

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """One score a passage, higher is better; comparable within one query only.

        A passage's score does not depend on the others beyond rounding, so they may come in parts.

        Raises:
            RerankerError: the model could not be loaded or failed.
        """
        ...


class ScriptedReranker:
    """The share of the question's terms that a passage holds. For tests and for running without torch."""

    name = "scripted"
    fingerprint = "scripted-1"

    def __init__(self, before_each: Callable[[int], None] = lambda _passages: None) -> None:
        """`before_each` is called with the number of passages of each part, before it is scored."""
        self._before_each = before_each

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """See `Reranker.score`."""
        self._before_each(len(passages))
        terms = frozenset(tokenise(query))
        return [len(terms & frozenset(tokenise(passage))) / max(1, len(terms)) for passage in passages]
