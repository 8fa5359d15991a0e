"""`clinsearch policy test [FILE]`: the examples of a policy file, run before a deployment reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from agent.policy import ExampleOutcome, Outcome, load_policy, run_examples
from service.cli.common import errors_as_sentences, load_settings, out
from service.policy import check_sources, open_policy

app = typer.Typer(help="The organisation's policy.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """The organisation's policy."""


@app.command("test")
def run_test(
    file: Annotated[Path | None, typer.Argument(help="A policy file; left out: the one in force.")] = None,
) -> None:
    """Run a policy's own examples. Ends with 1, and a table of them, where some do not come out as they must."""
    settings = load_settings()
    with errors_as_sentences():
        policy = open_policy(settings) if file is None else load_policy(file)
        check_sources(policy, settings)
    results = list(run_examples(policy))
    failed = [result for result in results if not result.passed]
    out.print(f"Policy {policy.version} of {policy.organisation}, SHA-256 {policy.sha256}", highlight=False)
    if not results:
        out.print("There are no examples in it: nothing was tested. Add some under `examples`.", style="yellow")
    if failed:
        out.print(_table(failed))
    answered = sum(result.expected is not Outcome.REFUSE for result in results)
    out.print(
        f"{len(results) - len(failed)} of {len(results)} examples came out as they must. Refused by mistake: "
        f"{sum(result.false_block for result in results)} of {answered}. Not refused: "
        f"{sum(result.missed for result in results)} of {len(results) - answered}.",
        highlight=False,
        soft_wrap=True,
    )
    if failed or not results:
        raise typer.Exit(1)


def _table(failed: list[ExampleOutcome]) -> Table:
    table = Table("audience", "question", "must be", "is", "by")
    for result in failed:
        wanted = f"{result.expected} ({result.rule})" if result.rule else str(result.expected)
        cells = (result.audience, result.question, wanted, result.got, ", ".join(result.rules) or "-")
        table.add_row(*(Text(str(cell)) for cell in cells))
    return table
