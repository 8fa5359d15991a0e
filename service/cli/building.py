"""How far a build is: a bar with an estimate on a terminal, a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from retrieval import BuildProgress

_STAGES = {"encode": "Encoding passages", "store": "Storing passages", "swap": "Putting the index in place"}
_LINE_EVERY_S = 30.0
# Batches hold texts of like length, so their speeds differ; the estimate averages over this long.
_SPEED_OVER_S = 300.0


class BuildDisplay:
    """Shows what `build_index` reports. Use it as a context manager."""

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds."""
        self._console = console
        self._clock = clock
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            speed_estimate_period=_SPEED_OVER_S,
            disable=not console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._begun: dict[str, float] = {}
        self._told = clock()

    def __enter__(self) -> BuildDisplay:
        self._bar.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, at: BuildProgress) -> None:
        """Show one step."""
        now = self._clock()
        begun = self._begun.setdefault(at.stage, now)
        if self._console.is_terminal:
            if at.stage not in self._tasks:
                self._tasks[at.stage] = self._bar.add_task(_STAGES[at.stage], total=at.total)
            self._bar.update(self._tasks[at.stage], completed=at.done)
        elif now - self._told >= _LINE_EVERY_S:
            self._told = now
            left = _left(at, now - begun)
            self._console.print(
                f"{_STAGES[at.stage]}: {at.done} of {at.total}{left}", highlight=False, markup=False, soft_wrap=True
            )


def _left(at: BuildProgress, seconds: float) -> str:
    """What is left at the stage's average speed."""
    if at.done == 0 or seconds <= 0:
        return ""
    minutes = (at.total - at.done) * seconds / at.done / 60
    return f", about {minutes:.0f} min left" if minutes >= 1 else ", less than a minute left"
