"""Servers side by side: one end ends all, and a signal ends all of them."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

from service.model.running import serve_each


def waiting(mark: Path) -> tuple[str, ...]:
    """A program that says it runs and waits to be ended."""
    return (sys.executable, "-c", f"import pathlib,time; pathlib.Path({str(mark)!r}).touch(); time.sleep(600)")


async def test_when_one_ends_the_others_end_and_its_code_is_told(tmp_path: Path) -> None:
    ended = (sys.executable, "-c", "raise SystemExit(3)")
    async with asyncio.timeout(30):
        assert await serve_each([waiting(tmp_path / "a"), ended]) == 3


async def test_a_signal_ends_all_of_them(tmp_path: Path) -> None:
    marks = [tmp_path / "a", tmp_path / "b"]
    async with asyncio.timeout(30):
        serving = asyncio.create_task(serve_each([waiting(mark) for mark in marks]))
        while not all(mark.exists() for mark in marks):  # noqa: ASYNC110 - other processes make them
            await asyncio.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await serving == 0


async def test_one_that_does_not_listen_is_made_to_end(tmp_path: Path) -> None:
    deaf = (
        sys.executable,
        "-c",
        "import pathlib,signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"pathlib.Path({str(tmp_path / 'deaf')!r}).touch(); time.sleep(600)",
    )
    async with asyncio.timeout(30):
        serving = asyncio.create_task(serve_each([deaf], grace_s=0.2))
        while not (tmp_path / "deaf").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.02)
        os.kill(os.getpid(), signal.SIGTERM)
        assert await serving == 0
