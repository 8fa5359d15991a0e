"""The report as Markdown: what was shown, what the gate and the search are worth, and how to read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eval.agent.comparing import QUANTILES
from eval.agent.measures import Unit
from eval.agent.report import Figure, Group
from eval.agent.table import difference, plain
from eval.answers.arms import Arm, Ending
from eval.answers.measures import MEASURES
from eval.answers.report import AnswersReport, ModelArms


def page(report: AnswersReport) -> str:
    """The whole report for people."""
    lines = [
        "# Answers",
        "",
        f"{report.questions} questions (file SHA-256 `{report.questions_sha256[:16]}`), "
        f"index `{report.models[0].index_version[:16]}`, {report.producer}, {report.measured_at:%Y-%m-%d}.",
        "",
        *(f"**{line}**" + "  " for line in _headline(report)),
        "",
        f"In each cell: the value, its {report.level:.0%} interval and what it is of; then minus the first column on "
        "the same questions, * where the interval excludes 0.",
        "",
    ]
    if len(report.models) > 1:
        for group in report.compared:
            lines += [f"## Models, answers as shown: {group.name}, {group.questions} questions", ""]
            lines += [*_figures(group, [model.name for model in report.models]), ""]
    for model in report.by_model:
        lines += [f"## {model.model}: abstention", "", *_matrices(model)]
        for group in model.groups:
            lines += [f"## {model.model}: {group.name}, {group.questions} questions", ""]
            lines += [*_figures(group, [str(arm) for arm in model.arms]), ""]
    lines += ["## Notes", "", *(f"- {line}" for line in _notes(report)), ""]
    return "\n".join(lines)


def _headline(report: AnswersReport) -> Iterator[str]:
    """The promise that nothing false is shown, counted, for each model."""
    for model in report.by_model:
        shown = model.groups[0].figures
        parts = []
        for name, what in (
            ("keys_unresolved", "citations shown do not resolve"),
            ("numbers_altered", "numbers shown are altered"),
        ):
            figure = shown[name][model.arms.index(Arm.SHOWN)]
            count = 0.0 if figure.estimate is None else figure.estimate.mean * figure.of
            most = f" (none seen: at most {none_seen(figure.of):.1%})" if figure.of and not count else ""
            parts.append(f"{count:.0f} of {figure.of:.0f} {what}{most}")
        yield f"{model.model}: {', '.join(parts)}."


def none_seen(trials: float, level: float = 0.95) -> float:
    """The share up to which events may go unseen in so many independent trials; a bootstrap of zeros has no width.

    Exact one-sided binomial bound: Hanley, Lippman-Hand: "If Nothing Goes Wrong, Is Everything All Right?", JAMA 1983.
    """
    return float(1 - (1 - level) ** (1 / trials))


def _matrices(model: ModelArms) -> Iterator[str]:
    for arm, rows in model.matrices.items():
        yield f"| {arm} | {' | '.join(Ending)} | all |"
        yield f"|---|{'---|' * (len(Ending) + 1)}"
        for row, counts in rows.items():
            yield f"| {row} | {' | '.join(str(counts[ending]) for ending in Ending)} | {sum(counts.values())} |"
        yield ""


def _figures(group: Group, columns: Sequence[str]) -> Iterator[str]:
    yield f"| measure | {' | '.join(columns)} |"
    yield f"|---|{'---|' * len(columns)}"
    for measure in MEASURES:
        figures = group.figures[measure.name]
        known = [figure.estimate.mean for figure in figures if figure.estimate is not None]
        # A reason that no sentence was withheld for says nothing.
        if known and (":" not in measure.name or any(known)):
            yield f"| {measure.label} | {' | '.join(_cell(figure, measure.unit) for figure in figures)} |"
    for name in QUANTILES:
        cells = " | ".join(_cell(figure, "count") for figure in group.figures[name])
        yield f"| time {name.removeprefix('latency_')}, ms | {cells} |"


def _cell(figure: Figure, unit: Unit) -> str:
    if figure.estimate is None:
        return "-"
    low, high = plain(figure.estimate.low, unit), plain(figure.estimate.high, unit)
    text = f"{plain(figure.estimate.mean, unit)} ({low} to {high}) of {figure.of:.0f}"
    if figure.minus_first is not None:
        text += f"<br>{difference(figure.minus_first, unit, figure.questions)}"
    return text


def _notes(report: AnswersReport) -> Iterator[str]:
    yield (
        f"Intervals: bootstrap over questions ({report.resamples} resamples), paired where columns are compared, not "
        "corrected for their number."
    )
    yield (
        f"Where none was seen: the share that {report.level:.0%} of such counts would not have missed, were each "
        "independent of the others; those of one answer are not, so it is somewhat too low."
    )
    yield (
        f"{Arm.UNGATED}: every sentence that the gate judged in the same runs, read as if it had been shown; not what "
        f"the same model would write under another prompt. {Arm.UNSEARCHED}: the model's own words in another run with "
        "a prompt of the evaluation; it cites nothing, so none of its sentences can be supported and each of its "
        "numbers counts as altered. A sentence in it that says it does not know counts as an answer."
    )
    yield (
        "Numbers: read by a checker that shares no code with the gate, each with its unit, against the whole of the "
        "passages that its sentence cites. Moved: only another statement of them has it. Whether a number is said of "
        "the right drug or people it does not look into."
    )
    for what, judge in report.judged_by.items():
        yield f"Approximate ({what}): {judge}. It compares words or vectors and understands neither."
    yield (
        f"{Ending.LISTED}: whole recommendations in place of the model's words; their text counts for must-have "
        "statements."
    )
    for measure in MEASURES:
        if ":" not in measure.name:
            less = " Less is better." if measure.more_is_better is False else ""
            yield f"{measure.label}: of {measure.of}.{less}"
    yield "Time: of one run, many in progress at once, so longer than for one clinician alone."
    if report.unfinished:
        yield f"{report.unfinished} questions are in no figure: not every column has them yet."
    if report.not_known:
        told = ", ".join(f"{name} of {count}" for name, count in report.not_known.items())
        yield f"Not known, and left out of what needs it: {told} questions."
    for model in report.models:
        failed = ", ".join(f"{code} {count}" for code, count in model.failures.items()) or "none"
        how = "searches first, recommendations listed, " if model.search_first else "quotes, " if model.quote else ""
        how += f"adapter {model.adapter}, " if model.adapter else ""
        yield f"{model.name}: {how}temperature {model.temperature:g}, {model.runs} runs, failures {failed}."
    if len({(model.prompt_sha256, model.index_version, model.temperature) for model in report.models}) > 1:
        yield "NOT COMPARABLE: the models' runs were made with another prompt, index or temperature."
