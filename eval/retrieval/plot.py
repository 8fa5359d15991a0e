"""The report as a picture: nDCG@10 of every system on every set, with intervals.

matplotlib is in the extra `eval` and loaded only here; nothing is shown on a screen.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from eval.retrieval.errors import ExtraMissingError, OutputError
from eval.retrieval.report import Estimate, RetrievalReport

# Okabe, Ito: "Color Universal Design", 2008: told apart with any colour vision.
COLOURS = ("#999999", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
FORMATS = frozenset({".png", ".svg", ".pdf"})


def check_plot(path: Path) -> None:
    """Refuse before a long run what `plot` could not write after it.

    Raises:
        ExtraMissingError: matplotlib is not installed.
        OutputError: the file's ending is none of `FORMATS`.
    """
    if importlib.util.find_spec("matplotlib") is None:
        raise ExtraMissingError("matplotlib is not installed: pip install 'clinsearch[eval]'.")
    if path.suffix.lower() not in FORMATS:
        raise OutputError(f"A plot's name ends in one of {', '.join(sorted(FORMATS))}.")


def plot(report: RetrievalReport, path: Path) -> None:
    """Write the picture.

    Args:
        path: its ending chooses the format, one of `FORMATS`.

    Raises:
        ExtraMissingError, OutputError: as `check_plot`, or the file cannot be written.
    """
    check_plot(path)
    figure: Any = importlib.import_module("matplotlib.figure").Figure(
        figsize=(3.5 + 2.2 * len(report.sets), 4.2), layout="constrained"
    )
    levels, gains = figure.subplots(1, 2)
    systems = list(dict.fromkeys(result.system for item in report.sets for result in item.systems))
    for place, system in enumerate(systems):
        found = [(row, result) for row, item in enumerate(report.sets) if (result := item.system(system)) is not None]
        shift = (place - (len(systems) - 1) / 2) * 0.8 / len(systems)
        colour = COLOURS[place % len(COLOURS)]
        draw_points(levels, [(row + shift, result.measures["ndcg@10"]) for row, result in found], system, colour)
        compared = [(row + shift, result.difference["ndcg@10"]) for row, result in found if result.difference]
        draw_points(gains, compared, system, colour)
    gains.axhline(0, color="black", linewidth=0.8)
    names = [f"{item.name}\n{len(item.query_ids)} queries" for item in report.sets]
    for axes, title in ((levels, "nDCG@10"), (gains, f"nDCG@10 minus {report.baseline}, paired")):
        axes.set_title(title, fontsize=10)
        axes.set_xticks(range(len(names)), names, fontsize=8)
        axes.grid(axis="y", alpha=0.3)
        axes.set_xlim(-0.6, len(names) - 0.4)
    levels.set_ylim(bottom=0)
    figure.legend(*levels.get_legend_handles_labels(), loc="outside lower center", ncols=len(systems), fontsize=8)
    figure.suptitle(f"Mean and {report.level:.0%} bootstrap interval over queries", fontsize=9)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise OutputError(f"{path.name} could not be written: {error.strerror}.") from error


def draw_points(axes: Any, points: list[tuple[float, Estimate]], label: str, colour: str, style: str = "o") -> None:
    """Draw estimates with their intervals at their places; `style` is matplotlib's, for marker and line."""
    if not points:
        return
    means = [estimate.mean for _, estimate in points]
    # A percentile interval of a skewed sample may lie to one side of the mean.
    below = [max(0.0, estimate.mean - estimate.low) for _, estimate in points]
    above = [max(0.0, estimate.high - estimate.mean) for _, estimate in points]
    places = [x for x, _ in points]
    axes.errorbar(places, means, yerr=[below, above], fmt=style, color=colour, capsize=3, markersize=4, label=label)
