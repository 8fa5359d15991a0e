"""`clinsearch eval answers`: what is shown, with and without the gate, with and without search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from agent.batch import BatchSettings
from eval.agent import QUESTIONS_FILE, Asked, read_questions, write_questions
from eval.answers import (
    SETS,
    EncoderCoverage,
    LexicalCoverage,
    LexicalSupport,
    Scorers,
    ask_alone,
    ask_searching,
    evaluate_answers,
    models_in,
    page,
    write_rows,
)
from eval.retrieval import SetMissingError
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
from service.container import make_encoder
from service.model.choice import BASE_NAME
from service.settings import Settings


def answers(
    models: Annotated[
        str | None,
        typer.Option(
            help="Separated by commas, the first is compared with: base (untrained, free to choose), base-search-first "
            "(what the product does without an adapter), names of adapters that ship, or their directories."
        ),
    ] = None,
    sets: Annotated[
        str | None,
        typer.Option(
            "--set", help=f"Separated by commas: {', '.join(SETS)}. A set whose files are absent is left out."
        ),
    ] = None,
    questions: Annotated[Path | None, typer.Option(help="JSONL as `eval agent` takes it, instead of sets.")] = None,
    output: Annotated[Path | None, typer.Option(help="Runs and report; the same command goes on in it.")] = None,
    model_url: Annotated[
        list[str], typer.Option(help="NAME=URL of a running server, instead of starting one; may be repeated.")
    ] = [],  # noqa: B006 - typer copies it
    concurrency: Annotated[int, typer.Option(help="Runs in progress at once.", min=1, max=4096)] = DEFAULT_CONCURRENCY,
    limit: Annotated[int | None, typer.Option(help="Only the first questions, of each set.", min=1)] = None,
    temperature: Annotated[float | None, typer.Option(help="Instead of the setting.", min=0, max=2)] = None,
    without_search: Annotated[
        bool, typer.Option(help="Also ask each model itself, without search; --no-without-search saves the time.")
    ] = True,
    meaning: Annotated[
        bool, typer.Option(help="Judge must-have statements by the encoder's vectors too; takes time.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Sampling seeds of the runs derive from it.")] = 0,
    scored: Annotated[
        Path | None, typer.Option("--from", help="Score the runs of this folder again; no model is run.")
    ] = None,
) -> None:
    """Citations, numbers, support, abstention and length of answers, with and without gate and search, in one run.

    Writes report.json and report.md beside the runs; stopped, the same command asks what is owed.
    """
    settings = load_settings()
    with evaluation_sentences():
        if scored is not None:
            names = [model.name for model in chosen_models(models, [])] if models else models_in(scored)
            if not names:
                raise SetMissingError(f"There are no runs in {scored}.")
            _report(settings, scored, names, meaning=meaning)
            return
        chosen = chosen_models(models or BASE_NAME, model_url)
        if (questions is None) == (sets is None):
            raise stop("Name the questions with either --set NAME or --questions FILE.")
        folder = output or settings.data_dir / "eval" / "answers" / _folder_name(sets, questions)
        if sets is not None:
            count = _write_sets(sets, folder / QUESTIONS_FILE, limit)
        else:
            assert questions is not None
            keys = frozenset(question.key for question in read_questions(questions)[:limit])
            write_questions(questions, folder / QUESTIONS_FILE, keys)
            count = len(keys)
        batch = BatchSettings(concurrency=concurrency, seed=seed)
        complete = _ask_all(settings, chosen, folder, batch, temperature, count, without_search=without_search)
        _report(settings, folder, [model.name for model in chosen], meaning=meaning)
    if not complete:
        raise stop("Not everything could be asked; the same command asks what is owed.")


def _write_sets(names: str, target: Path, limit: int | None) -> int:
    rows = {}
    wanted = list(dict.fromkeys(part.strip() for part in names.split(",") if part.strip()))
    if not wanted or not set(wanted) <= set(SETS):
        raise stop(f"--set takes {', '.join(SETS)}, separated by commas.")
    for name in wanted:
        try:
            rows[name] = SETS[name]()[:limit]
        except SetMissingError as error:
            say(f"The set {name} is left out. {error}")
    if not rows:
        raise SetMissingError("None of these sets is there.")
    return write_rows(target, rows)


def _folder_name(sets: str | None, questions: Path | None) -> str:
    if questions is not None:
        return questions.name.split(".")[0]
    return "-".join(part.strip() for part in (sets or "").split(",") if part.strip().replace("-", "").isalnum())


def _ask_all(
    settings: Settings,
    models: Sequence[ChosenModel],
    folder: Path,
    batch: BatchSettings,
    temperature: float | None,
    count: int,
    *,
    without_search: bool,
) -> bool:
    """Ask with every model; False where something is owed."""
    searcher = open_for_evaluation(settings)
    asked = Asked(folder / QUESTIONS_FILE, searcher, router_for(searcher.encoder), batch, settings.home_region)

    async def ask(model: ChosenModel, url: str) -> bool:
        ways = [("", ask_searching)]
        # A model that may only search has no words of its own to compare.
        if without_search and not model.search_first:
            ways.append((", without search", ask_alone))
        complete = True
        async with client_of(settings, model, url, temperature) as (client, loop):
            for named, way in ways:
                say(f"{model.name}{named}: {count} runs")
                with batch_progress(count) as report:
                    summary = await way(asked, client, loop, folder / model.name, progress=report)
                for line in summary.lines():
                    say(f"  {line}")
                complete = complete and not summary.owed
        return complete

    try:
        return ask_each(models, folder, ask)
    finally:
        searcher.close()


def _report(settings: Settings, folder: Path, names: Sequence[str], *, meaning: bool) -> None:
    near = EncoderCoverage(make_encoder(settings)) if meaning else None
    report = evaluate_answers(folder, names, Scorers(LexicalSupport(), LexicalCoverage(), near))
    text = page(report)
    out.print(text, highlight=False, markup=False, soft_wrap=True)
    try:
        (folder / "report.json").write_text(report.model_dump_json(indent=1), encoding="utf-8")
        (folder / "report.md").write_text(text, encoding="utf-8")
    except OSError as error:
        raise stop(f"The report could not be written to {folder} ({error.strerror}).") from error
    say(f"Report: {folder / 'report.md'}")
