"""`clinsearch train entailment`: the gate's scorer, from sentences written about statements of the library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from service.cli.common import errors_as_sentences, load_settings, out, stop
from service.cli.questions import library_entries
from service.cli.stages import stages
from training.entailment import read_config, read_written_sentences, train_scorer
from training.errors import TrainingError
from training.questionset import RealQuestionsError


def entailment(
    config_file: Annotated[Path | None, typer.Option("--config", help="TOML; else the settings that ship.")] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="Keeps checkpoints and the adapter.")] = None,
) -> None:
    """Train the gate's entailment scorer, choose how sure it must be, measure it, and write its card.

    Needs the corpora in the library. Stopped at any moment, the same command goes on where it was.
    """
    settings = load_settings()
    place = folder or settings.data_dir / "training" / "entailment"
    try:
        with errors_as_sentences(), stages() as show:
            config = read_config(config_file)
            rows = read_written_sentences()
            show("reading the library", 0, 1)
            wanted = {row.passage for row in rows}
            library = {
                passage.id: (passage, entry.document)
                for entry in library_entries(settings)
                for passage in entry.passages
                if passage.id in wanted
            }
            train_scorer(place, config, rows, library, progress=show)
    except (TrainingError, RealQuestionsError) as error:
        raise stop(str(error)) from error
    except KeyboardInterrupt:
        raise stop("Interrupted; the same command goes on from the last checkpoint.", 130) from None
    out.print(f"Adapter and card: {place / 'adapter'}. Use it with CLINSEARCH_ENTAILMENT_ADAPTER.", soft_wrap=True)
