"""`clinsearch ask`: one question in the terminal, steps as they happen."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer
from rich.text import Text

from agent import DoneEvent, Event, Origin, Question, StepEvent, clean_question
from retrieval import SearchFilters, SourceId
from service.cli.common import err, errors_as_sentences, load_settings, out, question_from, stop
from service.cli.rendering import print_answer
from service.container import build_service


def ask(
    question: Annotated[list[str], typer.Argument(help='The question, or "-" to read it from standard input.')],
    source: Annotated[str | None, typer.Option(help="Search only this source.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Only guidelines of this region; may be repeated.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole outcome as JSON.")] = False,
) -> None:
    """Ask a clinical question and get an answer with numbered sources."""
    settings = load_settings()
    with errors_as_sentences():
        filters = SearchFilters(source=SourceId(source) if source else None, regions=tuple(region or ()))
        asked = Question(text=clean_question(question_from(question)), filters=filters)
        with err.status("Opening the guidelines..."):
            service = build_service(settings)
        known = [str(item.id) for item in service.agent.searcher.sources]
        if source is not None and source not in known:
            asyncio.run(service.close())
            raise stop(f"There is no source {source!r}. Use one of: {', '.join(known)}.")

        async def emit(event: Event) -> None:
            if isinstance(event, StepEvent):
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
