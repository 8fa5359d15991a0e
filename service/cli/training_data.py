"""`clinsearch rollouts filter|export`: from recorded runs to files that trainers take."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from agent import Journal, Rollout, read_judged
from agent.batch import BadLine, BatchError, read_tasks
from agent.rollout import SEGMENT_PATTERN
from retrieval import Withdrawals
from retrieval.files import write_atomically
from service.cli.common import errors_as_sentences, load_settings, out, stop
from training.export import (
    Export,
    ExportReport,
    TokenizerRenderer,
    divergence_pairs,
    message_rows,
    prompt_rows,
    standing,
    thumbs_rows,
    token_rows,
    trajectory_pairs,
)
from training.export.rows import Row
from training.judging import Limits
from training.questions import TrainingQuestion
from training.selecting import Rules, select

Sources = Annotated[list[Path], typer.Argument(help="Segment files or directories of rollouts.")]
QuestionsOption = Annotated[
    list[Path], typer.Option("--questions", help="Files the runs were made from; runs of real use need none.")
]


class Format(StrEnum):
    """What to write."""

    SFT = "sft"
    SFT_TOKENS = "sft-tokens"
    DPO = "dpo"
    DPO_TRAJECTORIES = "dpo-traj"
    KTO = "kto"
    PROMPTS = "prompts"


def filter_rollouts(
    sources: Sources,
    output: Annotated[Path, typer.Option(help="An empty directory for the runs that are kept.")],
    questions: QuestionsOption = [],  # noqa: B006 - typer copies it
    max_searches: Annotated[int, typer.Option(help="A run with more is not learned from.", min=0)] = 3,
    per_question: Annotated[int, typer.Option(help="Runs kept of one question, the shortest first.", min=1)] = 1,
    share: Annotated[list[str], typer.Option(help="KIND=SHARE, several; they add up to 1.")] = [],  # noqa: B006
) -> None:
    """Keep the runs to learn from: gate clean, gold cited, within budget, or preferred by a person.

    Runs that cite what is withdrawn now are left out, and those whose training was not agreed to or no longer is.
    """
    withdrawals = Withdrawals(load_settings().withdrawals_file)
    with errors_as_sentences():
        if output.is_dir() and any(output.iterdir()):
            raise stop(f"{output.name} is not empty; name another directory, so that nothing is mixed.")
        try:
            rules = Rules(Limits(max_searches), per_question, _shares(share))
        except ValueError as error:
            raise stop(f"The shares are wrong: {error}.") from error
        chosen = select(_rollouts(sources), _questions(questions), rules, withdrawals.now())
        with Journal(output) as journal:
            for rollout in chosen.of(_rollouts(sources)):
                journal.append(rollout)
    out.print(f"kept      {len(chosen.kept)}", highlight=False)
    for kind, count in sorted(chosen.kinds.items()):
        out.print(f"kind      {kind} {count}", highlight=False)
    for fault, count in sorted(chosen.faults.items()):
        out.print(f"left out  {fault} {count}", highlight=False)
    if chosen.surplus:
        out.print(f"left out  surplus {chosen.surplus}", highlight=False)


def export_rollouts(
    sources: Sources,
    output: Annotated[Path, typer.Option(help="The JSONL file to write.")],
    format: Annotated[Format, typer.Option(help="What the trainer takes.")] = Format.SFT_TOKENS,
    questions: QuestionsOption = [],  # noqa: B006
    max_tokens: Annotated[int, typer.Option(help="Longer rows are refused and counted, never cut.", min=1)] = 4096,
    model_dir: Annotated[Path | None, typer.Option(help="Whose tokenizer; the prepared model if left out.")] = None,
) -> None:
    """Write rows for TRL's trainers; only runs whose training was agreed to, none that cites withdrawn guidance."""
    settings = load_settings()
    directory = model_dir or settings.model_dir
    if not (directory / "tokenizer.json").is_file():
        raise stop("There is no prepared model there. Run `clinsearch model prepare`, or name one with --model-dir.")
    renderer, limits, report = TokenizerRenderer(directory), Export(max_tokens), ExportReport()
    with errors_as_sentences():
        runs = standing(_rollouts(sources), Withdrawals(settings.withdrawals_file).now(), report)
        rows: Iterable[Row]
        match format:
            case Format.SFT:
                rows = message_rows(runs, renderer, limits, report)
            case Format.SFT_TOKENS:
                rows = token_rows(runs, renderer, limits, report)
            case Format.DPO:
                rows = divergence_pairs(runs, _questions(questions), renderer, limits, report)
            case Format.DPO_TRAJECTORIES:
                rows = trajectory_pairs(runs, _questions(questions), renderer, limits, report)
            case Format.KTO:
                rows = thumbs_rows(runs, renderer, limits, report)
            case Format.PROMPTS:
                rows = prompt_rows(runs, renderer, limits, report)
        try:
            with write_atomically(output) as file:
                for row in rows:
                    file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        except OSError as error:
            raise stop(f"{output.name} cannot be written: {error.strerror}.") from error
    for line in report.lines():
        out.print(line, highlight=False, markup=False)
    if not report.rows:
        raise stop("No row was written; the lines above say why.")


def _rollouts(sources: list[Path]) -> Iterator[Rollout]:
    """The runs, with what people said of them since: what lies beside the segments is read with them."""
    for source in sources:
        segments = [source] if source.is_file() else sorted(source.glob(SEGMENT_PATTERN))
        if not segments:
            raise BatchError(f"There are no rollouts in {source.name}.")
        yield from read_judged(segments)


def _questions(paths: list[Path]) -> dict[str, TrainingQuestion]:
    found: dict[str, TrainingQuestion] = {}
    for path in paths:
        for task in read_tasks(path):
            if isinstance(task, BadLine):
                raise BatchError(f"{path.name} line {task.line}: {task.why}.")
            try:
                found[task.key] = TrainingQuestion.model_validate(task.row)
            except ValueError as error:
                raise BatchError(f"{path.name} line {task.line} does not say what a good run would do.") from error
    return found


def _shares(texts: list[str]) -> dict[str, float]:
    shares = {}
    for text in texts:
        kind, _, value = text.partition("=")
        try:
            shares[kind] = float(value)
        except ValueError as error:
            raise stop(f"A share is written KIND=NUMBER, for example answerable=0.5, not {text[:40]!r}.") from error
    return shares
