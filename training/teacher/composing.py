"""The house style, made of quotations: the direct answer, then dose or action, then contraindications.

Sentences are what the agent may quote of a passage (`agent.quoting`), so a model trained on them learns to choose what
answers. No clinical word is added. The population is not written out: the citation shows it beside the recommendation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.quoting import MAX_QUOTES, keyed, quotable, warning_of
from retrieval import Hit
from retrieval.tokens import tokenise

#: Statements taken from the passage that answers best, and from each other one, contraindications apart.
FIRST_STATEMENTS = 2
OTHER_STATEMENTS = 1


def compose(question: str, cited: Sequence[tuple[str, Hit]]) -> str:
    """The answer to `question` from (key, passage) pairs, most important first; one space between sentences.

    Empty where nothing of the passages may be quoted. A passage of which only contraindications may be is left out
    where another says something: alone they do not say of what they are.
    """
    stating = [(key, hit) for key, hit in cited if quotable(hit)] or cited
    parts = [
        quotation
        for place, (key, hit) in enumerate(stating)
        for quotation in _quoted(question, key, hit, OTHER_STATEMENTS if place else FIRST_STATEMENTS)
    ]
    return " ".join(list(dict.fromkeys(parts))[:MAX_QUOTES])


def _quoted(question: str, key: str, hit: Hit, most: int) -> Iterator[str]:
    for chain in _chosen(question, hit, most):
        yield " ".join(keyed(statement, key) for statement in chain)
    warning = warning_of(hit)
    if warning:
        yield keyed(warning, key)


def _chosen(question: str, hit: Hit, most: int) -> list[tuple[str, ...]]:
    """The statement that answers, and what follows it."""
    chains = quotable(hit)
    wanted = set(tokenise(question))

    def shared(place: int) -> tuple[int, int]:
        # What it leans on is said with it, and does not make it the better answer.
        return len(wanted & set(tokenise(chains[place][-1]))), -place

    if not chains:
        return []
    best = max(range(len(chains)), key=shared)
    first, *following = chains[best : best + 2]
    if len(first) >= most or not following:
        return [first]
    (second,) = following
    # What leans on the first says it again and goes on from there.
    return [second] if second[: len(first)] == first else [first, second]
