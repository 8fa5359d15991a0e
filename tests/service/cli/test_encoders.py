"""Changing the encoder. If these fail, vectors of two encoders meet, or an operator is not told what to do."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app

from .invoking import indexed


def run(environment: dict[str, str], *arguments: str, **changed: str) -> Result:
    more = {f"CLINSEARCH_{name.upper()}": value for name, value in changed.items()}
    return CliRunner().invoke(app, list(arguments), env={**environment, **more, "COLUMNS": "250"})


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"CLINSEARCH_DATA_DIR": str(tmp_path), "CLINSEARCH_ENCODER": "hashing"}


@pytest.fixture
def remote() -> Iterator[dict[str, str]]:
    """A remote encoder at an address where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield {
            "encoder": "remote",
            "encoder_url": f"http://127.0.0.1:{taken.getsockname()[1]}/v1",
            "encoder_model": "example-embedding",
            "encoder_dimension": "256",
        }


def test_another_encoder_is_refused_until_the_index_is_built_again(
    environment: dict[str, str], remote: dict[str, str]
) -> None:
    indexed(Path(environment["CLINSEARCH_DATA_DIR"]))
    for command in (["search", "gout"], ["serve"]):
        refused = run(environment, *command, **remote)
        assert refused.exit_code == 1
        assert (
            "The index was built with the encoder hashing, not with this example-embedding. "
            "Run `clinsearch index build`." in refused.stderr
        )
    # Back to the first encoder: nothing has to be built.
    assert run(environment, "search", "gout", "--json").exit_code == 0


def test_a_build_that_cannot_encode_leaves_the_old_index_serving(
    environment: dict[str, str], remote: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("retrieval.encoders.remote._PASSAGE_ATTEMPTS", 1)
    indexed(Path(environment["CLINSEARCH_DATA_DIR"]))
    failed = run(environment, "index", "build", **remote)
    assert failed.exit_code == 1
    assert "could not be reached. Check CLINSEARCH_ENCODER_URL and that it runs." in failed.stderr
    found = run(environment, "search", "gout", "colchicine", "--json")
    assert json.loads(found.stdout)["hits"]


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"encoder": "bge-m3"}, "The encoder bge-m3 needs CLINSEARCH_ENCODER_MODEL: set it."),
        ({"encoder_url": "http://127.0.0.1/v1"}, "CLINSEARCH_ENCODER_URL does not apply to the encoder hashing"),
        ({"encoder": "gpt"}, "The setting CLINSEARCH_ENCODER is wrong"),
    ],
    ids=["missing", "surplus", "unknown"],
)
def test_wrong_settings_are_told_in_one_sentence(
    environment: dict[str, str], settings: dict[str, str], sentence: str
) -> None:
    refused = run(environment, "index", "build", **settings)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert sentence in refused.stderr


def test_settings_say_what_never_ran_here_and_hide_the_key(environment: dict[str, str], remote: dict[str, str]) -> None:
    shown = run(environment, "settings", "show", **remote, encoder_api_key="example-key").stdout
    assert "CLINSEARCH_ENCODER=remote  (environment; never run here with its real weights)" in shown
    assert "example-key" not in shown
    assert "never run" not in run(environment, "settings", "show").stdout
