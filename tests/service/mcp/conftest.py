"""Starter guidelines on disk and a model server that is a script, once for all tests of the transports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cli.invoking import indexed
from ..cli.scripted_server import ScriptedHandler, scripted_server
from .serving import listening


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mcp")


@pytest.fixture(scope="session")
def environment(data_dir: Path) -> Iterator[dict[str, str]]:
    """Settings of a deployment with starter guidelines and a scripted model."""
    with scripted_server("clinsearch") as url:
        yield indexed(data_dir, CLINSEARCH_MODEL_URL=url)


@pytest.fixture(scope="session")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the listening server says."""
    return tmp_path_factory.mktemp("mcp-log") / "log"


@pytest.fixture(scope="session")
def url(environment: dict[str, str], log: Path) -> Iterator[str]:
    """The address of a listening server."""
    with listening(environment, log) as address:
        yield address


@pytest.fixture
def slow_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The model thinks for longer than any test waits."""
    monkeypatch.setattr(ScriptedHandler, "delay_s", 8.0)
