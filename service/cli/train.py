"""`clinsearch train`: make the small models that this project trains itself."""

from __future__ import annotations

import typer

from service.cli.train_all import train_all
from service.cli.train_caution import caution
from service.cli.train_entailment import entailment
from service.cli.train_queries import queries
from service.cli.train_reranker import reranker
from service.cli.train_stages import card, dpo, selfdistill, sft

app = typer.Typer(help="Make the small models that this project trains itself.", no_args_is_help=True)
app.command("sft")(sft)
app.command("selfdistill")(selfdistill)
app.command("dpo")(dpo)
app.command("all")(train_all)
app.command("caution")(caution)
app.command("card")(card)
app.command("reranker")(reranker)
app.command("queries")(queries)
app.command("entailment")(entailment)


@app.callback()
def group() -> None:
    """Make the small models that this project trains itself."""
