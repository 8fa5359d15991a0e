"""Fitting the relevance floor: it keeps the answers it is fitted on, and is the same for the same hits."""

from __future__ import annotations

import numpy as np

from eval.relevance import JudgedHit, figures, fit, off_corpus_questions, tolerance_limit


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


def test_there_are_forty_questions_the_corpora_do_not_answer_in_two_halves() -> None:
    questions = off_corpus_questions()
    assert len(questions) == len({question.question for question in questions}) == 40
    assert sum(question.split == "dev" for question in questions) == 20


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
