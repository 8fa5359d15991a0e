"""If these fail, training the query adapter starts on the wrong thing, or ends in a traceback instead of a sentence."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from retrieval import PassageId
from service.cli import app
from service.cli.train_queries import searched
from service.settings import Settings
from training.query_adapter import Pool
from training.reranker import RankedQuestion, TrainingDataError


def run(folder: Path, **places: str) -> tuple[int, str]:
    env = {"CLINSEARCH_DATA_DIR": str(folder / "var"), "CLINSEARCH_ENCODER": "minilm", **places}
    result = CliRunner().invoke(app, ["train", "queries", "--folder", str(folder / "run")], env=env)
    assert not (folder / "run").exists()
    return result.exit_code, result.stderr


def test_a_config_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "small.toml"
    config.write_text("temperature = 0")
    result = CliRunner().invoke(app, ["train", "queries", "--config", str(config)])
    assert result.exit_code == 1
    assert "In the config small.toml, temperature:" in result.stderr


def test_it_is_trained_for_one_encoder(tmp_path: Path) -> None:
    code, told = run(tmp_path, CLINSEARCH_ENCODER="hashing")
    assert code == 1
    assert "set CLINSEARCH_ENCODER=minilm" in told


def test_without_the_sets_to_keep_apart_from_nothing_is_trained(tmp_path: Path) -> None:
    code, told = run(tmp_path, CLINSEARCH_BENCHMARKS=str(tmp_path))
    assert code == 1
    assert "kept apart from what is not there: k_qa_with_answers.jsonl.xz" in told


def test_without_the_real_questions_nothing_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.cli.training_material.evaluated_sets", lambda _folder: ([], []))
    code, told = run(tmp_path, CLINSEARCH_QUESTIONS=str(tmp_path))
    assert code == 1
    assert "put the publisher's file there" in told


class Found:
    """A search that always finds the same passages."""

    def __init__(self, *names: str, reranked: bool = True) -> None:
        self._hits = [SimpleNamespace(passage=SimpleNamespace(id=PassageId(name))) for name in names]
        self._reranked = reranked
        self.settings: Settings | None = None

    def open(self, settings: Settings) -> Found:
        self.settings = settings
        return self

    def search(self, _request: Any) -> Any:
        return SimpleNamespace(hits=self._hits, reranked=self._reranked)

    def wait_for_reranker(self) -> None: ...

    def close(self) -> None: ...


POOL = Pool(
    [PassageId(name) for name in ("a#1", "a#2", "b#1")],
    ["tea", "coffee", "tea"],
    np.eye(3, dtype=np.float32),
    np.ones(3, dtype=np.bool_),
)
ASKED = RankedQuestion.model_validate(
    {"question": "tea?", "gold": ["a#1"], "source": "guidelines", "origin": "case", "part": "dev"}
)


def test_what_is_kept_is_judged_by_where_the_search_puts_an_answer_or_one_of_its_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for names, expected in ((("a#1",), 1.0), (("a#2", "b#1"), 0.5), (("a#2",), 0.0)):
        found = Found(*names)
        monkeypatch.setattr("service.cli.train_queries.open_batch_searcher", found.open)
        assert searched(tmp_path, [ASKED], POOL, Settings(adapted_query_sources=())) == expected
        assert found.settings is not None
        assert (found.settings.query_adapter, found.settings.adapted_query_sources) == (tmp_path, ("guidelines",))


def test_a_search_that_was_not_reranked_judges_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("service.cli.train_queries.open_batch_searcher", Found("a#1", reranked=False).open)
    with pytest.raises(TrainingDataError, match="with the reranker on"):
        searched(tmp_path, [ASKED], POOL, Settings())
