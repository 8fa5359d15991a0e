"""If these fail, the exact scores of candidates are another formula than the BM25 that found them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.bm25 import Bm25Statistics, term_ids
from retrieval.term_table import TermTable

WORDS = st.lists(st.sampled_from(["fever", "child", "dose", "500", "renal", "gout"]), max_size=12)


def rows_of(*numbers: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array(numbers, dtype=np.int64)


@given(st.lists(WORDS, min_size=1, max_size=8), WORDS)
def test_scores_are_those_of_bm25_over_their_bound(bags: list[list[str]], query: list[str]) -> None:
    table = TermTable.of(bags)
    statistics = Bm25Statistics.of([term_ids(bag) for bag in bags])
    asked = statistics.query_weights(term_ids(query))
    bound = sum(asked.values)
    found = table.scores(table.query(query), rows_of(*range(len(bags))))
    for bag, score in zip(bags, found.tolist(), strict=True):
        held = statistics.passage_weights(term_ids(bag))
        weights = dict(zip(held.indices, held.values, strict=True))
        expected = sum(value * weights.get(term, 0.0) for term, value in zip(asked.indices, asked.values, strict=True))
        assert score == pytest.approx(expected / bound if bound else 0.0, abs=1e-3)  # weights are held in 16 bits
        assert 0 <= score < 1


def test_rows_may_be_asked_in_any_order_and_be_empty() -> None:
    table = TermTable.of([["gout"], [], ["gout", "fever"]])
    query = table.query(["gout"])
    both = table.scores(query, rows_of(2, 1, 0))
    assert both[1] == 0
    assert both[2] == table.scores(query, rows_of(0))[0] > both[0] > 0
    assert table.scores(query, rows_of()).shape == (0,)


def test_a_saved_table_scores_alike(tmp_path: Path) -> None:
    table = TermTable.of([["gout", "dose"], ["fever"]])
    table.save(tmp_path / "words")
    loaded = TermTable.load(tmp_path / "words")
    rows = rows_of(0, 1)
    assert loaded.scores(loaded.query(["gout"]), rows).tolist() == table.scores(table.query(["gout"]), rows).tolist()
