"""`clinsearch serve`, up to where it listens."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
import uvicorn

from service.cli import serve as command

from ..conftest import ServiceFactory


@pytest.fixture
def collecting() -> Iterator[None]:
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_is_loaded_before_it_listens_is_left_alone_by_the_collector(
    make_service: ServiceFactory, monkeypatch: pytest.MonkeyPatch, collecting: None
) -> None:
    """Otherwise everybody waits a fifth of a second while the index and the word lists are looked through again."""
    frozen: list[int] = []
    service = make_service()
    monkeypatch.setattr(command, "load_settings", lambda: service.settings)
    monkeypatch.setattr(command, "build_service", lambda _: service)
    monkeypatch.setattr(command, "_open_many_files", lambda: None)
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: frozen.append(gc.get_freeze_count()))
    command.serve()
    assert frozen[0] > 10_000
