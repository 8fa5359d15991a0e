"""`clinsearch corpus add|list|remove`."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from retrieval import (
    LIBRARY_FILE,
    AddProgress,
    CutLimits,
    Library,
    PathReport,
    add_paths,
    packaged_counter,
    reader_named,
)
from service.cli.common import err, errors_as_sentences, load_settings, out, stop

app = typer.Typer(help="Add guideline files to what is searched, list them, remove them.", no_args_is_help=True)

_SHOWN = 10  # reasons of one kind printed in full before they are counted


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or archives (.zip, .tar, .gz, .xz).")],
    reader: Annotated[str | None, typer.Option(help="Read with this reader instead of detecting the format.")] = None,
) -> None:
    """Read publishers' files into passages. A file that cannot be read is named; the others go in."""
    settings = load_settings()
    failed = documents = 0
    with errors_as_sentences():
        chosen = reader_named(reader) if reader else None
        limits = CutLimits(packaged_counter())
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        with (
            Library(settings.data_dir / LIBRARY_FILE) as library,
            Progress(*columns, console=err, transient=True) as progress,
        ):
            task = progress.add_task("Reading")

            def show(at: AddProgress) -> None:
                name = Path(at.path).name
                progress.update(task, description=f"Reading {name}: {at.files} files, {at.documents} documents")

            for report in add_paths(paths, library, limits, reader=chosen, progress=show):
                _print_report(report)
                failed += len(report.failed)
                documents += report.changed
    if documents:
        out.print("Run `clinsearch index build` to search what is new.", highlight=False)
    if failed:
        raise stop(f"{failed} files could not be read; they are named above.")


@app.command("list")
def list_corpora() -> None:
    """Show what was added, by corpus."""
    settings = load_settings()
    with errors_as_sentences(), Library(settings.data_dir / LIBRARY_FILE) as library:
        summaries = library.summaries()
    if not summaries:
        out.print("Nothing was added yet. The starter guidelines are always searched.")
        return
    table = Table("Corpus", "Source", box=None, pad_edge=False)
    for name in ("Documents", "Passages", "Recommendations", "With strength"):
        table.add_column(name, justify="right")
    table.add_column("Published")
    table.add_column("Publishers")
    for corpus in summaries:
        years = [date[:4] for date in (corpus.first_published, corpus.last_published) if date]
        shown = ", ".join(corpus.publishers[:3]) + (
            f" and {more} more" if (more := len(corpus.publishers) - 3) > 0 else ""
        )
        table.add_row(
            corpus.corpus,
            ", ".join(corpus.sources),
            f"{corpus.documents}",
            f"{corpus.passages}",
            f"{corpus.recommendations}",
            f"{corpus.graded}",
            "-".join(dict.fromkeys(years)) or "not stated",
            shown,
        )
    out.print(table)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(metavar="ID", help="A document's id, or the name of a corpus.")],
) -> None:
    """Remove a document or a whole corpus. It is searched until the next `clinsearch index build`."""
    settings = load_settings()
    with errors_as_sentences(), Library(settings.data_dir / LIBRARY_FILE) as library:
        removed = library.remove(name)
    if not removed:
        raise stop(f"There is no document or corpus {name[:80]!r}. `clinsearch corpus list` shows the corpora.")
    out.print(
        f"Removed {removed} documents. Run `clinsearch index build` to take them out of the search.", highlight=False
    )


def _print_report(report: PathReport) -> None:
    name = Path(report.path).name
    if report.unchanged:
        out.print(f"{name}: unchanged", highlight=False, markup=False, soft_wrap=True)
        return
    readers = ", ".join(f"{reader} {count}" for reader, count in report.readers.most_common())
    out.print(
        f"{name}: {report.documents} documents ({report.changed} new or changed), {report.passages} passages, "
        f"{report.recommendations} recommendations, {report.graded} with strength"
        + (f" [{readers}]" if readers else ""),
        highlight=False,
        markup=False,
        soft_wrap=True,
    )
    reasons = Counter(item.why for item in report.skipped)
    for why, count in reasons.most_common():
        if count > _SHOWN:
            lines = [f"{count} that each {why}"]
        else:
            lines = [f"{item.name} {why}" for item in report.skipped if item.why == why]
        for line in lines:
            out.print(f"  left out: {line}", highlight=False, markup=False, soft_wrap=True)
    for item in report.failed:
        err.print(f"  not read: {item.name} {item.why}", style="red", highlight=False, markup=False, soft_wrap=True)
