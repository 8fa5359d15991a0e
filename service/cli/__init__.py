"""The `clinsearch` command. Each group of commands has a module; this one only puts them together."""

from __future__ import annotations

import typer

from service.cli import (
    ask,
    corpus,
    evaluate,
    gate,
    index,
    mcp,
    model,
    policy,
    questions,
    rollouts,
    search,
    serve,
    settings,
    train,
    up,
)

app = typer.Typer(
    name="clinsearch",
    help="Agentic clinical search: sourced answers from guidelines.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # locals may hold a clinician's words
)
app.command("ask")(ask.ask)
app.command("search")(search.search)
app.command("serve")(serve.serve)
app.command("mcp")(mcp.mcp)
app.command("up")(up.up)
app.add_typer(corpus.app, name="corpus")
app.add_typer(evaluate.app, name="eval")
app.add_typer(gate.app, name="gate")
app.add_typer(index.app, name="index")
app.add_typer(model.app, name="model")
app.add_typer(policy.app, name="policy")
app.add_typer(questions.app, name="questions")
app.add_typer(rollouts.app, name="rollouts")
app.add_typer(settings.app, name="settings")
app.add_typer(train.app, name="train")


def main() -> None:
    """Entry point of the installed command."""
    app()
