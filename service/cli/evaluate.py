"""`clinsearch eval`: measure the product with its own search and its own agent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from eval.conditions import condition_questions, evaluate_conditions
from service.cli.common import errors_as_sentences, load_settings, out
from service.cli.evaluate_retrieval import retrieval
from service.container import build_service

app = typer.Typer(help="Measure the search, and answers with the agent and the model in use.", no_args_is_help=True)
app.command("retrieval")(retrieval)


@app.callback()
def group() -> None:
    """Measure the search, and answers with the agent and the model in use."""


@app.command()
def conditions(
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write every result to this file.")] = None,
) -> None:
    """One question per starter condition: is the right condition among the first three citations?"""
    settings = load_settings()
    with errors_as_sentences():
        service = build_service(settings)

        async def run() -> None:
            try:
                report = await evaluate_conditions(service.agent, condition_questions())
            finally:
                await service.close()
            out.print(report.table(), highlight=False, markup=False)
            if json_file is not None:
                json_file.write_text(report.model_dump_json(indent=2), encoding="utf-8")

        asyncio.run(run())
