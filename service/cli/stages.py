"""Progress of work in named stages, each with its own bar and estimate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from service.cli.common import err

#: Called with the name of the stage, what is done and how much there is.
ShowStage = Callable[[str, int, int], None]


@contextmanager
def stages() -> Iterator[ShowStage]:
    """Draws on standard error; what follows a comma in a stage's name changes without starting it anew."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("reading", total=None)
        current = ""

        def show(stage: str, done: int, total: int) -> None:
            nonlocal current
            name = stage.split(",")[0]
            if name != current:
                current = name
                progress.reset(task, description=stage, total=total)
            progress.update(task, description=stage, completed=done, total=total)

        yield show
