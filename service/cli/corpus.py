"""`clinsearch corpus add|list|remove|withdraw|restore|withdrawn`."""

from __future__ import annotations

import getpass
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Annotated, Literal

import typer
from pydantic import ValidationError
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from agent import answers_citing
from retrieval import (
    LIBRARY_FILE,
    AddProgress,
    CutLimits,
    DocumentId,
    IndexMismatchError,
    IndexMissingError,
    Library,
    PassageId,
    PathReport,
    StatedMetadata,
    Withdrawal,
    Withdrawals,
    add_paths,
    open_corpus,
    packaged_counter,
    reader_named,
    source_named,
    starter_entries,
)
from service.cli.common import err, errors_as_sentences, load_settings, out, stop
from service.settings import Settings

app = typer.Typer(help="Add guideline files to what is searched, list them, remove them.", no_args_is_help=True)

_SHOWN = 10  # reasons of one kind printed in full before they are counted


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files, folders or archives (.zip, .tar, .gz, .xz).")],
    reader: Annotated[str | None, typer.Option(help="Read with this reader instead of detecting the format.")] = None,
    source: Annotated[str | None, typer.Option(help="Source they belong to, such as guidelines.")] = None,
    publisher: Annotated[str | None, typer.Option(help="Who published them, where the files do not say.")] = None,
    region: Annotated[str | None, typer.Option(help="Country code (GB), EU or INT.")] = None,
    language: Annotated[str | None, typer.Option(help="Language tag, such as en or fr.")] = None,
    published: Annotated[str | None, typer.Option(help="2018, 2018-06 or 2018-06-30.")] = None,
    review_by: Annotated[str | None, typer.Option(help="Date after which they are shown as expired.")] = None,
    version: Annotated[str | None, typer.Option(help="The publisher's own version.")] = None,
    supersedes: Annotated[str | None, typer.Option(help="Id of the document that they replace.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Let them replace documents of the same id from other files.")
    ] = False,
) -> None:
    """Read publishers' files into passages. A file that cannot be read is named; the others go in.

    What the options state goes before what the files say, and still holds when the same paths are added again.
    """
    settings = load_settings()
    stated = _stated(
        source=source,
        publisher=publisher,
        region=region,
        language=language,
        published=published,
        review_by=review_by,
        version=version,
        supersedes=supersedes,
    )
    failed = documents = 0
    with errors_as_sentences():
        chosen = reader_named(reader) if reader else None
        known = [item.id for item in settings.all_sources]
        if source is not None:
            source_named(source, settings.all_sources)
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

            for report in add_paths(
                paths,
                library,
                limits,
                reader=chosen,
                stated=stated,
                known_sources=known,
                replace=replace,
                progress=show,
            ):
                _print_report(report)
                failed += len(report.failed)
                documents += report.changed
            if supersedes is not None and not _known(library, DocumentId(supersedes)):
                err.print(
                    f"No document here has the id {supersedes[:80]!r}, so nothing is replaced yet. "
                    "`clinsearch search` shows the ids with --json.",
                    style="yellow",
                    markup=False,
                    highlight=False,
                    soft_wrap=True,
                )
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
    known = {str(source.id) for source in settings.all_sources}
    unknown = sorted({name for corpus in summaries for name in corpus.sources} - known)
    table = Table(box=None, pad_edge=False)
    # Long lists of publishers stand on a line of their own, so that the figures fit 80 columns.
    table.add_column("Corpus", overflow="fold", min_width=12)
    for name in ("Documents", "Passages", "Recommended", "Graded"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Published", no_wrap=True)
    for corpus in summaries:
        years = [date[:4] for date in (corpus.first_published, corpus.last_published) if date]
        table.add_row(
            corpus.corpus,
            f"{corpus.documents:,}",
            f"{corpus.passages:,}",
            f"{corpus.recommendations:,}",
            f"{corpus.graded:,}",
            "-".join(dict.fromkeys(years)) or "not stated",
        )
    out.print(table)
    out.print("Recommended: passages that recommend. Graded: those of them whose text gives a strength.\n", style="dim")
    for corpus in summaries:
        sources = ", ".join(name if name in known else f"{name} (not in settings)" for name in corpus.sources)
        shown = ", ".join(corpus.publishers[:3])
        if (more := len(corpus.publishers) - 3) > 0:
            shown += f" and {more} more"
        out.print(f"{corpus.corpus}: {sources}, from {shown}", markup=False, highlight=False)
    if unknown:
        err.print(
            f"Not offered to the agent: {', '.join(unknown)}. Add the source to CLINSEARCH_SOURCES, or add the files "
            f"again with --source and one of: {', '.join(source.id for source in settings.all_sources)}.",
            style="yellow",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


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


@app.command()
def withdraw(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of a document or of one passage.")],
    why: Annotated[str, typer.Option(help="The reason; shown to whoever opens a passage that cited it.")],
    who: Annotated[str | None, typer.Option(help="Who decides this; the user's name unless given.")] = None,
) -> None:
    """Take a document or a passage out of every search at once, and list the answers that cited it."""
    settings = load_settings()
    with errors_as_sentences():
        act = _record(settings, "withdraw", name, why, who)
        out.print(
            f"Withdrawn: the {act.kind} {act.id}, {len(act.passages)} passages. No search finds it from now on.",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
        count = 0
        for answer in answers_citing(settings.journal_dir, act):
            count += 1
            out.print(f"  cited in {answer.rollout_id}, {answer.created_at}", highlight=False, soft_wrap=True)
    out.print(
        f"{count} past answer{'' if count == 1 else 's'} cited it." if count else "No past answer cited it.",
        highlight=False,
    )


@app.command()
def restore(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of a withdrawn document or passage.")],
    why: Annotated[str, typer.Option(help="The reason; kept on record.")],
    who: Annotated[str | None, typer.Option(help="Who decides this; the user's name unless given.")] = None,
) -> None:
    """Take a withdrawal back. What an index build has left out since is found again after the next build."""
    settings = load_settings()
    with errors_as_sentences():
        act = _record(settings, "restore", name, why, who)
    out.print(
        f"Restored: the {act.kind} {act.id}. Run `clinsearch index build` if an index was built meanwhile.",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


@app.command()
def withdrawn(
    accept_loss: Annotated[
        bool,
        typer.Option("--accept-loss", help="Where acts were lost for good: go on with those that are left."),
    ] = False,
) -> None:
    """List what is withdrawn now, with who did it, when and why."""
    settings = load_settings()
    with errors_as_sentences():
        record = Withdrawals(settings.withdrawals_file)
        if accept_loss:
            lost = record.accept_loss()
            err.print(
                f"Acts lost: {lost}. What they withdrew is shown again; withdraw it again where it must not be.",
                highlight=False,
            )
        now = record.now()
    if not now:
        out.print("Nothing is withdrawn.")
    for act in now.standing:
        out.print(
            f"{act.kind} {act.id}: {act.why} ({act.who}, {act.at:%Y-%m-%d %H:%M} UTC)",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )


def _record(
    settings: Settings, act: Literal["withdraw", "restore"], name: str, why: str, who: str | None
) -> Withdrawal:
    """Put an act on record. Ends the command with a sentence where there is nothing of this id."""
    withdrawals = Withdrawals(settings.withdrawals_file)
    standing = {held.id: held for held in withdrawals.now().standing}
    if (name in standing) == (act == "withdraw"):
        raise stop(f"{name[:80]!r} is {'already' if act == 'withdraw' else 'not'} withdrawn.")
    kind, passages = (standing[name].kind, standing[name].passages) if act == "restore" else _named(settings, name)
    try:
        made = Withdrawal(
            act=act, kind=kind, id=name, why=why, who=who or _user(), at=datetime.now(UTC), passages=passages
        )
    except ValidationError as error:
        raise stop("--why takes the reason in 3 to 500 characters.") from error
    withdrawals.add(made)
    return made


def _known(library: Library, document: DocumentId) -> bool:
    return library.text(document) is not None or any(entry.document.id == document for entry in starter_entries())


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # a container's user without a name
        raise stop("The user running this has no name: say who decides with --who.") from error


def _named(settings: Settings, name: str) -> tuple[Literal["document", "passage"], tuple[PassageId, ...]]:
    """What an id names: in the index that serves, else among the starter guidelines and what was added."""
    try:
        with closing(open_corpus(settings.index_dir)) as corpus:
            if corpus.document(DocumentId(name)) is not None:
                return "document", corpus.passage_ids(DocumentId(name))
            if corpus.passage(PassageId(name)) is not None:
                return "passage", (PassageId(name),)
    except (IndexMissingError, IndexMismatchError):
        pass  # what is not indexed can be withdrawn before it ever is
    with Library(settings.data_dir / LIBRARY_FILE) as library:
        for entry in chain(starter_entries(), library.entries()):
            ids = tuple(passage.id for passage in entry.passages)
            if entry.document.id == name:
                return "document", ids
            if name in ids:
                return "passage", (PassageId(name),)
    raise stop(f"There is no document or passage {name[:80]!r}. `clinsearch search` shows the ids with --json.")


def _stated(**fields: str | None) -> StatedMetadata:
    try:
        return StatedMetadata.model_validate(fields)
    except ValidationError as error:
        name = str(error.errors(include_input=False, include_url=False)[0]["loc"][0])
        wanted = {
            "region": "a country code such as GB, EU or INT",
            "language": "a language tag such as en or fr",
            "published": "a date: 2018, 2018-06 or 2018-06-30",
            "review_by": "a date: 2018, 2018-06 or 2018-06-30",
        }.get(name, "1 to 200 characters")
        raise stop(f"--{name.replace('_', '-')} takes {wanted}.") from error


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
