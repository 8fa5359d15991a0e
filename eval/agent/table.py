"""The report as one table for a terminal: a column for each model, and the sentences needed to read it rightly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eval.agent.comparing import QUANTILES
from eval.agent.measures import MEASURES, Unit
from eval.agent.report import AgentReport, Curve, Figure, Group, Reliability
from eval.retrieval.report import Estimate

_LABEL = 28
_LEAST_WIDTH = 24
#: A bootstrap of fewer questions than this is too narrow to call a difference clear.
FEW_QUESTIONS = 20


def table(report: AgentReport) -> str:
    """Three lines a measure: the values, then minus the first model and minus the one before, with intervals."""
    names = [model.name for model in report.models]
    width = max(_LEAST_WIDTH, *(len(name) + 2 for name in names))
    lines = []
    for group in report.groups:
        lines += [_row(f"{group.name} ({group.questions})", names, width), *_group(group, names, width), ""]
    if report.reliability is not None:
        lines += [*_reliability(report.reliability, names, width), ""]
    lines += notes(report)
    return "\n".join(lines)


def notes(report: AgentReport) -> list[str]:
    """What stands behind the figures."""
    lines = [
        f"After the slash: what the value is of. Differences on the same questions with {report.level:.0%} intervals, "
        f"bootstrap over questions ({report.resamples} resamples); * where the interval excludes 0, of {FEW_QUESTIONS} "
        "questions or more.",
    ]
    for measure in MEASURES:
        if ":" not in measure.name:
            less = " Less is better." if measure.more_is_better is False else ""
            lines.append(f"{measure.label}: {measure.of}.{less}")
    lines.append(
        "copied word for word: whole statements of the cited passage. time: of one run, many in progress at once, so "
        "longer than for one clinician alone."
    )
    if report.unfinished:
        lines.append(f"{report.unfinished} questions are in no figure: not every model has answered them yet.")
    if report.not_known:
        told = ", ".join(f"{name} of {count}" for name, count in report.not_known.items())
        lines.append(f"Not known, and left out of what needs it: {told} questions.")
    for model in report.models:
        failed = ", ".join(f"{code} {count}" for code, count in model.failures.items()) or "none"
        how = "searches first, recommendations listed, " if model.search_first else ""
        how += "quotes, " if model.quote and not model.search_first else ""
        how += f"caution {model.caution}, " if model.caution else ""
        how += f"adapter {model.adapter}, " if model.adapter else ""
        lines.append(f"{model.name}: {how}temperature {model.temperature:g}, {model.runs} runs, failures {failed}.")
    apart = [name for name in ("prompt_sha256", "index_version", "temperature", "quote") if _differs(report, name)]
    if apart:
        lines.append(f"NOT COMPARABLE: the models' runs were made with another {' and another '.join(apart)}.")
    return lines


def _differs(report: AgentReport, name: str) -> bool:
    return len({getattr(model, name) for model in report.models}) > 1


def _group(group: Group, names: Sequence[str], width: int) -> Iterator[str]:
    for label, unit, figures in shown_measures(group):
        yield _row(label, [_value(figure, unit) for figure in figures], width)
        if len(figures) > 1 and any(figure.minus_first for figure in figures):
            cells = [difference(figure.minus_first, unit, figure.questions) for figure in figures]
            yield _row(f"    minus {names[0]}", cells, width)
        if len(figures) > 2 and any(figure.minus_previous for figure in figures):
            # The second model's predecessor is the first: said already.
            cells = ["", "", *(difference(figure.minus_previous, unit, figure.questions) for figure in figures[2:])]
            yield _row("    minus the one before", cells, width)


def shown_measures(group: Group) -> Iterator[tuple[str, Unit, Sequence[Figure]]]:
    """Label, unit and figures of what occurred: of a kind of question only what tells kinds apart."""
    whole = not group.name.startswith("kind ")
    for measure in MEASURES:
        figures = group.figures[measure.name]
        known = [figure.estimate.mean for figure in figures if figure.estimate is not None]
        # A reason that no sentence was withheld for says nothing.
        if (whole or measure.of_kinds) and known and (":" not in measure.name or any(known)):
            yield measure.label, measure.unit, figures
    for name in QUANTILES:
        yield f"time {name.removeprefix('latency_')}, ms", "count", group.figures[name]


def _reliability(reliability: Reliability, names: Sequence[str], width: int) -> Iterator[str]:
    n = reliability.repetitions
    told = f" ({reliability.left_out} left out, not all answered)" if reliability.left_out else ""
    yield f"reliability: {reliability.problems} questions, {n} answers each{told}"
    parts = (("gold cited, nothing withheld", reliability.success), ("share shown where cited", reliability.graded))
    for label, curves in parts:
        yield _row(label, names, width)
        for k in range(n):
            yield _row(f"  worst at {k + 1}", [_share(curve.values[k]) for curve in curves], width)
            if len(curves) > 1 and k in (0, n - 1):
                cells = [_at(curve.minus_first, k, reliability.problems) for curve in curves]
                yield _row(f"    minus {names[0]}", cells, width)
            if len(curves) > 2 and k in (0, n - 1):
                cells = ["", "", *(_at(curve.minus_previous, k, reliability.problems) for curve in curves[2:])]
                yield _row("    minus the one before", cells, width)
        yield _row(f"  worst at {n} over mean", [kept(curve) for curve in curves], width)


def kept(curve: Curve) -> str:
    """Worst-at-n over the mean as text."""
    return "-" if curve.kept is None else f"{curve.kept:.2f}"


def difference(estimate: Estimate | None, unit: Unit, questions: int) -> str:
    """A difference as text: percentage points of shares, marked where it is clear."""
    if estimate is None:
        return ""
    star = "*" if estimate.excludes_zero and questions >= FEW_QUESTIONS else ""
    mean, low, high = (_signed(value, unit) for value in (estimate.mean, estimate.low, estimate.high))
    return f"{mean}{star} ({low}..{high})"


def _row(label: str, cells: Sequence[str], width: int) -> str:
    return (f"{label:{_LABEL}}" + "".join(f"{cell:>{width}}" for cell in cells)).rstrip()


def _value(figure: Figure, unit: Unit) -> str:
    return "-" if figure.estimate is None else f"{plain(figure.estimate.mean, unit)} /{figure.of:.0f}"


def plain(value: float, unit: Unit) -> str:
    """A value as text: per cent of a share; counts with as many decimals as their size needs."""
    if unit == "share":
        return f"{value * 100:.1f}%"
    return f"{value:.2f}" if abs(value) < 100 else f"{value:,.0f}"


def _signed(value: float, unit: Unit) -> str:
    if unit == "share":
        return f"{value * 100:+.1f}"
    return f"{value:+.2f}" if abs(value) < 100 else f"{value:+,.0f}"


def _share(estimate: Estimate) -> str:
    return f"{estimate.mean * 100:.1f}% ({estimate.low * 100:.0f}..{estimate.high * 100:.0f})"


def _at(estimates: Sequence[Estimate] | None, k: int, questions: int) -> str:
    return "" if estimates is None else difference(estimates[k], "share", questions)
