"""Kept passages: a sentence must not be checked against other words than the model was shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.answers.passages import PASSAGES_FILE, keep_passages, read_passages
from eval.retrieval.errors import OutputError, SetInvalidError, SetMissingError
from retrieval import HybridSearcher

from ..agent.conftest import GOOD, MakeRun


def test_what_was_retrieved_is_kept_once_and_whole(run: MakeRun, searcher: HybridSearcher, tmp_path: Path) -> None:
    made = run(*GOOD)
    keep_passages(tmp_path, [made], searcher)
    kept = read_passages(tmp_path)
    hits = {hit.passage_id for entry in made.retrieval for hit in entry.hits}
    assert set(kept) == hits
    before = (tmp_path / PASSAGES_FILE).stat().st_mtime_ns
    keep_passages(tmp_path, [made], searcher)
    assert (tmp_path / PASSAGES_FILE).stat().st_mtime_ns == before


def test_another_text_than_the_model_was_shown_is_refused(
    run: MakeRun, searcher: HybridSearcher, tmp_path: Path
) -> None:
    made = run(*GOOD)
    keep_passages(tmp_path, [made], searcher)
    file = tmp_path / PASSAGES_FILE
    file.write_text(file.read_text(encoding="utf-8").replace("nitrofurantoin", "something"), encoding="utf-8")
    with pytest.raises(SetInvalidError, match="has changed since it was cited"):
        keep_passages(tmp_path, [made], searcher)


def test_a_passage_that_is_gone_a_damaged_file_and_a_full_disk_are_told(
    run: MakeRun, searcher: HybridSearcher, tmp_path: Path
) -> None:
    made = run(*GOOD)
    entry = made.retrieval[0]
    gone = entry.hits[0].model_copy(update={"passage_id": "starter/gone/1"})
    other = made.model_copy(update={"retrieval": (entry.model_copy(update={"hits": (gone,)}),)})
    with pytest.raises(SetInvalidError, match="not in the index any more"):
        keep_passages(tmp_path, [other], searcher)
    with pytest.raises(SetMissingError):
        read_passages(tmp_path)
    (tmp_path / PASSAGES_FILE).write_text("{", encoding="utf-8")
    with pytest.raises(SetInvalidError, match="cannot be read"):
        read_passages(tmp_path)
    with pytest.raises(OutputError):
        keep_passages(tmp_path / PASSAGES_FILE / "x", [made], searcher)
