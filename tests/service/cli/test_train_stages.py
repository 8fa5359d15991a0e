"""If these fail, a stage ends in a traceback instead of a sentence, or starts on the wrong thing."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["sft"], "rows.jsonl has no rows"),
        (["selfdistill", "--init", "{folder}"], "rows.jsonl has no rows"),
        (["sft", "--config", "{folder}/none.toml"], "The config none.toml cannot be read"),
        (["sft", "--base", "{folder}"], "is no prepared model"),
    ],
    ids=["no-rows", "no-rows-later", "config", "base"],
)
def test_what_is_missing_is_one_sentence(tmp_path: Path, arguments: list[str], why: str) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "model.json").write_text(
        '{"base": "tiny", "base_sha256": null, "template_sha256": null, '
        '"prepared_at": "2026-01-01T00:00:00Z", "trained": false}'
    )
    (tmp_path / "rows.jsonl").write_text("")
    told = [argument.format(folder=tmp_path) for argument in arguments]
    if "--base" not in told:
        told += ["--base", str(base)]
    result = CliRunner().invoke(
        app, ["train", *told, "--data", str(tmp_path / "rows.jsonl"), "--output", str(tmp_path / "out")]
    )
    assert result.exit_code == 1
    assert why in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_model_with_an_adapter_in_it_is_not_trained_on(tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text(
        '{"base": "tiny", "base_sha256": null, "adapter": "sft", "adapter_sha256": null, "template_sha256": null, '
        '"prepared_at": "2026-01-01T00:00:00Z", "trained": true}'
    )
    result = CliRunner().invoke(
        app, ["train", "sft", "--data", "x.jsonl", "--output", str(tmp_path / "o"), "--base", str(tmp_path)]
    )
    assert result.exit_code == 1
    assert "has the adapter sft merged in" in result.stderr
