"""Whether cited passages bear a sentence out, as far as words can tell; a protocol, so a model can take their place.

Citation recall and precision of one sentence follow ALCE (Gao et al.: "Enabling Large Language Models to Generate Text
with Citations", EMNLP 2023, section 4): a sentence is recalled where all it cites together bears it out, and a citation
counts unless it does not bear the sentence out alone and the others do without it. ALCE asks an entailment model, which
is not at hand; `LexicalSupport` is stricter on other wordings and blind to a turned meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from eval.answers.number_check import Standing, check_numbers
from retrieval.tokens import tokenise

#: Share of a sentence's stems that its passages must hold; the rest is left for "offer", "recommended" and their like.
LEAST_HELD = 0.9


class SupportJudge(Protocol):
    """Anything that says whether passages bear a sentence out."""

    @property
    def name(self) -> str:
        """Name for people."""
        ...

    def supports(self, sentence: str, passages: Sequence[str]) -> bool:
        """Whether the passages together bear the sentence out; without passages never."""
        ...


class LexicalSupport:
    """Nine in ten stems stand in the passages, and no number is altered."""

    name = f"lexical, {LEAST_HELD:.0%} of stems and every number"

    def supports(self, sentence: str, passages: Sequence[str]) -> bool:
        """See `SupportJudge.supports`."""
        stems = tokenise(sentence)
        held = {stem for passage in passages for stem in tokenise(passage)}
        if not passages or not stems or sum(stem in held for stem in stems) < LEAST_HELD * len(stems):
            return False
        return all(number.standing is not Standing.ALTERED for number in check_numbers(sentence, passages))


class CitationScore(NamedTuple):
    """Of one sentence: whether it is borne out, and how many of its resolved citations count."""

    recalled: bool
    counted: int


def cite_score(judge: SupportJudge, sentence: str, passages: Sequence[str]) -> CitationScore:
    """ALCE's recall of a sentence and the number of its citations that count."""
    if not judge.supports(sentence, passages):
        return CitationScore(recalled=False, counted=0)
    if len(passages) == 1:
        return CitationScore(recalled=True, counted=1)
    counted = 0
    for place, passage in enumerate(passages):
        others = [*passages[:place], *passages[place + 1 :]]
        counted += judge.supports(sentence, [passage]) or not judge.supports(sentence, others)
    return CitationScore(recalled=True, counted=counted)
