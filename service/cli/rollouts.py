"""`clinsearch rollouts generate|filter|export|validate|stats`: make runs in batches, and use what was recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from agent import JournalError, Rollout, read_judged, read_segment
from agent.rollout import SEGMENT_PATTERN
from service.cli.common import err, errors_as_sentences, load_settings, out, stop
from service.cli.generate import generate_rollouts
from service.cli.training_data import export_rollouts, filter_rollouts

app = typer.Typer(help="The journal of runs (rollout.v1).", no_args_is_help=True)
app.command("generate")(generate_rollouts)
app.command("filter")(filter_rollouts)
app.command("export")(export_rollouts)
PathArgument = Annotated[
    Path | None, typer.Argument(help="A segment file or a directory; the journal in use if left out.")
]


def _segments(path: Path | None) -> list[Path]:
    path = path or load_settings().journal_dir
    if path.is_file():
        return [path]
    segments = sorted(path.glob(SEGMENT_PATTERN))
    if not segments:
        raise stop("There are no rollouts there yet. Ask a question first.")
    return segments


def _rollouts(path: Path | None) -> Iterator[Rollout]:
    return read_judged(_segments(path))


@app.command()
def validate(path: PathArgument = None) -> None:
    """Check every record against the schema; exit 1 and name the line if one does not fit."""
    bad = 0
    for segment in _segments(path):
        count = 0
        try:
            for _ in read_segment(segment):
                count += 1
            torn = not segment.read_bytes().endswith(b"\n") and segment.stat().st_size > 0
            out.print(f"{segment.name}: {count} records{', a torn last line ignored' if torn else ''}", highlight=False)
        except JournalError as error:
            bad += 1
            err.print(str(error), style="red", markup=False, highlight=False)
    if bad:
        raise typer.Exit(1)


@app.command()
def stats(path: PathArgument = None) -> None:
    """Count runs by how they ended, with searches, tokens, withheld sentences and times."""
    stops: Counter[str] = Counter()
    answers: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    thumbs: Counter[str] = Counter()
    runs = searches = prompt = sampled = shown = withheld = agreed = erased = 0
    durations: list[float] = []
    with errors_as_sentences():
        for rollout in _rollouts(path):
            runs += 1
            stops[str(rollout.outcome.stop_reason or rollout.outcome.status)] += 1
            answers[str(rollout.answer.kind) if rollout.answer else "none"] += 1
            if rollout.labels.thumbs is not None:
                thumbs[rollout.labels.thumbs] += 1
            agreed += rollout.provenance.training_consent
            erased += rollout.erased
            codes.update(failure.code for failure in rollout.outcome.failures)
            searches += rollout.outcome.searches
            prompt += sum(step.usage.prompt_tokens or 0 for step in rollout.steps)
            sampled += sum(step.usage.completion_tokens or 0 for step in rollout.steps)
            shown += sum(verdict.shown for verdict in rollout.verdicts)
            withheld += sum(not verdict.shown for verdict in rollout.verdicts)
            durations.append(rollout.duration_ms)
    durations.sort()
    table = Table(show_header=False)
    rows: list[tuple[str, object]] = [
        ("runs", runs),
        *((f"stopped: {name}", count) for name, count in stops.most_common()),
        *((f"answer: {name}", count) for name, count in answers.most_common()),
        *((f"failure: {name}", count) for name, count in codes.most_common()),
        *((f"thumbs: {name}", count) for name, count in thumbs.most_common()),
        ("training agreed to", agreed),
        ("erased", erased),
        ("searches per run", f"{searches / runs:.2f}" if runs else "-"),
        ("prompt tokens", prompt),
        ("sampled tokens", sampled),
        ("sentences shown", shown),
        ("sentences withheld", withheld),
        ("seconds per run, median", f"{durations[len(durations) // 2] / 1000:.2f}" if durations else "-"),
    ]
    for name, value in rows:
        table.add_row(name, str(value))
    out.print(table)
