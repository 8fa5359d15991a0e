"""Whether of two passages of one search the first is surely the likelier answer, or the second may be it as well.

A search orders by several signs: its own score and, where a reranker read the passages, the reranker's; else how near
they are in meaning. Where the signs agree on which of two passages comes first, the order is mostly right. Where they
do not, the second is the right one nearly as often, and a clinician should see both (docs/adr/0020).
"""

from __future__ import annotations

from agent.asked_dose import drug_of_dose, states_amount
from agent.facets import tells_right_side
from retrieval import Hit


def surely_likelier(first: Hit, second: Hit, question: str) -> bool:
    """Whether every sign puts `first` before `second`, or what was asked for decides between them."""
    drug = drug_of_dose(question)
    if drug is not None and states_amount(first, drug) and not states_amount(second, drug):
        return True
    if tells_right_side(first, question) and not tells_right_side(second, question):
        return True
    return first.score >= second.score and _other_sign(first, second)


def _other_sign(first: Hit, second: Hit) -> bool:
    if first.rerank_score is not None and second.rerank_score is not None:
        return first.rerank_score >= second.rerank_score
    if first.cosine is not None and second.cosine is not None:
        return first.cosine >= second.cosine
    return True
