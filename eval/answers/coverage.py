"""How many of the statements an answer must have it has: approximate scorers behind a protocol.

K-QA (Manes et al.: "K-QA: A Real-World Medical Q&A Benchmark", 2024) asks an entailment model, which is not at hand.
A scorer here compares words or vectors, and cannot tell a statement from its opposite; `agreement` measures how often
it says what three annotators said of K-QA's own pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from retrieval import Encoder
from retrieval.tokens import tokenise

#: Share of a statement's stems, and cosine to the nearest sentence, from which it counts as said. Both are the values
#: with the highest kappa on K-QA's labelled pairs (docs/adr/0032), and so flatter the agreement a little.
LEAST_STEMS = 0.5
LEAST_COSINE = 0.8


class CoverageScorer(Protocol):
    """Anything that says which statements an answer makes."""

    @property
    def name(self) -> str:
        """Name for people."""
        ...

    def covers(self, statements: Sequence[str], sentences: Sequence[str]) -> tuple[bool, ...]:
        """For each statement whether the sentences of an answer make it; without sentences none."""
        ...


class LexicalCoverage:
    """A statement counts where the answer holds enough of its stems and every one of its numbers, in any order."""

    def __init__(self, least: float = LEAST_STEMS) -> None:
        self._least = least
        self.name = f"lexical, {least:.0%} of stems"

    def covers(self, statements: Sequence[str], sentences: Sequence[str]) -> tuple[bool, ...]:
        """See `CoverageScorer.covers`."""
        held = set(tokenise("\n".join(sentences)))
        return tuple(self._covered(set(tokenise(statement)), held) for statement in statements)

    def _covered(self, wanted: set[str], held: set[str]) -> bool:
        numbered = {stem for stem in wanted if any(char.isdigit() for char in stem)}
        return bool(wanted) and numbered <= held and len(wanted & held) >= self._least * len(wanted)


class EncoderCoverage:
    """A statement counts where a sentence of the answer is near it in meaning."""

    def __init__(self, encoder: Encoder, least: float = LEAST_COSINE) -> None:
        self._encoder = encoder
        self._least = least
        self.name = f"{encoder.name}, cosine {least:g}"

    def covers(self, statements: Sequence[str], sentences: Sequence[str]) -> tuple[bool, ...]:
        """See `CoverageScorer.covers`."""
        if not statements or not sentences:
            return tuple(False for _ in statements)
        # Both sides alike: neither is a question.
        wanted = self._encoder.encode_passages(list(statements))
        said = self._encoder.encode_passages(list(sentences))
        return tuple(bool(near >= self._least) for near in (wanted @ said.T).max(axis=1))


class LabelledPair(NamedTuple):
    """A statement, an answer in sentences, and whether people say that the answer makes it."""

    statement: str
    sentences: tuple[str, ...]
    entailed: bool


class Agreement(NamedTuple):
    """A scorer against people, over pairs."""

    pairs: int
    #: Share of pairs on which both say the same.
    agreed: float
    #: Of what the scorer counts, the share that people count; of what people count, the share that it counts.
    precision: float | None
    recall: float | None
    #: Cohen's kappa: 0 is what chance would give, 1 is full agreement; None where one of the two never differs.
    kappa: float | None


def agreement(scorer: CoverageScorer, pairs: Sequence[LabelledPair]) -> Agreement:
    """How often a scorer says what people said.

    Raises:
        ValueError: there is no pair.
    """
    if not pairs:
        raise ValueError("agreement needs pairs")
    said = [scorer.covers([pair.statement], pair.sentences)[0] for pair in pairs]
    both = sum(made and pair.entailed for made, pair in zip(said, pairs, strict=True))
    counted, entailed, n = sum(said), sum(pair.entailed for pair in pairs), len(pairs)
    agreed = (n - counted - entailed + 2 * both) / n
    chance = (counted * entailed + (n - counted) * (n - entailed)) / n**2
    return Agreement(
        pairs=n,
        agreed=agreed,
        precision=both / counted if counted else None,
        recall=both / entailed if entailed else None,
        kappa=(agreed - chance) / (1 - chance) if chance < 1 else None,
    )
