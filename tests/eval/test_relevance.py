"""Fitting the relevance floor: it keeps the answers it is fitted on, and is the same for the same hits."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.relevance import (
    VIGNETTES_FILE,
    JudgedHit,
    as_vignettes,
    figures,
    fit,
    off_corpus_questions,
    tolerance_limit,
)
from eval.retrieval.errors import SetInvalidError
from eval.retrieval.question_set import Query, QuestionSet
from eval.retrieval.sets.guidelines import guideline_questions
from retrieval.relevance import FULL_COVERAGE
from retrieval.tokens import tokenise


def hits(count: int, *, on_subject: bool, seed: int) -> list[JudgedHit]:
    random = np.random.default_rng(seed)
    made = []
    for number in range(count):
        cosine, coverage = random.normal(0.6 if on_subject else 0.3, 0.08), random.uniform(0.2, 0.9)
        features = {"cosine": float(cosine), "cosine_behind_best": 0.1, "coverage": float(coverage)}
        made.append(JudgedHit(f"q{seed}-{number // 5}", features, on_subject, on_subject and number % 5 == 0))
    return made


def test_the_floor_separates_and_keeps_the_answers() -> None:
    own, off = hits(300, on_subject=True, seed=1), hits(100, on_subject=False, seed=2)
    model = fit(own, off, "made-up")
    kept, dropped = figures("own", own, model), figures("off", off, model)
    assert kept.answers_kept is not None
    assert kept.answers_kept >= 0.98
    assert dropped.nothing_shown > 0.3
    assert dropped.answers_kept is None
    assert fit(own, off, "made-up") == model


def test_a_floor_of_nothing_changes_nothing() -> None:
    own = hits(50, on_subject=True, seed=3)
    model = fit(own, hits(50, on_subject=False, seed=4), "made-up").model_copy(update={"floor": 0.0})
    result = figures("own", own, model)
    assert (result.precision_before, result.precision_after, result.shown, result.nothing_shown) == (1.0, 1.0, 5.0, 0.0)


def test_questions_the_corpora_do_not_answer_come_in_two_halves_short_and_as_vignettes() -> None:
    questions = off_corpus_questions()
    assert len(questions) == len({question.question for question in questions}) == 60
    counted = Counter((question.split, question.vignette) for question in questions)
    assert counted == {("dev", False): 20, ("test", False): 20, ("dev", True): 10, ("test", True): 10}


def test_vignettes_are_development_questions_in_more_words_and_keep_their_answers() -> None:
    asked = {question.id: question for question in guideline_questions()}
    names = [json.loads(line)["id"] for line in VIGNETTES_FILE.read_text("utf-8").splitlines()]
    assert len(names) == len(set(names)) == 30
    assert {asked[name].split for name in names} == {"dev"}
    queries = tuple(Query(name, asked[name].question, {"p": 2}) for name in (*names, "ngc-10097-1"))
    told = as_vignettes(QuestionSet("made-up", "", (), queries))
    assert [query.id for query in told.queries] == names
    for query in told.queries:
        assert len(query.text.split()) >= len(asked[query.id].question.split())
        assert len(set(tokenise(query.text))) > 2 * FULL_COVERAGE
        assert query.grades == {"p": 2}


def test_a_damaged_vignette_file_is_named(tmp_path: Path) -> None:
    damaged = tmp_path / "vignettes.jsonl"
    damaged.write_text('{"id": "a"}\n', encoding="utf-8")
    with pytest.raises(SetInvalidError, match="vignettes"):
        as_vignettes(QuestionSet("made-up", "", (), ()), damaged)


def test_the_floor_leaves_out_whole_results_and_never_a_hit_of_one_that_holds_something() -> None:
    model = fit(hits(300, on_subject=True, seed=1), hits(100, on_subject=False, seed=2), "made-up")
    near, far = hits(5, on_subject=True, seed=7), hits(5, on_subject=False, seed=8)
    far = [replace(hit, features={"cosine": 0.0, "cosine_behind_best": 0.5, "coverage": 0.0}) for hit in far]
    mixed = [*near[:1], *(replace(hit, query=near[0].query) for hit in far[:4])]
    assert figures("mixed", mixed, model).shown == 5
    assert figures("far", far, model).shown == 0


def test_the_tolerance_factor_lies_between_the_published_ones_of_the_shares_beside_it() -> None:
    """Handbook 91, table A-7: for n = 50 and confidence 0.95, 2.863 for a share of 0.99 and 3.766 for 0.999."""
    logits = np.random.default_rng(5).normal(0.0, 1.0, 50)
    limit = tolerance_limit(1 / (1 + np.exp(-logits)))
    factor = (logits.mean() - np.log(limit / (1 - limit))) / logits.std(ddof=1)
    assert 2.863 < factor < 3.766


def test_the_limit_holds_its_promise_on_samples_of_its_kind() -> None:
    random = np.random.default_rng(6)
    below = []
    for _ in range(400):
        limit = tolerance_limit(1 / (1 + np.exp(-random.normal(1.0, 0.7, 110))))
        below.append(float(np.mean(random.normal(1.0, 0.7, 2000) < np.log(limit / (1 - limit)))))
    assert np.mean(np.array(below) > 0.005) < 0.08
