"""`clinsearch index build|predict|status`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent import ModelIdentity, OpenAIModelClient
from retrieval import (
    LIBRARY_FILE,
    Document,
    Library,
    Passage,
    Withdrawals,
    build_index,
    left_behind,
    read_manifest,
    starter_entries,
)
from service.cli.building import BuildDisplay
from service.cli.common import err, errors_as_sentences, load_settings, out, stop
from service.container import make_encoder, make_store
from service.predicted_queries import predicted_queries
from service.query_writer import WritingDone, without_predicted, write_queries

app = typer.Typer(help="Build the search index, or see what is in it.", no_args_is_help=True)


@app.command()
def build() -> None:
    """Index the starter guidelines and what was added. Only new passages are encoded; the old index serves on."""
    settings = load_settings()
    with errors_as_sentences(), BuildDisplay(err) as display:
        with Library(settings.data_dir / LIBRARY_FILE) as library:
            entries = [*starter_entries(), *library.entries()]
        manifest = build_index(
            entries,
            settings.index_dir,
            make_encoder(settings),
            store=make_store(settings),
            progress=display,
            predicted=predicted_queries(settings),
            withdrawn=Withdrawals(settings.withdrawals_file).secure(),
        )
    out.print(
        f"Index {manifest.index_version}: {manifest.documents} documents, {manifest.passages} passages.",
        highlight=False,
    )


@app.command(name="predict")
def predict_queries(
    model_url: Annotated[str, typer.Option(help="An OpenAI-compatible server, https://host:8000/v1.")],
    model_name: Annotated[
        str, typer.Option(help="The name of the model there: an instruct model of 7 billion or more.")
    ],
    concurrency: Annotated[int, typer.Option(help="Recommendations asked for at once.", min=1, max=1024)] = 8,
    limit: Annotated[int | None, typer.Option(help="At most so many in this run.", min=1)] = None,
) -> None:
    """Have a model write questions for recommendations that have none; the next build finds them by those too.

    They are searched and never shown. A run that was stopped goes on where it was. The text of the recommendations is
    sent to that server.
    """
    settings = load_settings()
    if settings.predicted_queries == "off":
        raise stop("Predicted queries are off: unset CLINSEARCH_PREDICTED_QUERIES first.")
    with errors_as_sentences():
        with Library(settings.data_dir / LIBRARY_FILE) as library:
            waiting = without_predicted([*starter_entries(), *library.entries()], predicted_queries(settings))[:limit]
        if not waiting:
            out.print("Every recommendation has its questions.", highlight=False)
            return
        key = settings.model_api_key.get_secret_value() if settings.model_api_key else "none"
        done = asyncio.run(_written(waiting, model_url, model_name, key, concurrency, settings.predicted_dir))
    out.print(f"Written for {done.written} recommendations, failed for {done.failed}.", highlight=False)
    if done.written:
        out.print("Run `clinsearch index build` to search by them.", highlight=False)
    else:
        raise stop("The model wrote nothing that can be used: name a stronger one with --model-name.")


async def _written(
    waiting: Sequence[tuple[Passage, Document]], url: str, name: str, key: str, concurrency: int, directory: Path
) -> WritingDone:
    model = OpenAIModelClient(url, ModelIdentity(model=name), api_key=key)
    columns = (TextColumn("Writing questions"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as shown:
        bar = shown.add_task("", total=len(waiting))
        try:
            return await write_queries(
                waiting,
                model,
                directory,
                concurrency=concurrency,
                report=lambda done, _: shown.update(bar, completed=done),
            )
        finally:
            await model.close()


@app.command()
def status() -> None:
    """Show the index that serves now."""
    settings = load_settings()
    with errors_as_sentences():
        manifest = read_manifest(settings.index_dir)
        left = left_behind(settings.index_dir)
    out.print_json(manifest.model_dump_json())
    for record in left:
        err.print(
            f"The collection {record.collection} ({record.points} passages) on the Qdrant server {record.url} serves "
            "no index any more and stays there until it is removed on that server.",
            style="yellow",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
