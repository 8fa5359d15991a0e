"""Options that the evaluations of models share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Models = Annotated[
    str | None,
    typer.Option(
        help="Separated by commas, the first is compared with: base (untrained, free to choose), base-search-first "
        "(what the product does without an adapter), names of adapters that ship, or their directories."
    ),
]
Output = Annotated[Path | None, typer.Option(help="Runs and report; the same command goes on in it.")]
ModelUrls = Annotated[
    list[str], typer.Option(help="NAME=URL of a running server, instead of starting one; may be repeated.")
]
Concurrency = Annotated[int, typer.Option(help="Runs in progress at once.", min=1, max=4096)]
Temperature = Annotated[float | None, typer.Option(help="Instead of the setting.", min=0, max=2)]
Seed = Annotated[int, typer.Option(help="Sampling seeds of the runs derive from it.")]
Scored = Annotated[Path | None, typer.Option("--from", help="Score the runs of this folder again; no model is run.")]

DEFAULT_CONCURRENCY = 16
