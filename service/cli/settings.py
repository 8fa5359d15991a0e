"""`clinsearch settings show`."""

from __future__ import annotations

import json
import os

import typer

from retrieval import UNPROVEN
from service.cli.common import errors_as_sentences, load_settings, out
from service.policy import audience_in, open_policy

app = typer.Typer(help="The settings in force.", no_args_is_help=True)


@app.command()
def show() -> None:
    """Print every setting with its value and whether it was set or is the default; secrets stay hidden."""
    settings = load_settings()
    for name, value in settings:
        variable = f"CLINSEARCH_{name.upper()}"
        origin = "environment" if variable in os.environ else "default"
        shown = (
            json.dumps([source.model_dump(mode="json") for source in settings.sources]) if name == "sources" else value
        )
        if name == "encoder" and settings.encoder in UNPROVEN:
            origin += "; never run here with its real weights"
        out.print(f"{variable}={shown}  ({origin})", highlight=False, markup=False, soft_wrap=True)
    with errors_as_sentences():
        policy = open_policy(settings)
    for line in (
        f"\nPolicy {policy.version} of {policy.organisation}, SHA-256 {policy.sha256}:",
        f"  answers the audience {audience_in(settings, policy)}. {policy.scope}",
    ):
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    out.print("\nSources the model may choose between, where the index holds documents of them:", highlight=False)
    for source in settings.all_sources:
        filters = [
            f"{name}: {', '.join(values)}"
            for name, values in (("publishers", source.publishers), ("regions", source.regions))
            if values
        ]
        limits = f" ({'; '.join(filters)})" if filters else ""
        out.print(f"  {source.id}: {source.description}{limits}", highlight=False, markup=False, soft_wrap=True)
