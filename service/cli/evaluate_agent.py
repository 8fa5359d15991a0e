"""`clinsearch eval agent`: questions with known answers through the agent, with one model after the other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from agent.batch import BatchSettings
from eval.agent import (
    QUESTIONS_FILE,
    ask_model,
    chosen_keys,
    evaluate_runs,
    found_models,
    page,
    plot,
    read_questions,
    table,
    write_questions,
)
from eval.retrieval import ExtraMissingError, SetMissingError
from service.cli import evaluation_options as options
from service.cli.common import load_settings, out, stop
from service.cli.evaluated_models import ask_all, chosen_models, evaluation_sentences, names_in, write_report
from service.model.choice import BASE_NAME


def agent(
    models: options.Models = None,
    questions: Annotated[Path | None, typer.Option(help="JSONL: id, question, and what is known of it.")] = None,
    questions_dir: Annotated[Path | None, typer.Option(help="Folder with a file for each split.")] = None,
    split: Annotated[str, typer.Option(help="Which file of --questions-dir.")] = "test",
    output: options.Output = None,
    model_url: options.ModelUrls = [],  # noqa: B006 - typer copies it
    concurrency: options.Concurrency = options.DEFAULT_CONCURRENCY,
    limit: Annotated[int | None, typer.Option(help="Only the first questions, for a look.", min=1)] = None,
    n: Annotated[int, typer.Option("--n", help="Answers to each question.", min=1, max=64)] = 1,
    temperature: options.Temperature = None,
    reliability: Annotated[
        int | None,
        typer.Option(help="Only so many answerable questions, chosen by hash; with --n 8 --temperature 0.7.", min=1),
    ] = None,
    seed: options.Seed = 0,
    scored: options.Scored = None,
) -> None:
    """Ask every question with each model and print one table with paired intervals; run it again to continue.

    Writes report.json, report.md and, with clinsearch\\[eval], report.png beside the runs.
    """
    settings = load_settings()
    with evaluation_sentences():
        if scored is not None:
            _report(scored, names_in(scored, models, found_models))
            return
        chosen = chosen_models(models or BASE_NAME, model_url)
        source = _source(questions, questions_dir, split)
        folder = output or settings.data_dir / "eval" / "agent" / _folder_name(source, n, reliability)
        keys = chosen_keys(read_questions(source), limit=limit, reliability=reliability)
        write_questions(source, folder / QUESTIONS_FILE, keys)
        batch = BatchSettings(repetitions=n, concurrency=concurrency, seed=seed)
        complete = ask_all(settings, chosen, folder, batch, temperature, len(keys), lambda _: (("", ask_model),))
        _report(folder, [model.name for model in chosen])
    if not complete:
        raise stop("Not everything could be asked; the same command asks what is owed.")


def _source(questions: Path | None, folder: Path | None, split: str) -> Path:
    if (questions is None) == (folder is None):
        raise stop("Name the questions with either --questions FILE or --questions-dir FOLDER.")
    if folder is None:
        assert questions is not None
        return questions
    for ending in (".jsonl", ".jsonl.xz"):
        if (folder / f"{split}{ending}").is_file():
            return folder / f"{split}{ending}"
    raise SetMissingError(f"There is no {split}.jsonl in {folder}.")


def _folder_name(source: Path, n: int, reliability: int | None) -> str:
    name = source.name.split(".")[0]
    return name if n == 1 and reliability is None else f"{name}-{reliability or 'all'}-times-{n}"


def _report(folder: Path, names: Sequence[str]) -> None:
    report = evaluate_runs(folder, names)
    out.print(table(report), highlight=False, markup=False, soft_wrap=True)
    write_report(folder, report, page(report))
    with suppress(ExtraMissingError):
        plot(report, folder / "report.png")
