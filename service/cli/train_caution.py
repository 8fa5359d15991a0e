"""`clinsearch train caution`: how readily an adapter's model answers, fitted on development runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from eval.agent.caution import fit, read_decisions, tradeoff
from eval.retrieval import EvaluationError
from service.cli.common import errors_as_sentences, out, stop
from service.cli.train_stages import sentences
from training.stages import with_caution

#: Shares of answerable questions held back that are shown beside the wanted one.
_SHOWN = (0.02, 0.05, 0.08, 0.10, 0.12, 0.15)


def caution(
    runs: Annotated[
        list[Path], typer.Argument(help="Folders of `clinsearch eval agent --split dev`, made for this adapter.")
    ],
    adapter: Annotated[Path, typer.Option(help="Folder of the adapter whose card takes what was fitted.")],
    model: Annotated[
        str | None, typer.Option(help="Name of its runs in those folders; the adapter's if left out.")
    ] = None,
    wrong: Annotated[
        float, typer.Option(min=0, max=1, help="Share of answerable questions that may be held back at first.")
    ] = 0.10,
) -> None:
    """Weigh what the evidence shows with the model's own log-odds of answering, and write it into the adapter's card.

    Figures in the card were measured without it and are taken out: `clinsearch eval agent`, then `train card`.
    """
    with errors_as_sentences(), sentences():
        try:
            name = model or adapter.name
            decisions = [decision for folder in runs for decision in read_decisions(folder, name)]
            rows = [tradeoff(decisions, fit(decisions, share)) for share in sorted({*_SHOWN, wrong})]
            chosen = fit(decisions, wrong)
        except EvaluationError as error:
            raise stop(str(error)) from error
        with_caution(adapter, chosen)
    lines = [f"{len(decisions)} decisions", "constant  held back: answerable  unanswerable"]
    lines += [f"{row.constant:8.2f}  {row.answerable:21.1%}  {row.unanswerable:12.1%}" for row in rows]
    lines.append(f"In the card of {adapter.name}: {chosen}")
    out.print("\n".join(lines), highlight=False, markup=False, soft_wrap=True)
