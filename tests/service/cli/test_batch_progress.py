"""Long work says how far it is, also where nobody watches a bar."""

from __future__ import annotations

import io
import re

from rich.console import Console
from rich.progress import Progress

from agent.batch import BatchProgress
from service.cli.generate import BatchReporter


def test_a_log_gets_lines_with_rate_and_estimate() -> None:
    log, clock = io.StringIO(), iter(range(0, 10_000, 40))
    progress = Progress(console=Console(file=log, width=200), get_time=lambda: float(next(clock)), auto_refresh=False)
    report = BatchReporter(progress, 400)
    report(BatchProgress(settled=10, generated=0, completion_tokens=0))
    report(BatchProgress(settled=20, generated=10, completion_tokens=800))
    assert re.search(r"^20 of 400, [\d.]+ runs/s, [\d,]+ tokens/s, about \d+ min left$", log.getvalue(), re.MULTILINE)


def test_a_terminal_gets_the_bar_alone() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=200)
    clock = iter(range(0, 10_000, 40))
    report = BatchReporter(Progress(console=console, get_time=lambda: float(next(clock)), auto_refresh=False), 400)
    report(BatchProgress(settled=20, generated=10, completion_tokens=800))
    assert "min left" not in screen.getvalue()
