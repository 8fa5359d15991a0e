"""What a person watching `up` sees: sentences, and one line about what is being waited on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

from rich.console import Console

#: Seconds between updates: often on a terminal, where one line is redrawn; seldom where each is a new line.
_REDRAW_S, _REPEAT_S = 1.0, 15.0


class Screen(Protocol):
    """Where progress is told."""

    def say(self, text: str) -> None:
        """One line."""

    def waiting(self, text: str) -> AbstractAsyncContextManager[None]:
        """Show, until the block ends, that `text` is being waited on and for how long."""


class ConsoleScreen:
    """A terminal, or a plain log where there is none."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    @asynccontextmanager
    async def waiting(self, text: str) -> AsyncIterator[None]:
        ticking = asyncio.create_task(self._tick(text))
        try:
            yield
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking

    async def _tick(self, text: str) -> None:
        started = time.monotonic()
        if not self._console.is_terminal:
            while True:
                self.say(f"{text} ({time.monotonic() - started:.0f} s)")
                await asyncio.sleep(_REPEAT_S)
        with self._console.status(text) as status:
            while True:
                status.update(f"{text} ({time.monotonic() - started:.0f} s)")
                await asyncio.sleep(_REDRAW_S)
