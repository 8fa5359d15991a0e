"""`clinsearch up`: the whole product in the foreground."""

from __future__ import annotations

import asyncio

import typer

from service.cli.common import err, load_settings, stop
from service.up import ConsoleScreen, PlanError, plan_for, supervise


def up() -> None:
    """Prepare the model, index the guidelines, start the model server and the API, and keep them running."""
    settings = load_settings()
    try:
        plan = plan_for(settings)
    except PlanError as error:
        raise stop(str(error)) from error
    raise typer.Exit(asyncio.run(supervise(plan, ConsoleScreen(err))))
