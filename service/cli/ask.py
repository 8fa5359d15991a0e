"""`clinsearch ask`: one question in the terminal, steps as they happen."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.text import Text

from agent import DoneEvent, Event, NoticesEvent, Origin, Question, QuestionError, StepEvent, clean_question
from agent.wording import UNDATED_LEFT_OUT
from retrieval import UnknownSourceError, source_named
from service.cli import filters as options
from service.cli.common import err, errors_as_sentences, load_settings, out, question_from
from service.cli.rendering import print_answer
from service.container import build_service


def ask(
    question: Annotated[list[str], typer.Argument(help='The question, or "-" to read it from standard input.')],
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole outcome as JSON.")] = False,
) -> None:
    """Ask a clinical question and get an answer with numbered sources."""
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
        text = clean_question(question_from(question))
        asked = Question(text=text, filters=filters, home_region=home, audience=audience)
        if filters.dated:
            err.print(UNDATED_LEFT_OUT, style="dim")
        with err.status("Opening the guidelines..."):
            service = build_service(settings, keeps=False)
        try:
            sources = service.agent.searcher_for(audience).sources
            if source is not None:
                source_named(source, sources)
        except (UnknownSourceError, QuestionError):
            asyncio.run(service.close())
            raise

        async def emit(event: Event) -> None:
            if isinstance(event, NoticesEvent):
                for notice in event.notices:  # at once: the answer may take a minute
                    err.print(Text(notice.text, style="bold red"))
            elif isinstance(event, StepEvent):
                err.print(Text(f"· {event.step.summary} ({event.step.duration_ms:.0f} ms)", style="dim"))
            elif isinstance(event, DoneEvent):
                if as_json:
                    out.print_json(event.result.model_dump_json())
                else:
                    print_answer(out, event.result)

        async def run() -> None:
            try:
                await service.agent.ask(asked, emit, origin=Origin(question_source="cli"))
            finally:
                await service.close()

        asyncio.run(run())
