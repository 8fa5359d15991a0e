"""If these fail, added guidelines are lost, doubled, or come back after they were removed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from retrieval import (
    CutLimits,
    DocumentId,
    EstimatedCounter,
    Library,
    SourceId,
    StatedMetadata,
    add_paths,
    memory_searcher,
)
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


def stored(library: Library) -> dict[str, str]:
    return {str(entry.document.id): entry.passages[0].text for entry in library.entries()}


def same_names(tmp_path: Path) -> tuple[Path, Path]:
    """Two files of one name in two folders, whose reader takes the name for the id."""
    paths = tmp_path / "who" / "guideline.html", tmp_path / "nice" / "guideline.html"
    for path in paths:
        path.parent.mkdir()
        path.write_text(f"<html><body><h1>Gout</h1><p>Advice of {path.parent.name}.</p></body></html>", "utf-8")
    return paths


@pytest.mark.parametrize("noted", [True, False], ids=["origins", "library-from-before"])
def test_a_file_does_not_replace_another_that_happens_to_have_its_id(tmp_path: Path, noted: bool) -> None:
    who, nice = same_names(tmp_path)
    with Library(tmp_path / "l.sqlite") as library:
        (first,) = add_paths([who], library, LIMITS)
        held = stored(library)
        if not noted:
            with closing(sqlite3.connect(tmp_path / "l.sqlite")) as raw:
                raw.execute("DELETE FROM origins")
                raw.commit()
        for _ in range(2):
            (second,) = add_paths([nice], library, LIMITS)
            assert (first.documents, second.documents) == (1, 0)
            (refused,) = second.failed
            assert refused.name == "guideline.html"
            assert who.as_posix() in refused.why
            assert "--replace" in refused.why
            assert stored(library) == held
        who.write_text(who.read_text("utf-8").replace("Advice", "Newer advice"), "utf-8")
        (updated,) = add_paths([who], library, LIMITS)
        assert (updated.changed, updated.failed) == (1, [])
        assert next(add_paths([who], library, LIMITS)).unchanged


def test_another_file_takes_the_place_of_a_document_when_told_to(tmp_path: Path) -> None:
    who, nice = same_names(tmp_path)
    with Library(tmp_path / "l.sqlite") as library:
        list(add_paths([who], library, LIMITS))
        (report,) = add_paths([nice], library, LIMITS, replace=True)
        assert (report.changed, report.failed) == (1, [])
        assert "nice" in str(stored(library))
        assert next(add_paths([who], library, LIMITS)).failed, "not called unchanged while the other is held"
        assert library.remove("guideline") == 1
        assert not next(add_paths([who], library, LIMITS)).failed


def test_a_file_may_be_added_by_itself_with_its_folder_moved_and_copied(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Library(tmp_path / "l.sqlite") as library:
        list(add_paths([folder], library, LIMITS))
        (folder / "asthma.md").write_text(PAGE.replace("salbutamol", "terbutaline"), "utf-8")
        assert next(add_paths([folder / "asthma.md"], library, LIMITS)).changed == 1
        (folder / "asthma.md").write_text(PAGE, "utf-8")
        monkeypatch.chdir(folder)
        assert next(add_paths([Path()], library, LIMITS)).changed == 1
        (folder / "asthma.md").rename(folder / "breath.md")
        (folder / "breath.md").write_text(PAGE.replace("salbutamol", "formoterol"), "utf-8")
        assert next(add_paths([folder], library, LIMITS)).changed == 1
        copied = tmp_path / "copied.md"
        copied.write_bytes((folder / "breath.md").read_bytes())
        assert not next(add_paths([copied], library, LIMITS)).failed
        (folder / "breath.md").write_text(PAGE, "utf-8")
        assert not next(add_paths([folder], library, LIMITS)).failed
        assert len(stored(library)) == 3


def test_what_is_stated_of_a_file_and_of_its_folder_holds_whichever_is_added(tmp_path: Path, folder: Path) -> None:
    def said(library: Library) -> dict[str, tuple[str | None, str]]:
        return {str(e.document.id): (e.document.review_by, e.document.region) for e in library.entries()}

    page, text = folder / "asthma.md", PAGE
    with Library(tmp_path / "l.sqlite") as library:
        list(add_paths([folder], library, LIMITS, stated=StatedMetadata(region="FR", review_by="2031")))
        list(add_paths([page], library, LIMITS, stated=StatedMetadata(review_by="2020")))
        for given in (folder, page, folder):
            text += "\nMore.\n"
            page.write_text(text, "utf-8")
            assert next(add_paths([given], library, LIMITS)).changed == 1
            assert said(library)["example/asthma"] == ("2020", "FR")
            assert said(library)["c/1"] == ("2031", "FR")
