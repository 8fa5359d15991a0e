"""Finding the model server's environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.model.environment import find_model_environment, need_model_environment
from service.model.errors import ModelEnvironmentError


def make(place: Path, stamp: dict[str, str]) -> Path:
    (place / "bin").mkdir(parents=True)
    (place / "bin" / "python").touch()
    (place / "clinsearch.json").write_text(json.dumps(stamp))
    return place


def test_a_finished_environment_is_found_with_its_device(tmp_path: Path) -> None:
    found = find_model_environment(make(tmp_path, {"kind": "gpu", "done": "model", "made_from": "x"}))
    assert found is not None
    assert found.device == "gpu"
    assert found.python == tmp_path / "bin" / "python"


@pytest.mark.parametrize("done", ["", "product"])
def test_a_half_installed_environment_is_not_started(tmp_path: Path, done: str) -> None:
    assert find_model_environment(make(tmp_path, {"kind": "cpu", "done": done})) is None


def test_without_one_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelEnvironmentError, match=r"make up.*CLINSEARCH_MODEL_URL"):
        need_model_environment(tmp_path)
