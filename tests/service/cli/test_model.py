"""`clinsearch model` from the command line: what cannot be served is said before anything is converted or started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app


def run(data: Path, *arguments: str, **settings: str) -> Result:
    environment = {"CLINSEARCH_DATA_DIR": str(data)} | {f"CLINSEARCH_{k}": v for k, v in settings.items()}
    return CliRunner().invoke(app, ["model", *arguments], env=environment)


@pytest.mark.parametrize(
    ("arguments", "settings"),
    [
        (("prepare", "--model", "nobody"), {}),
        (("prepare", "--adapter", "nobody"), {}),
        (("prepare",), {"ADAPTER": "nobody"}),
    ],
    ids=["model", "adapter", "setting"],
)
def test_an_adapter_that_is_not_there_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], settings: dict[str, str]
) -> None:
    result = run(tmp_path, *arguments, **settings)
    assert result.exit_code == 1
    assert "There is no adapter nobody" in result.stderr.replace("\n", " ")
    assert not list(tmp_path.rglob("*.safetensors"))


def test_an_adapter_named_by_hand_that_no_longer_fits_is_refused_and_retraining_is_named(tmp_path: Path) -> None:
    path = tmp_path / "old"
    path.mkdir()
    (path / "adapter_config.json").write_text(json.dumps({"r": 16}))
    (path / "adapter_model.safetensors").write_bytes(b"weights")
    (path / "adapter.json").write_text(json.dumps({"template_sha256": "0" * 64, "prompt_sha256": "0" * 64}))
    result = run(tmp_path / "data", "prepare", ADAPTER=str(path))
    assert result.exit_code == 1
    assert "clinsearch train sft" in result.stderr.replace("\n", " ")
    assert not (tmp_path / "data" / "model").exists()


def test_two_models_of_one_name_are_refused_by_the_setting_they_stand_in(tmp_path: Path) -> None:
    result = run(tmp_path, "prepare", ALSO='["base", "base"]')
    assert result.exit_code == 1
    assert "CLINSEARCH_ALSO is wrong: two models have the same name" in result.stderr.replace("\n", " ")
