"""`clinsearch index build|status`."""

from __future__ import annotations

import typer

from retrieval import LIBRARY_FILE, Library, Withdrawals, build_index, left_behind, read_manifest, starter_entries
from service.cli.building import BuildDisplay
from service.cli.common import err, errors_as_sentences, load_settings, out
from service.container import make_encoder, make_store

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
            withdrawn=Withdrawals(settings.withdrawals_file).secure(),
        )
    out.print(
        f"Index {manifest.index_version}: {manifest.documents} documents, {manifest.passages} passages.",
        highlight=False,
    )


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
