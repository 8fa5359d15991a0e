"""The runner-up: whether the second passage of a search may answer as well as the first, so that both are quoted.

A search orders by several signs: its own score and, where a reranker read the passages, the reranker's; else how near
they are in meaning. Where those agree on which of two passages comes first, the order is mostly right; where they do
not, the second is the right one often enough that a clinician should see it too (docs/adr/0020). It is not quoted
where anything else decides between the two, or where it could mislead: another drug's dose, people nobody asked about,
less of what the question names, guidance that is older, from elsewhere, or the same once more.
"""

from __future__ import annotations

from agent.asked_dose import asks_dose, drug_of_dose, states_amount
from agent.choosing import alike
from agent.facets import tells_right_side
from agent.gate.lexicon import Kind
from agent.gate.reading import read
from agent.sufficiency import AskedWords
from retrieval import GuidanceStatus, Hit, PassageKind

#: Two passages that share more of their words than this (Jaccard) are two versions of one.
_THE_SAME = 0.6
#: People whom advice for others may harm, and whom advice of their own is for, wherever it names them.
_OF_THEIR_OWN = frozenset(
    "pregnant antenatal postnatal postpartum breastfeeding neonate infant child girl boy adolescent".split()  # noqa: SIM905
)


def may_answer_as_well(first: Hit, second: Hit, question: str) -> bool:
    """Whether `second` may be the likelier answer and misleads nobody who reads it after `first`.

    Both are hits of one search, whose order they stand in; scores of two searches do not compare.
    """
    return not _agree(first, second) and _is_as_good(first, second) and _is_of_the_same(first, second, question)


def _agree(first: Hit, second: Hit) -> bool:
    """Whether both scores that made the order put `first` before `second`."""
    if first.score < second.score:
        return False
    if first.rerank_score is not None and second.rerank_score is not None:
        return first.rerank_score >= second.rerank_score
    if first.cosine is not None and second.cosine is not None:
        return first.cosine >= second.cosine
    return True


def _is_as_good(first: Hit, second: Hit) -> bool:
    """Whether the second is current, from home, advice and another text, as far as the first is."""
    if second.status is not GuidanceStatus.CURRENT and first.status is GuidanceStatus.CURRENT:
        return False
    if second.from_elsewhere and not first.from_elsewhere:
        return False
    advises = PassageKind.RECOMMENDATION
    if first.passage.kind is advises and second.passage.kind is not advises:
        return False
    return alike(first.passage, second.passage) < _THE_SAME


def _is_of_the_same(first: Hit, second: Hit, question: str) -> bool:
    """Whether the second holds what the question names as far as the first does, and is for nobody else."""
    if asks_dose(question):
        drug = drug_of_dose(question)
        if drug is None or not states_amount(second, drug):
            return False
    if tells_right_side(first, question) and not tells_right_side(second, question):
        return False
    asked = AskedWords(question)
    if asked.share_held(second) < asked.share_held(first):
        return False
    drugs = _named(question, Kind.DRUG)
    if not drugs & _named(_text(first), Kind.DRUG) <= _named(_text(second), Kind.DRUG):
        return False
    people = _named(second.passage.population or "", Kind.POPULATION)
    if second.passage.kind is PassageKind.RECOMMENDATION:
        people |= _named(second.passage.text, Kind.POPULATION) & _OF_THEIR_OWN
    return people <= _named(f"{_text(first)}. {question}", Kind.POPULATION)


def _text(hit: Hit) -> str:
    return f"{hit.document.title}. {hit.passage.population or ''}. {hit.passage.text}"


def _named(text: str, kind: Kind) -> frozenset[str]:
    """The drugs or people that a text names, as the gate names them."""
    return frozenset(token.form for token in read(text).tokens if token.kind is kind)
