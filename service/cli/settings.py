"""`clinsearch settings show`."""

from __future__ import annotations

import os

import typer

from service.cli.common import load_settings, out

app = typer.Typer(help="The settings in force.", no_args_is_help=True)


@app.command()
def show() -> None:
    """Print every setting with its value and whether it was set or is the default; secrets stay hidden."""
    settings = load_settings()
    for name, value in settings:
        variable = f"CLINSEARCH_{name.upper()}"
        origin = "environment" if variable in os.environ else "default"
        out.print(f"{variable}={value}  ({origin})", highlight=False, markup=False, soft_wrap=True)
