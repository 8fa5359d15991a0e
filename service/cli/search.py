"""`clinsearch search`: the hybrid search alone."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from agent import clean_question
from retrieval import SearchFilters, SearchRequest, SourceId
from service.cli.common import errors_as_sentences, load_settings, out, question_from
from service.cli.rendering import print_hit
from service.container import open_service_searcher


def search(
    query: Annotated[list[str], typer.Argument(help='What to look for, or "-" to read it from standard input.')],
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
    source: Annotated[str | None, typer.Option(help="Search only this source.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only guidelines of this region; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the hits as JSON.")] = False,
) -> None:
    """Find recommendations by BM25 and dense search together, best first."""
    settings = load_settings()
    with errors_as_sentences():
        filters = SearchFilters(source=SourceId(source) if source else None, regions=tuple(region or ()))
        words = clean_question(question_from(query))
        with closing(open_service_searcher(settings)) as searcher:
            result = searcher.search(SearchRequest(queries=(words,), filters=filters, limit=limit))
    if as_json:
        out.print_json(result.model_dump_json())
        return
    for hit in result.hits:
        print_hit(out, hit)
    out.print(f"\n{len(result.hits)} found in {result.total_ms:.0f} ms, index {result.index_version}", style="dim")
