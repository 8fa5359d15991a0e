"""If these fail, `make bench` prints figures of something else than the product's search."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.bench_scale import format_scale, run_scale_bench
from eval.bench_scale_data import collection, common_filters, questions
from retrieval import HashingEncoder


@pytest.mark.slow
def test_a_run_searches_with_every_filter_and_says_what_it_searched(tmp_path: Path) -> None:
    encoder = HashingEncoder(64)
    bench = run_scale_bench(900, data=tmp_path, vectors=tmp_path / "vectors", encoder=encoder, repeats=1)
    assert bench.made.passages >= 900
    assert bench.made.copies > 0
    assert set(bench.search.times) == set(bench.matching) == set(bench.recall)
    assert 0 < bench.matching["region and date"] < bench.matching["none"] < bench.made.passages
    # A collection of this size is searched exactly.
    assert list(bench.recall.values()) == pytest.approx([1.0] * 3)
    table = format_scale(bench)
    assert "copies" in table
    assert "region and date" in table
    assert "goals" not in table  # they are for the sizes they were set for


def test_a_copy_has_words_and_a_vector_of_its_own(tmp_path: Path) -> None:
    made = collection(800, tmp_path, tmp_path / "vectors", HashingEncoder(32))
    texts = [passage.text for entry in made.entries for passage in entry.passages]
    ids = [passage.id for entry in made.entries for passage in entry.passages]
    assert len(set(ids)) == len(ids)
    assert len(set(texts)) > 0.99 * len(texts)
    assert any(entry.document.supersedes for entry in made.entries)


def test_the_filters_name_a_region_and_a_date(tmp_path: Path) -> None:
    filters = common_filters(collection(300, tmp_path, tmp_path / "vectors", HashingEncoder(32)).entries)
    assert filters.regions
    assert filters.published_from


def test_questions_come_from_a_file_or_from_the_project(tmp_path: Path) -> None:
    file = tmp_path / "questions.txt"
    file.write_text("First?\n\n Second? \n", encoding="utf-8")
    assert questions(file) == ["First?", "Second?"]
    assert len(questions(None)) > 20
