"""Support and citation scores: a citation that bears nothing out must not count as one that does."""

from __future__ import annotations

from collections.abc import Sequence

from eval.answers.support import CitationScore, LexicalSupport, cite_score


class _Listed:
    """Says yes to the sets of passages it is given."""

    name = "listed"

    def __init__(self, *borne_out: Sequence[str]) -> None:
        self._borne_out = [list(passages) for passages in borne_out]

    def supports(self, sentence: str, passages: Sequence[str]) -> bool:
        return list(passages) in self._borne_out


def test_words_and_numbers_must_stand_in_what_is_cited() -> None:
    judge = LexicalSupport()
    passage = "Offer amoxicillin 500 mg three times a day for 5 days to adults with pneumonia."
    assert judge.supports("Offer amoxicillin 500 mg three times a day.", [passage])
    assert not judge.supports("Offer amoxicillin 250 mg three times a day.", [passage])
    assert not judge.supports("Offer doxycycline to children with otitis.", [passage])
    assert not judge.supports("Offer amoxicillin 500 mg three times a day.", [])


def test_alce_recall_and_precision_by_hand() -> None:
    assert cite_score(_Listed(["a"]), "s", ["a"]) == CitationScore(recalled=True, counted=1)
    assert cite_score(_Listed(), "s", ["a"]) == CitationScore(recalled=False, counted=0)
    # b alone bears it out; a does not, and b does without it: a counts not.
    assert cite_score(_Listed(["a", "b"], ["b"]), "s", ["a", "b"]) == CitationScore(recalled=True, counted=1)
    # Neither alone does: both are needed, both count.
    assert cite_score(_Listed(["a", "b"]), "s", ["a", "b"]) == CitationScore(recalled=True, counted=2)
    assert cite_score(_Listed(), "s", []) == CitationScore(recalled=False, counted=0)
