"""`clinsearch search`: the hybrid search alone."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from agent import clean_question
from retrieval import SearchRequest, scoped
from service.cli import filters as options
from service.cli.common import errors_as_sentences, load_settings, out, question_from
from service.cli.rendering import print_hit
from service.container import open_service_searcher
from service.policy import audience_in, open_policy


def search(
    query: Annotated[list[str], typer.Argument(help='What to look for, or "-" to read it from standard input.')],
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
    source: options.Source = None,
    publisher: options.Publishers = None,
    region: options.Regions = None,
    language: options.Languages = None,
    published_from: options.PublishedFrom = None,
    published_to: options.PublishedTo = None,
    strength: options.Strengths = None,
    include_superseded: options.IncludeSuperseded = False,
    home_region: options.HomeRegion = None,
    audience: options.Audience = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the hits as JSON.")] = False,
) -> None:
    """Find recommendations by BM25 and dense search together, best first."""
    settings = load_settings()
    with errors_as_sentences():
        filters = options.filters_from(
            source=source,
            publisher=publisher,
            region=region,
            language=language,
            published_from=published_from,
            published_to=published_to,
            strength=strength,
            include_superseded=include_superseded,
        )
        home = options.home_region_from(home_region)
        words = clean_question(question_from(query))
        policy = open_policy(settings)
        scope = policy.search_scope(policy.audience_of(audience, audience_in(settings, policy)))
        with closing(open_service_searcher(settings)) as searcher:
            searcher.wait_for_reranker()
            wanted = SearchRequest(queries=(words,), filters=filters, home_region=home, limit=limit)
            result = scoped(searcher, scope).search(wanted)
    if as_json:
        out.print_json(result.model_dump_json())
        return
    for hit in result.hits:
        print_hit(out, hit)
    if result.undated_left_out:
        out.print(f"\n{result.undated_left_out} passages give no date and were left out.", style="yellow")
    if not result.hits:
        told = ", ".join(filters.in_words())
        within = f" within these filters: {told}. Look at their spelling, or take one away" if told else ""
        out.print(f"Nothing found{within}.", style="yellow", markup=False, highlight=False)
    took = f"{len(result.hits)} found in {result.total_ms:.0f} ms"
    if result.reranked:
        took += f", reranked in {result.rerank_ms:.0f} ms of these"
    elif result.not_reranked in ("deadline", "failed"):
        took += f", not reranked ({result.not_reranked})"
    out.print(f"\n{took}, index {result.index_version}", style="dim")
