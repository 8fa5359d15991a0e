"""How much of what was learnt is kept, and how much it weighs: chosen on development questions over the built index.

Every candidate is scored once for each share and then ordered with each weight, by the rule of the rerank stage.
Candidates are the first hits of any kind, not those that the stage takes. A question whose answer is
not among the candidates counts as 0 whatever the order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from eval.retrieval.measures import reciprocal_rank
from retrieval import PassageId, Reranker
from retrieval.reranking import mixed_order
from training.questionset import LibraryWords
from training.reranker.dataset import passage_text
from training.reranker.mining import Mined
from training.reranker.questions import RankedQuestion

#: The weights that are tried; 0 leaves the first order.
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)

#: Scores of the candidates of each question.
Scores = tuple[tuple[float, ...], ...]


class DevQuestion(BaseModel):
    """A question of the development part with the first candidates of the search, best first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asked: RankedQuestion
    passages: tuple[PassageId, ...]
    #: The search's scores.
    first: tuple[float, ...]
    #: As the reranker reads them.
    texts: tuple[str, ...]


def dev_questions(mined: Iterable[Mined], words: LibraryWords, candidates: int) -> tuple[DevQuestion, ...]:
    """Those of the part `dev` that have an answer.

    Raises:
        TrainingDataError: the index that was searched holds a passage that the library does not.
    """
    return tuple(
        DevQuestion(
            asked=one.question,
            passages=tuple(id for id, _ in one.hits[:candidates]),
            first=tuple(score for _, score in one.hits[:candidates]),
            texts=tuple(passage_text(words, id) for id, _ in one.hits[:candidates]),
        )
        for one in mined
        if one.question.part == "dev" and one.question.gold
    )


def candidate_scores(
    questions: Sequence[DevQuestion],
    reranker: Reranker,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> Scores:
    """The reranker's score of every candidate.

    Raises:
        RerankerError: the model could not be loaded or failed.
    """
    found = []
    for number, one in enumerate(questions, start=1):
        found.append(tuple(reranker.score(one.asked.question, one.texts)))
        report(number, len(questions))
    return tuple(found)


def reciprocal_ranks(questions: Sequence[DevQuestion], scores: Scores, weight: float) -> tuple[float, ...]:
    """1 / rank of the first answer among the candidates as the stage orders them with this weight; 0 for none."""
    found = []
    for one, own in zip(questions, scores, strict=True):
        ranking = [one.passages[at] for at in mixed_order(one.first, dict(enumerate(own)), weight)]
        found.append(reciprocal_rank(ranking, frozenset(one.asked.gold), max(1, len(ranking))))
    return tuple(found)


def best_weight(questions: Sequence[DevQuestion], scores: Scores) -> tuple[float, float]:
    """The weight of the best mean reciprocal rank, the smallest of equal ones, and that mean."""
    sums = {weight: math.fsum(reciprocal_ranks(questions, scores, weight)) for weight in WEIGHTS}
    best = max(WEIGHTS, key=lambda weight: (sums[weight], -weight))
    return best, sums[best] / len(questions)
