"""Keeping training apart from what the search is measured on.

A training question is dropped where an evaluated question has the same content words, or nearly (Jaccard of the
stemmed terms at least 0.8), or shares a run of 13 words with it; a training passage is dropped where it shares a run
of 13 words with an evaluated passage. 13 words: Brown et al., "Language Models are Few-Shot Learners", NeurIPS
2020, appendix C.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from retrieval.tokens import tokenise

RUN = 13
NEAR = 0.8
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class Evaluated:
    """What one question set asks and searches."""

    name: str
    questions: Collection[str]
    passages: Collection[str]


class Contamination:
    """Asks of a text whether an evaluated set holds it, or nearly."""

    def __init__(self, evaluated: Iterable[Evaluated]) -> None:
        self._questions: dict[frozenset[str], str] = {}
        self._by_term: defaultdict[str, set[frozenset[str]]] = defaultdict(set)
        self._question_runs: dict[int, str] = {}
        self._passage_runs: dict[int, str] = {}
        for one in evaluated:
            for question in one.questions:
                terms = frozenset(tokenise(question))
                self._questions.setdefault(terms, one.name)
                for term in terms:
                    self._by_term[term].add(terms)
                self._question_runs.update((run, one.name) for run in _runs(question))
            for passage in one.passages:
                self._passage_runs.update((run, one.name) for run in _runs(passage))

    def of_question(self, text: str) -> str | None:
        """The name of a set that asks this, or None."""
        terms = frozenset(tokenise(text))
        if terms in self._questions:
            return self._questions[terms]
        # Two sets of terms with a Jaccard of 0.8 share most terms, so looking under each term finds every near one.
        near = {other for term in terms for other in self._by_term.get(term, ())}
        for other in near:
            if len(terms & other) >= NEAR * len(terms | other):
                return self._questions[other]
        return next((self._question_runs[run] for run in _runs(text) if run in self._question_runs), None)

    def of_passage(self, text: str) -> str | None:
        """The name of a set that holds 13 words in a row of this text, or None."""
        return next((self._passage_runs[run] for run in _runs(text) if run in self._passage_runs), None)


def _runs(text: str) -> Iterator[int]:
    words = _WORD.findall(text.casefold())
    return (hash(tuple(words[at : at + RUN])) for at in range(len(words) - RUN + 1))
