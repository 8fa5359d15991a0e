"""If these fail, lexical search ranks by something other than BM25."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rank_bm25 import BM25Okapi

from retrieval.bm25 import Bm25Statistics, SparseTerms, term_id, term_ids

WORDS = [f"word{n}" for n in range(12)]
passages = st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=15), min_size=2, max_size=8)
queries = st.lists(st.sampled_from([*WORDS, "unseen"]), min_size=1, max_size=6)
parameters = st.tuples(st.floats(0.5, 2.5), st.floats(0.0, 1.0))


def scores(collection: list[list[str]], query: list[str], k1: float, b: float) -> list[float]:
    bags = [term_ids(passage) for passage in collection]
    statistics = Bm25Statistics.of(bags, k1=k1, b=b)
    weights = statistics.query_weights(term_ids(query))
    return [dot(weights, statistics.passage_weights(bag)) for bag in bags]


def dot(left: SparseTerms, right: SparseTerms) -> float:
    values = dict(zip(right.indices, right.values, strict=True))
    return sum(value * values.get(index, 0.0) for index, value in zip(left.indices, left.values, strict=True))


@given(passages, queries, parameters)
def test_dot_product_is_bm25s_lucene(collection: list[list[str]], query: list[str], k1_b: tuple[float, float]) -> None:
    k1, b = k1_b
    oracle = bm25s.BM25(method="lucene", k1=k1, b=b, dtype="float64")
    oracle.index(collection, show_progress=False)
    known = [word for word in query if any(word in passage for passage in collection)]
    expected = oracle.get_scores(known) if known else np.zeros(len(collection))
    np.testing.assert_allclose(scores(collection, query, k1, b), expected, rtol=1e-6, atol=1e-9)


@given(passages, queries, parameters)
def test_dot_product_is_rank_bm25_with_lucenes_idf(
    collection: list[list[str]], query: list[str], k1_b: tuple[float, float]
) -> None:
    """rank-bm25 keeps the constant factor k1 + 1 and another idf; both are put right before comparing."""
    k1, b = k1_b
    oracle = BM25Okapi(collection, k1=k1, b=b)
    statistics = Bm25Statistics.of([term_ids(passage) for passage in collection])
    oracle.idf = {word: statistics.idf(term_id(word)) for word in WORDS}
    expected = oracle.get_scores(query) / (k1 + 1)
    np.testing.assert_allclose(scores(collection, query, k1, b), expected, rtol=1e-9, atol=1e-12)


def test_a_worked_example_by_hand() -> None:
    """N = 2, df = 1, tf = 2, |d| = 3, avgdl = 2, k1 = 1.2, b = 0.75."""
    idf = np.log(1 + (2 - 1 + 0.5) / (1 + 0.5))
    expected = idf * 2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2))
    assert scores([["a", "a", "b"], ["b"]], ["a"], 1.2, 0.75) == [pytest.approx(expected), 0.0]


def test_a_repeated_query_word_counts_twice() -> None:
    once = scores([["a", "b"], ["b"]], ["a"], 1.2, 0.75)[0]
    assert scores([["a", "b"], ["b"]], ["a", "a"], 1.2, 0.75)[0] == pytest.approx(2 * once)


def test_term_numbers_never_change() -> None:
    """They are stored in indexes: another hash would make every old index find nothing."""
    assert [term_id("amoxicillin"), term_id("500"), term_id("高血")] == [2088957267, 1560519875, 9157276]


def test_statistics_survive_saving(tmp_path: Path) -> None:
    statistics = Bm25Statistics.of([term_ids(["a", "b", "b"]), term_ids(["b"])], k1=1.4, b=0.6)
    statistics.save(tmp_path / "statistics.npz")
    assert Bm25Statistics.load(tmp_path / "statistics.npz") == statistics


def test_passages_without_terms_do_not_divide_by_zero() -> None:
    empty: Iterator[str] = iter(())
    statistics = Bm25Statistics.of([term_ids(empty)])
    assert statistics.passage_weights(term_ids([])).indices == ()
    assert statistics.query_weights(term_ids(["a"])).indices == ()
