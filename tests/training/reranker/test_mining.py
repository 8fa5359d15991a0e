"""If these fail, a stopped run searches again for hours, or mixes hits of two searches."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval import CorpusEntry, HybridSearcher, SearchRequest, SearchResult
from retrieval import memory_searcher as searcher_of
from training.reranker import CheckpointError
from training.reranker.mining import mine

from .conftest import NAMES, asked

_QUESTIONS = [asked(f"tea for {name}", f"pages/{number}#0") for number, name in enumerate(NAMES)]


class StoppedError(Exception):
    """The run was stopped."""


class Counting:
    """A searcher that stops after some searches."""

    def __init__(self, searcher: HybridSearcher, most: int) -> None:
        self._searcher, self._left = searcher, most
        self.index_version = searcher.index_version
        self.asked: list[SearchRequest] = []

    def search(self, request: SearchRequest) -> SearchResult:
        """See `Searcher.search`."""
        if not self._left:
            raise StoppedError
        self._left -= 1
        self.asked.append(request)
        return self._searcher.search(request)


def test_a_stopped_run_goes_on_where_it_was(searcher: HybridSearcher, tmp_path: Path) -> None:
    whole = mine(_QUESTIONS, searcher, tmp_path / "whole.jsonl", 5)
    assert [one.question for one in whole] == _QUESTIONS
    assert all(len(one.hits) == 5 for one in whole)
    assert all(one.hits[0][0].startswith(one.question.gold[0].split("#")[0]) for one in whole)
    path = tmp_path / "hits.jsonl"
    with pytest.raises(StoppedError):
        mine(_QUESTIONS, Counting(searcher, 3), path, 5)  # type: ignore[arg-type]
    with path.open("a") as file:
        file.write('{"question": {"quest')  # killed in the middle of a line
    rest = Counting(searcher, 99)
    assert mine(_QUESTIONS, rest, path, 5) == whole  # type: ignore[arg-type]
    assert len(rest.asked) == len(_QUESTIONS) - 3
    assert path.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_each_question_is_searched_in_its_source_alone(searcher: HybridSearcher, tmp_path: Path) -> None:
    counting = Counting(searcher, 1)
    mine(_QUESTIONS[:1], counting, tmp_path / "hits.jsonl", 5)  # type: ignore[arg-type]
    (request,) = counting.asked
    assert (request.queries, request.filters.source, request.limit) == ((_QUESTIONS[0].question,), "guidelines", 5)


def test_hits_of_other_questions_another_index_or_damaged_ones_are_refused(
    searcher: HybridSearcher, entries: list[CorpusEntry], tmp_path: Path
) -> None:
    path = tmp_path / "hits.jsonl"
    mine(_QUESTIONS[:2], searcher, path, 5)
    for other in ([*_QUESTIONS[1:]], _QUESTIONS[:1]):
        with pytest.raises(CheckpointError, match="other questions or another index"):
            mine(other, searcher, path, 5)
    with pytest.raises(CheckpointError, match="other questions or another index"):
        mine(_QUESTIONS, searcher_of(entries[:5]), path, 5)
    path.write_text("{}\n")
    with pytest.raises(CheckpointError, match="cannot be read"):
        mine(_QUESTIONS, searcher, path, 5)
