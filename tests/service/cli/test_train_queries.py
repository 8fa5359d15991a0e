"""If these fail, training the query adapter starts on the wrong thing, or ends in a traceback instead of a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app


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
