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
    Asked,
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
from retrieval import router_for
from service.cli.common import load_settings, out, stop
from service.cli.evaluated_models import (
    DEFAULT_CONCURRENCY,
    ChosenModel,
    ask_each,
    chosen_models,
    client_of,
    evaluation_sentences,
    open_for_evaluation,
    say,
)
from service.cli.generate import batch_progress
from service.model.choice import BASE_NAME
from service.settings import Settings


def agent(
    models: Annotated[
        str | None,
        typer.Option(
            help="Separated by commas, the first is compared with: base (untrained, free to choose), base-search-first "
            "(what the product does without an adapter), names of adapters that ship, or their directories."
        ),
    ] = None,
    questions: Annotated[Path | None, typer.Option(help="JSONL: id, question, and what is known of it.")] = None,
    questions_dir: Annotated[Path | None, typer.Option(help="Folder with a file for each split.")] = None,
    split: Annotated[str, typer.Option(help="Which file of --questions-dir.")] = "test",
    output: Annotated[Path | None, typer.Option(help="Runs and report; the same command goes on in it.")] = None,
    model_url: Annotated[
        list[str], typer.Option(help="NAME=URL of a running server, instead of starting one; may be repeated.")
    ] = [],  # noqa: B006 - typer copies it
    concurrency: Annotated[int, typer.Option(help="Runs in progress at once.", min=1, max=4096)] = DEFAULT_CONCURRENCY,
    limit: Annotated[int | None, typer.Option(help="Only the first questions, for a look.", min=1)] = None,
    n: Annotated[int, typer.Option("--n", help="Answers to each question.", min=1, max=64)] = 1,
    temperature: Annotated[float | None, typer.Option(help="Instead of the setting.", min=0, max=2)] = None,
    reliability: Annotated[
        int | None,
        typer.Option(help="Only so many answerable questions, chosen by hash; with --n 8 --temperature 0.7.", min=1),
    ] = None,
    seed: Annotated[int, typer.Option(help="Sampling seeds of the runs derive from it.")] = 0,
    scored: Annotated[
        Path | None, typer.Option("--from", help="Score the runs of this folder again; no model is run.")
    ] = None,
) -> None:
    """Ask every question with each model and print one table with paired intervals; run it again to continue.

    Writes report.json, report.md and, with clinsearch\\[eval], report.png beside the runs.
    """
    settings = load_settings()
    with evaluation_sentences():
        if scored is not None:
            names = [model.name for model in chosen_models(models, [])] if models else found_models(scored)
            if not names:
                raise SetMissingError(f"There are no runs in {scored}.")
            _report(scored, names)
            return
        chosen = chosen_models(models or BASE_NAME, model_url)
        source = _source(questions, questions_dir, split)
        folder = output or settings.data_dir / "eval" / "agent" / _folder_name(source, n, reliability)
        keys = chosen_keys(read_questions(source), limit=limit, reliability=reliability)
        write_questions(source, folder / QUESTIONS_FILE, keys)
        batch = BatchSettings(repetitions=n, concurrency=concurrency, seed=seed)
        complete = _ask_all(settings, chosen, folder, batch, temperature, len(keys))
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


def _ask_all(
    settings: Settings,
    models: Sequence[ChosenModel],
    folder: Path,
    batch: BatchSettings,
    temperature: float | None,
    count: int,
) -> bool:
    """Ask with every model; False where something is owed."""
    searcher = open_for_evaluation(settings)
    asked = Asked(folder / QUESTIONS_FILE, searcher, router_for(searcher.encoder), batch, settings.home_region)
    total = count * batch.repetitions

    async def ask(model: ChosenModel, url: str) -> bool:
        async with client_of(settings, model, url, temperature) as (client, loop):
            say(f"{model.name}: {total} runs")
            with batch_progress(total) as report:
                summary = await ask_model(asked, client, loop, folder / model.name, progress=report)
        for line in summary.lines():
            say(f"  {line}")
        return not summary.owed

    try:
        return ask_each(models, folder, ask)
    finally:
        searcher.close()


def _report(folder: Path, names: Sequence[str]) -> None:
    report = evaluate_runs(folder, names)
    out.print(table(report), highlight=False, markup=False, soft_wrap=True)
    try:
        (folder / "report.json").write_text(report.model_dump_json(indent=1), encoding="utf-8")
        (folder / "report.md").write_text(page(report), encoding="utf-8")
    except OSError as error:
        raise stop(f"The report could not be written to {folder} ({error.strerror}).") from error
    with suppress(ExtraMissingError):
        plot(report, folder / "report.png")
    say(f"Report: {folder / 'report.md'}")
