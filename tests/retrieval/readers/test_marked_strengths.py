"""Recommendations carry the strength that their text gives, and none where it gives none.

`marked_strengths.jsonl` holds passages of the publishers' own files, drawn at random and marked by reading
the text before any reader was run on them: document, a fingerprint of the first words (SHA-256, 16 digits,
of at most 24 words), and the strength the text gives or "none". Sample 1 is 45 of NGC over all its guidelines,
15 of NGC guidelines with schemes of their own, 40 of USPSTF; sample 2, drawn later, is 50 of NGC whose words could be
taken for a grade and 50 with something like a grade in brackets. Nothing of the text is quoted.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

import pytest

from retrieval import CutLimits, EstimatedCounter, Library, add_paths
from retrieval.chunking import cut_document
from retrieval.documents import Passage
from retrieval.readers import Skipped, detect, files_in, why_no_document

SHARED = Path(__file__).parents[3].parent / "shared" / "data"
CORPORA = Path(os.environ.get("CLINSEARCH_CORPORA") or SHARED / "corpora")
NFCORPUS = CORPORA.parent / "benchmarks" / "nfcorpus_dev.tar.xz"
LIMITS = CutLimits(EstimatedCounter())
MARKS = [
    json.loads(line) for line in (Path(__file__).parent / "marked_strengths.jsonl").read_text("utf-8").splitlines()
]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z]+|[0-9]+", text.lower())


def holds(passage: Passage, fingerprint: str, count: int) -> bool:
    found = words(passage.text)
    return any(
        hashlib.sha256(" ".join(found[start : start + count]).encode()).hexdigest()[:16] == fingerprint
        for start in range(len(found) - count + 1)
    )


@pytest.fixture(scope="module")
def passages() -> dict[str, tuple[Passage, ...]]:
    if not CORPORA.is_dir():
        pytest.skip("real corpora: set CLINSEARCH_CORPORA to the folder that holds them")
    wanted = {mark["document"] for mark in MARKS}
    found = {}
    for name in ("ngc_open.tar.xz", "uspstf_2024.json.xz"):
        for file in files_in(CORPORA / name):
            if isinstance(file, Skipped) or why_no_document(file):
                continue
            reader = detect(file)
            assert reader is not None
            for item in reader.read(file):
                if not isinstance(item, Skipped) and item.document.id in wanted:
                    found[str(item.document.id)] = cut_document(item, LIMITS).entry.passages
    return found


@pytest.mark.slow
@pytest.mark.parametrize("sample", [1, 2])
def test_at_least_nine_in_ten_carry_the_strength_their_text_gives_and_none_is_false(
    passages: dict[str, tuple[Passage, ...]], sample: int
) -> None:
    given, right, false = 0, 0, []
    marks = [mark for mark in MARKS if mark["sample"] == sample]
    assert len(marks) == 100
    for mark in marks:
        lifted = {
            passage.strength.lower()
            for passage in passages[mark["document"]]
            if passage.strength and holds(passage, mark["fingerprint"], mark["words"])
        }
        stated = {mark["strength"].lower()} - {"none"}
        given += bool(stated)
        right += bool(stated) and lifted == stated
        if lifted - stated:
            false.append((mark, lifted))
    assert right >= 0.9 * given
    assert false == []


@pytest.mark.slow
@pytest.mark.skipif(not NFCORPUS.is_file(), reason="real benchmarks: the folder that holds them is not here")
def test_nfcorpus_in_the_beir_layout_is_added_whole_and_its_questions_are_left_out(tmp_path: Path) -> None:
    (docs,) = [file for file in files_in(NFCORPUS) if not isinstance(file, Skipped) and file.path.name == "dev.docs"]
    rows = [line.split("\t", 1) for line in docs.text().splitlines() if "\t" in line]
    folder = tmp_path / "nfcorpus"
    (folder / "qrels").mkdir(parents=True)
    lines = [json.dumps({"_id": row[0], "title": "", "text": row[1], "metadata": {}}) for row in rows]
    (folder / "corpus.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q1", "text": "fibre"}), "utf-8")
    (folder / "qrels" / "dev.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tx\t1\n", "utf-8")
    with Library(tmp_path / "library.sqlite") as library:
        (report,) = add_paths([folder], library, LIMITS)
        ids = {str(entry.document.id) for entry in library.entries()}
    assert (report.documents, report.failed) == (len(rows), [])
    assert ids == {f"beir/nfcorpus/{row[0]}" for row in rows}
    assert {Path(item.name).name for item in report.skipped} == {"queries.jsonl", "dev.tsv"}
