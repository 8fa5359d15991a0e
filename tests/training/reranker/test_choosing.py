"""If these fail, the adapter is kept, or weighed, by another ranking than the one that is served."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval import RerankSettings, RerankStage, ScriptedReranker
from training.questionset import LibraryWords
from training.reranker.choosing import (
    WEIGHTS,
    DevQuestion,
    best_weight,
    candidate_scores,
    dev_questions,
    reciprocal_ranks,
)
from training.reranker.lines import read_lines, write_lines

from .conftest import NAMES, asked, with_hits


class FixedReranker:
    """Scores given beforehand, by passage."""

    name = "fixed"
    fingerprint = "fixed-1"

    def __init__(self, scores: dict[str, float]) -> None:
        self._scores = scores

    def score(self, query: str, passages: Sequence[str]) -> list[float]:
        """See `Reranker.score`."""
        return [self._scores[passage] for passage in passages]


@pytest.fixture(scope="module")
def questions(words: LibraryWords) -> tuple[DevQuestion, ...]:
    ids = [f"pages/{number}#0" for number in range(len(NAMES))]
    mined = [
        *(with_hits(asked(f"{name} and tea", ids[n], part="dev"), ids) for n, name in enumerate(NAMES)),
        with_hits(asked("nothing answers", origin="real", part="dev"), ids),
        with_hits(asked("trained on", ids[0]), ids),
    ]
    return dev_questions(mined, words, 5)


def test_questions_with_an_answer_keep_their_first_candidates(
    questions: tuple[DevQuestion, ...], words: LibraryWords, tmp_path: Path
) -> None:
    assert [one.asked.question for one in questions] == [f"{name} and tea" for name in NAMES]
    assert all(len(one.passages) == len(one.first) == len(one.texts) == 5 for one in questions)
    assert NAMES[1] in questions[0].texts[1]
    write_lines(tmp_path / "dev.jsonl", questions)
    assert read_lines(tmp_path / "dev.jsonl", DevQuestion) == questions


def test_without_the_stage_the_first_order_counts_and_what_is_not_found_counts_as_nothing(
    questions: tuple[DevQuestion, ...],
) -> None:
    scores = candidate_scores(questions, ScriptedReranker())
    assert reciprocal_ranks(questions, scores, 0.0) == (1, 1 / 2, 1 / 3, 1 / 4, 1 / 5, 0, 0, 0)


def test_the_weight_that_serves_best_is_chosen_and_the_smallest_of_equals(questions: tuple[DevQuestion, ...]) -> None:
    weight, mean = best_weight(questions, candidate_scores(questions, ScriptedReranker()))
    assert mean == 5 / 8  # every answer among the candidates stands first
    smaller = [other for other in WEIGHTS if other < weight]
    scores = candidate_scores(questions, ScriptedReranker())
    assert all(sum(reciprocal_ranks(questions, scores, other)) / 8 < mean for other in smaller)
    same = candidate_scores(questions, FixedReranker({text: 1.0 for one in questions for text in one.texts}))
    assert best_weight(questions, same)[0] == 0


def test_a_question_that_found_nothing_counts_as_nothing(questions: tuple[DevQuestion, ...]) -> None:
    nothing = questions[0].model_copy(update={"passages": (), "first": (), "texts": ()})
    assert reciprocal_ranks([nothing], ((),), 1.0) == (0,)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(-9, 9)), min_size=2, max_size=8), st.sampled_from(WEIGHTS), st.data()
)
def test_candidates_are_ordered_as_the_stage_orders_them(
    pairs: list[tuple[float, float]], weight: float, data: st.DataObject
) -> None:
    first = tuple(sorted((one for one, _ in pairs), reverse=True))
    ids = tuple(f"p#{number}" for number in range(len(pairs)))
    gold = data.draw(st.sampled_from(ids))
    question = DevQuestion.model_validate(
        {"asked": asked("?!", gold, part="dev"), "passages": ids, "first": first, "texts": ids}
    )
    reranker = FixedReranker(dict(zip(ids, (score for _, score in pairs), strict=True)))
    stage = RerankStage(reranker, RerankSettings(weight=weight, deadline_ms=60_000))
    order = stage.order("?!", ids, first).order
    stage.close()
    (found,) = reciprocal_ranks([question], candidate_scores([question], reranker), weight)
    assert found == 1 / (1 + [ids[at] for at in order].index(gold))
