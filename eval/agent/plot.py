"""The report as a picture: the measures that matter most, and the reliability curve where there is one.

matplotlib is in the extra `eval` and loaded only here; nothing is shown on a screen.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from eval.agent.report import AgentReport
from eval.retrieval.errors import OutputError
from eval.retrieval.plot import COLOURS, check_plot, draw_points

_SHOWN = (
    ("right_action", "right\naction"),
    ("gold_retrieved", "gold\nretrieved"),
    ("gold_cited", "gold\ncited"),
    ("withheld", "withheld"),
    ("verbatim", "copied"),
    ("abstained_right", "declined\nrightly"),
    ("abstained_wrong", "declined\nwrongly"),
    ("clarified_right", "asked\nrightly"),
    ("clarified_wrong", "asked\nneedlessly"),
)


def plot(report: AgentReport, path: Path) -> None:
    """Write the picture; the file's ending chooses the format.

    Raises:
        ExtraMissingError, OutputError: matplotlib is missing, or the file cannot be written.
    """
    check_plot(path)
    curves = report.reliability.success if report.reliability is not None else ()
    figure: Any = importlib.import_module("matplotlib.figure").Figure(
        figsize=(15 if curves else 11, 4.5), layout="constrained"
    )
    axes = figure.subplots(1, 2 if curves else 1, width_ratios=[3, 1] if curves else [1], squeeze=False)[0]
    whole = report.groups[0].figures
    shown = [(name, label) for name, label in _SHOWN if any(item.estimate for item in whole[name])]
    for place, model in enumerate(report.models):
        shift = (place - (len(report.models) - 1) / 2) * 0.8 / len(report.models)
        points = [
            (row + shift, estimate)
            for row, (name, _) in enumerate(shown)
            if (estimate := whole[name][place].estimate) is not None
        ]
        draw_points(axes[0], points, model.name, _colour(place))
    axes[0].set_xticks(range(len(shown)), [label for _, label in shown], fontsize=8)
    axes[0].set_title(f"{report.questions} questions", fontsize=10)
    if curves:
        for place, (model, curve) in enumerate(zip(report.models, curves, strict=True)):
            points = [(float(k), estimate) for k, estimate in enumerate(curve.values, start=1)]
            draw_points(axes[1], points, model.name, _colour(place), "o-")
        axes[1].set_title("worst at k: gold cited, nothing withheld", fontsize=10)
        axes[1].set_xlabel("k")
    for one in axes:
        one.grid(axis="y", alpha=0.3)
        one.set_ylim(-0.02, 1.02)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6, fontsize=8)
    figure.suptitle(f"Share and {report.level:.0%} bootstrap interval over questions", fontsize=9)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise OutputError(f"{path.name} could not be written: {error.strerror}.") from error


def _colour(place: int) -> str:
    return COLOURS[place % len(COLOURS)]
