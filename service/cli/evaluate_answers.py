"""`clinsearch eval answers`: what is shown, with and without the gate, with and without search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from agent.batch import BatchSettings
from eval.agent import QUESTIONS_FILE, read_questions, write_questions
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
from service.cli import evaluation_options as options
from service.cli.common import load_settings, out, stop
from service.cli.evaluated_models import (
    ChosenModel,
    Way,
    ask_all,
    chosen_models,
    evaluation_sentences,
    names_in,
    say,
    write_report,
)
from service.container import make_encoder
from service.model.choice import BASE_NAME
from service.settings import Settings


def answers(
    models: options.Models = None,
    sets: Annotated[
        str | None,
        typer.Option(
            "--set", help=f"Separated by commas: {', '.join(SETS)}. A set whose files are absent is left out."
        ),
    ] = None,
    questions: Annotated[Path | None, typer.Option(help="JSONL as `eval agent` takes it, instead of sets.")] = None,
    output: options.Output = None,
    model_url: options.ModelUrls = [],  # noqa: B006 - typer copies it
    concurrency: options.Concurrency = options.DEFAULT_CONCURRENCY,
    limit: Annotated[int | None, typer.Option(help="Only the first questions, of each set.", min=1)] = None,
    temperature: options.Temperature = None,
    without_search: Annotated[
        bool, typer.Option(help="Also ask each model itself, without search; --no-without-search saves the time.")
    ] = True,
    meaning: Annotated[
        bool, typer.Option(help="Judge must-have statements by the encoder's vectors too; takes time.")
    ] = False,
    seed: options.Seed = 0,
    scored: options.Scored = None,
) -> None:
    """Citations, numbers, support, abstention and length of answers, with and without gate and search, in one run.

    Writes report.json and report.md beside the runs; stopped, the same command asks what is owed.
    """
    settings = load_settings()
    with evaluation_sentences():
        if scored is not None:
            _report(settings, scored, names_in(scored, models, models_in), meaning=meaning)
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

        def ways(model: ChosenModel) -> Sequence[tuple[str, Way]]:
            # A model that may only search has no words of its own to compare.
            alone = without_search and not model.search_first
            return (("", ask_searching), *([(", without search", ask_alone)] if alone else []))

        complete = ask_all(settings, chosen, folder, batch, temperature, count, ways)
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


def _report(settings: Settings, folder: Path, names: Sequence[str], *, meaning: bool) -> None:
    near = EncoderCoverage(make_encoder(settings)) if meaning else None
    report = evaluate_answers(folder, names, Scorers(LexicalSupport(), LexicalCoverage(), near))
    text = page(report)
    out.print(text, highlight=False, markup=False, soft_wrap=True)
    write_report(folder, report, text)
