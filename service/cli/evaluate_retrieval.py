"""`clinsearch eval retrieval`: how well the search finds, as one table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from eval.retrieval import (
    NAMED_SETS,
    SYSTEMS,
    EvaluationError,
    MeasuredReranking,
    OutputError,
    QuestionSet,
    SetMissingError,
    check_plot,
    checked_systems,
    evaluate_retrieval,
    load_set,
    plot,
    table,
)
from service.cli.common import err, errors_as_sentences, load_settings, out, stop
from service.cli.stages import stages
from service.container import make_encoder, make_store
from service.query_adapter import make_query_encoder
from service.reranking import make_reranker, rerank_settings
from service.settings import Settings

_DEFAULT = "bm25,dense,hybrid"
_SETS_HELP = f"{', '.join(NAMED_SETS)}, or a folder in the BEIR layout; may be repeated or separated by commas."
_SYSTEMS_HELP = f"What to measure, separated by commas: {', '.join(SYSTEMS)}."


def retrieval(
    sets: Annotated[list[str], typer.Option("--set", help=_SETS_HELP)],
    system: Annotated[str, typer.Option(help=_SYSTEMS_HELP)] = _DEFAULT,
    baseline: Annotated[
        str | None, typer.Option(help="The system others are compared with; else the first one measured.")
    ] = None,
    split: Annotated[str | None, typer.Option(help="Which file of a BEIR folder's qrels/ to use.")] = None,
    queries: Annotated[int | None, typer.Option(min=1, help="Only the first queries of each set, for a look.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write every figure to this file.")] = None,
    plot_file: Annotated[
        Path | None, typer.Option("--plot", help="Also draw it; needs clinsearch\\[eval]; .png, .svg or .pdf.")
    ] = None,
) -> None:
    """nDCG@10, recall and MRR@10 with 95 % intervals, and latency.

    Benchmarks are read from the folder in CLINSEARCH_BENCHMARKS, guideline corpora from that in CLINSEARCH_CORPORA; a
    set that is not there is skipped with a message.
    Passages are encoded once and kept in the data directory; an interrupted run goes on where it was.
    """
    settings = load_settings()
    systems = system.split(",")
    with _sentences():
        _check_outputs(json_file, plot_file)
        checked_systems(systems)
        with stages() as show:
            report = evaluate_retrieval(
                _present(_names(sets), split, queries),
                systems,
                encoder=lambda: make_encoder(settings),
                reranker=lambda: _reranker(settings),
                adapter=lambda: make_query_encoder(settings),
                folder=settings.data_dir / "eval",
                store=make_store(settings),
                baseline=baseline,
                report=show,
            )
        if not report.sets:
            raise stop("Nothing was measured.")
        out.print(table(report), highlight=False, markup=False, soft_wrap=True)
        if json_file is not None:
            _write(json_file, report.model_dump_json(indent=2))
        if plot_file is not None:
            plot(report, plot_file)


def _reranker(settings: Settings) -> MeasuredReranking:
    reranker = make_reranker(settings)
    chosen = rerank_settings(settings, reranker)
    return MeasuredReranking(reranker, chosen, frozenset(reranker.card.trained_sets))


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        with errors_as_sentences():
            yield
    except EvaluationError as error:
        raise stop(str(error)) from error
    except KeyboardInterrupt:
        raise stop("Interrupted; what was encoded is kept, and the same command goes on from there.", 130) from None


def _check_outputs(json_file: Path | None, plot_file: Path | None) -> None:
    """Refuse before a long run what could not be written after it."""
    if plot_file is not None:
        check_plot(plot_file)
    for path in (json_file, plot_file):
        if path is not None and not path.absolute().parent.is_dir():
            raise OutputError(f"{path.name} cannot be written: its folder does not exist.")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{path.name} could not be written: {error.strerror}.") from error


def _names(sets: list[str]) -> list[str]:
    """Each set once; a comma separates names unless the whole is a folder."""
    names = [part for name in sets for part in ([name] if Path(name).is_dir() else name.split(","))]
    return list(dict.fromkeys(name.strip() for name in names if name.strip()))


def _present(names: list[str], split: str | None, queries: int | None) -> Iterator[QuestionSet]:
    for name in names:
        try:
            found = load_set(name, split=split)
        except SetMissingError as error:
            err.print(f"Skipped {name}: {error}", style="yellow", markup=False, highlight=False)
            continue
        yield found if queries is None else found.first(queries)
