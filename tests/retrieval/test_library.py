"""If these fail, added guidelines are lost, doubled, or come back after they were removed."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval import CutLimits, DocumentId, EstimatedCounter, Library, SourceId, add_paths, memory_searcher
from retrieval.readers import reader_named

LIMITS = CutLimits(EstimatedCounter())
PAGE = """---
id: example/asthma
title: Asthma
publisher: Example Institute
region: GB
published: 2024-05-01
---
# Treatment

Give salbutamol through a spacer. (Strong for)

| Drug | Dose |
| --- | --- |
| Salbutamol | 100 micrograms |
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pack"
    made.mkdir()
    (made / "asthma.md").write_text(PAGE, "utf-8")
    (made / "page.html").write_text(
        "<html><head><title>Gout</title></head><body><nav>Menu</nav><main><h1>Gout</h1>"
        "<p>Offer colchicine for a flare.</p></main></body></html>",
        "utf-8",
    )
    (made / "codes.jsonl").write_text(
        '{"id": "c/1", "title": "Fever", "source": "patient_information", "text": "Fever is common."}\nnot json\n',
        "utf-8",
    )
    return made


def test_added_documents_are_searched_with_what_they_say_of_themselves(tmp_path: Path, folder: Path) -> None:
    with Library(tmp_path / "l.sqlite") as library:
        (report,) = add_paths([folder], library, LIMITS)
        assert (report.documents, report.changed, report.failed) == (3, 3, [])
        assert [item.name for item in report.skipped] == ["pack/codes.jsonl line 2"]
        searcher = memory_searcher(library.entries())
        assert {source.id for source in searcher.sources} == {"guidelines", "patient_information"}
        (asthma,) = [entry for entry in library.entries() if entry.document.id == "example/asthma"]
        assert asthma.document.published == "2024-05-01"
        text = library.text(DocumentId("example/asthma"))
        assert text is not None
        for passage in asthma.passages:
            assert text[passage.start : passage.end] in passage.text
        assert [passage.strength for passage in asthma.passages] == ["Strong for", None]
        assert SourceId("codes") not in {source.id for source in searcher.sources}


def test_adding_again_changes_nothing_and_an_edit_replaces_passages(tmp_path: Path, folder: Path) -> None:
    with Library(tmp_path / "l.sqlite") as library:
        list(add_paths([folder], library, LIMITS))
        before = list(library.entries())
        assert next(add_paths([folder], library, LIMITS)).unchanged
        assert list(library.entries()) == before
        (folder / "asthma.md").write_text(PAGE.replace("salbutamol", "terbutaline"), "utf-8")
        assert next(add_paths([folder], library, LIMITS)).changed == 1
        assert len(list(library.entries())) == 3


def test_what_is_removed_comes_back_only_when_it_is_added_again(tmp_path: Path, folder: Path) -> None:
    with Library(tmp_path / "l.sqlite") as library:
        list(add_paths([folder], library, LIMITS))
        assert library.remove("example/asthma") == 1
        assert library.summaries()[0].documents == 2
        assert next(add_paths([folder], library, LIMITS)).changed == 1
        assert library.remove("pack") == 3
        assert library.remove("pack") == 0
        assert library.summaries() == ()


def test_a_named_reader_reads_what_has_another_name(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("# Notes\n\nText.", "utf-8")
    with Library(tmp_path / "l.sqlite") as library:
        assert next(add_paths([tmp_path / "notes.txt"], library, LIMITS)).failed
        (report,) = add_paths([tmp_path / "notes.txt"], library, LIMITS, reader=reader_named("markdown"))
        assert report.documents == 1
