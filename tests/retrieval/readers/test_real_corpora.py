"""The publishers' own files: every corpus is read, and recommendations carry the strength their text gives.

Needs a folder of corpora (CLINSEARCH_CORPORA, or shared/data/corpora beside the repository); nothing of
it is quoted here. `graded_recommendations.jsonl` gives a document, which of its graded recommendations in
order, and the grade in the publisher's file: 82 of NGC read from the marks in its text by eye, 18 of USPSTF
from the file's own grade field.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval import CutLimits, Library, add_paths
from retrieval.chunking import CutDocument, cut_document, too_long
from retrieval.readers import Skipped, detect, files_in, why_no_document
from retrieval.token_counts import EstimatedCounter

ROOT = Path(__file__).parents[3]
CORPORA = Path(os.environ.get("CLINSEARCH_CORPORA") or ROOT.parent / "shared" / "data" / "corpora")
LIMITS = CutLimits(EstimatedCounter())
LATER_PART = re.compile(r"\(part (?!1 )\d+ of \d+ of this recommendation\)$")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not CORPORA.is_dir(), reason="real corpora: set CLINSEARCH_CORPORA to the folder that holds them"
    ),
]


def documents(name: str) -> Iterator[CutDocument]:
    """Every document of one corpus file, cut into passages."""
    for file in files_in(CORPORA / name):
        if isinstance(file, Skipped) or why_no_document(file):
            continue
        reader = detect(file)
        assert reader is not None, f"no reader knows {file.name}"
        for item in reader.read(file):
            if not isinstance(item, Skipped):
                yield cut_document(item, LIMITS)


@pytest.fixture(scope="module")
def graded() -> dict[str, CutDocument]:
    """NGC and USPSTF documents by id."""
    return {
        cut.entry.document.id: cut for name in ("ngc_open.tar.xz", "uspstf_2024.json.xz") for cut in documents(name)
    }


def test_recommendations_carry_the_grade_that_was_marked_by_hand(graded: dict[str, CutDocument]) -> None:
    marked = [
        json.loads(line)
        for line in (Path(__file__).parent / "graded_recommendations.jsonl").read_text("utf-8").splitlines()
    ]
    assert len(marked) == 100
    wrong = []
    for mark in marked:
        # A long recommendation is split into parts that all carry its grade; it counts once.
        found = [p for p in graded[mark["document"]].entry.passages if p.strength and not LATER_PART.search(p.text)]
        passage = found[mark["nth"] - 1] if len(found) >= mark["nth"] else None
        if passage is None or (passage.strength, passage.certainty) != (mark["strength"], mark["certainty"]):
            wrong.append((mark, passage and (passage.strength, passage.certainty)))
    assert wrong == []


def test_offsets_give_back_the_text_and_nothing_is_too_long(graded: dict[str, CutDocument]) -> None:
    for cut in graded.values():
        for passage in cut.entry.passages:
            assert passage.start is not None
            assert cut.text[passage.start : passage.end] in passage.text
            assert not too_long(passage, LIMITS), passage.id


@pytest.mark.parametrize(
    ("name", "at_least"),
    [("ngc_open.tar.xz", 116), ("uspstf_2024.json.xz", 90), ("nigeria_stg_2022.tar.xz", 270)],
)
def test_a_corpus_is_read_as_a_whole_and_once(tmp_path: Path, name: str, at_least: int) -> None:
    with Library(tmp_path / "library.sqlite") as library:
        report = next(add_paths([CORPORA / name], library, LIMITS))
        assert (report.documents, report.failed) == (at_least, [])
        assert next(add_paths([CORPORA / name], library, LIMITS)).unchanged
        assert library.summaries()[0].documents == at_least


def test_everything_there_is_read(tmp_path: Path) -> None:
    with Library(tmp_path / "library.sqlite") as library:
        reports = list(add_paths(sorted(CORPORA.iterdir()), library, LIMITS))
    assert [item for report in reports for item in report.failed] == []
    assert all(report.documents for report in reports)
