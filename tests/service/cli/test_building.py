"""If these fail, an operator cannot see how long an index still takes."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from retrieval import BuildProgress
from service.cli.building import BuildDisplay


def shown(*steps: tuple[float, BuildProgress], terminal: bool) -> str:
    """What is written when each step comes at its second."""
    now = 0.0
    out = StringIO()
    with BuildDisplay(Console(file=out, force_terminal=terminal, width=100), clock=lambda: now) as display:
        for now, step in steps:  # noqa: B007 - the clock reads it
            display(step)
    return out.getvalue()


def test_a_log_gets_a_line_now_and_then_with_what_is_left() -> None:
    steps = [
        (0.0, BuildProgress("encode", 0, 1000)),
        (10.0, BuildProgress("encode", 50, 1000)),
        (40.0, BuildProgress("encode", 200, 1000)),
        (50.0, BuildProgress("encode", 250, 1000)),
        (195.0, BuildProgress("encode", 975, 1000)),
        (200.0, BuildProgress("store", 10, 1000)),
    ]
    assert shown(*steps, terminal=False).splitlines() == [
        "Encoding passages: 200 of 1000, about 3 min left",
        "Encoding passages: 975 of 1000, less than a minute left",
    ]


def test_a_terminal_gets_a_bar_for_each_stage() -> None:
    steps = [(1.0, BuildProgress("encode", 5, 10)), (2.0, BuildProgress("store", 7, 10))]
    text = shown(*steps, terminal=True)
    assert "Encoding passages" in text
    assert "7/10" in text
