"""If these fail, what predicted queries gain is measured on another ranking than the one served."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from eval.retrieval import indexed as indexed_module
from eval.retrieval.indexed import indexed
from eval.retrieval.question_set import QuestionSet
from eval.retrieval.systems import SYSTEMS
from retrieval import ExactBackend, HashingEncoder, PassageId, PredictedQueries

ASKED = "toe suddenly red and hot overnight"


def silent(_stage: str, _done: int, _total: int) -> None:
    pass


def test_a_system_with_predicted_queries_finds_by_them(
    small_set: QuestionSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passage = next(p.id for entry in small_set.entries for p in entry.passages if entry.document.id == "gout-2")
    predicted: PredictedQueries = {passage: ("sudden red hot toe overnight",), PassageId("elsewhere#1"): ("nothing",)}
    monkeypatch.setattr(indexed_module, "read_predicted_queries", lambda: predicted)
    encoder = HashingEncoder()
    with indexed(small_set, tmp_path, encoder=encoder, store=ExactBackend(), report=silent) as found:
        collection = replace(found, adapter=encoder)
        assert SYSTEMS["predicted"](collection).search(ASKED).passages[0] == passage
        assert SYSTEMS["adapted"](collection).search(ASKED).passages[:1] != (passage,)


def test_without_any_they_are_as_the_others(
    small_set: QuestionSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexed_module, "read_predicted_queries", dict)
    encoder = HashingEncoder()
    with indexed(small_set, tmp_path, encoder=encoder, store=ExactBackend(), report=silent) as found:
        collection = replace(found, adapter=encoder)
        assert collection.predicted is None
        for query in small_set.queries:
            assert (
                SYSTEMS["predicted"](collection).search(query.text).passages
                == SYSTEMS["adapted"](collection).search(query.text).passages
            )
