"""If these fail, training starts on the wrong thing, or ends in a traceback instead of a sentence."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from service.cli import app


def test_a_config_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "small.toml"
    config.write_text("rank = 0")
    result = CliRunner().invoke(app, ["train", "reranker", "--config", str(config)])
    assert result.exit_code == 1
    assert "In the config small.toml, rank:" in result.stderr


def test_without_the_sets_to_keep_apart_from_nothing_is_trained(tmp_path: Path) -> None:
    places = {"CLINSEARCH_BENCHMARKS": str(tmp_path), "CLINSEARCH_DATA_DIR": str(tmp_path / "var")}
    result = CliRunner().invoke(app, ["train", "reranker", "--folder", str(tmp_path / "run")], env=places)
    assert result.exit_code == 1
    assert "benchmark file" in result.stderr
    assert not (tmp_path / "run").exists()
