"""`clinsearch questions build`: questions for training and testing, made from the library at hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from eval.retrieval.sets import benchmarks_folder
from retrieval import LIBRARY_FILE, CorpusEntry, Library, starter_entries
from retrieval.files import write_atomically
from retrieval.manifest import corpus_hash
from service.cli.common import errors_as_sentences, load_settings, out, stop
from service.cli.stages import stages
from service.settings import Settings
from training.questions import QuestionKind
from training.questionset import (
    PARTS,
    REAL_FILE,
    SHARES,
    TRAIN_SHARES,
    BuildPlan,
    LibraryWords,
    QuestionsReport,
    RealQuestionsError,
    build,
    evaluated_sets,
    judged_questions,
    lines,
    markdown,
    overlaps,
    read_real_questions,
    read_written_questions,
    report_of,
    written_questions,
)

app = typer.Typer(help="Questions for training and testing.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Questions for training and testing."""


@app.command("build")
def build_questions(
    output: Annotated[Path, typer.Option(help="Directory for train.jsonl, dev.jsonl, test.jsonl and the report.")],
    seed: Annotated[int, typer.Option(help="The same seed and library give the same files.")] = 0,
    train: Annotated[int, typer.Option(help="Built questions to train on.", min=0)] = 900,
    dev: Annotated[int, typer.Option(help="Built questions to choose by.", min=0)] = 200,
    test: Annotated[int, typer.Option(help="Built questions to test on.", min=0)] = 300,
    share: Annotated[list[str], typer.Option(help="KIND=SHARE, of every part; they add up to 1.")] = [],  # noqa: B006
    real: Annotated[Path, typer.Option(help="Judged real questions, added to the built ones.")] = REAL_FILE,
    written: Annotated[bool, typer.Option(help="Add the questions written for this project to train.")] = True,
    real_texts: Annotated[
        Path | None, typer.Option(help="Folder with the publishers' files; ../shared/data/questions if left out.")
    ] = None,
) -> None:
    """Make questions from the library, with the passages that answer them, in three parts that share none.

    The files hold words of the corpora: keep them out of the project.
    """
    settings = load_settings()
    plan = BuildPlan(
        seed=seed,
        counts={"train": train, "dev": dev, "test": test},
        shares=_shares(share) or dict(SHARES),
        train_shares=_shares(share) or dict(TRAIN_SHARES),
    )
    with errors_as_sentences(), stages() as show:
        show("reading the library", 0, 3)
        entries = library_entries(settings)
        words = LibraryWords(entries)
        show("reading the questions that are evaluated with", 1, 3)
        evaluated, missing = evaluated_sets(benchmarks_folder())
        try:
            judged = judged_questions(read_real_questions(real), real_texts or texts_folder(), words)
            added, written_left_out = written_questions(read_written_questions() if written else (), words)
        except RealQuestionsError as error:
            raise stop(f"{error}.") from error
        show("making questions", 2, 3)
        judged.questions["train"] += added
        built = build(words, plan, evaluated=evaluated, real=judged.questions)
        report = report_of(
            built,
            plan,
            corpus_sha256=corpus_hash(entries),
            evaluated=evaluated,
            missing=missing,
            overlaps_left=overlaps(built, evaluated),
        ).model_copy(
            update={
                "real_unknown_gold": judged.unknown_gold,
                "real_left_out": judged.left_out,
                "real_missing": judged.why_none,
                "written_left_out": written_left_out,
            }
        )
    _write(output, {part: lines(built.questions[part]) for part in PARTS}, report)
    out.print(markdown(report), highlight=False, markup=False)


def _write(output: Path, files: dict[str, str], report: QuestionsReport) -> None:
    texts = {f"{part}.jsonl": text for part, text in files.items()}
    texts |= {"report.json": report.model_dump_json(indent=2) + "\n", "report.md": markdown(report)}
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with write_atomically(output / name) as file:
                file.write(text.encode())
    except OSError as error:
        raise stop(f"{output.name} cannot be written: {error.strerror}.") from error


def _shares(texts: list[str]) -> dict[QuestionKind, float]:
    if not texts:
        return {}
    shares: dict[QuestionKind, float] = {}
    for text in texts:
        kind, _, value = text.partition("=")
        try:
            shares[QuestionKind(kind)] = float(value)
        except ValueError as error:
            kinds = ", ".join(QuestionKind)
            raise stop(f"A share is written KIND=NUMBER, not {text[:40]!r}; the kinds are {kinds}.") from error
    if any(value < 0 for value in shares.values()) or abs(sum(shares.values()) - 1) > 1e-6:
        raise stop("The shares must be 0 or more and add up to 1.")
    return shares


def library_entries(settings: Settings) -> list[CorpusEntry]:
    """What an index is built from: the starter guidelines and all that was added.

    Raises:
        RetrievalError: the library cannot be read.
    """
    entries, library_file = list(starter_entries()), settings.data_dir / LIBRARY_FILE
    if library_file.is_file():
        with Library(library_file) as library:
            entries += library.entries()
    return entries


def texts_folder() -> Path:
    """Where the publishers' files with the words of real questions lie."""
    named = os.environ.get("CLINSEARCH_QUESTIONS")
    return Path(named) if named else benchmarks_folder().parent / "questions"
