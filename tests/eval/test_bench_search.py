"""If these fail, `make bench` prints figures that compare different things."""

from __future__ import annotations

import pytest

from eval.bench_search import GOAL_RATIO, Latency, SearchBench, format_table, run_search_bench


def test_both_sides_find_the_same_passages() -> None:
    lines: list[str] = []
    bench = run_search_bench(passages=600, queries=20, log=lines.append)
    assert bench.bm25_agreement > 0.98
    assert bench.dense_agreement > 0.98
    assert 0 < bench.hybrid.p50 <= bench.hybrid.p95
    assert lines


def test_the_table_says_whether_the_goal_is_met() -> None:
    def table(baseline: float, load: float = 0.1) -> str:
        return format_table(SearchBench(50_000, 200, Latency(1, 2), Latency(baseline, 50), 1, 1, 1, 1, load))

    assert ": met" in table(GOAL_RATIO)
    assert "NOT met" in table(GOAL_RATIO - 1)
    assert "query encoding" in table(20)
    assert "busy" in table(20, load=2.0)
    assert "busy" not in table(20)


def test_sizes_too_small_to_mean_anything_are_refused() -> None:
    with pytest.raises(ValueError, match="at least"):
        run_search_bench(passages=10, queries=200)
