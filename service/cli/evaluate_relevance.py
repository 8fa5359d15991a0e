"""`clinsearch eval relevance`: what the relevance floor leaves out and keeps, and fitting it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from eval.relevance import HEADING, as_vignettes, figures, fit, listed_hits, off_corpus_questions
from eval.retrieval import EvaluationError, SetMissingError, load_set
from retrieval.relevance import RELEVANCE_FILE, packaged_relevance
from service.cli.common import err, errors_as_sentences, load_settings, out, stop
from service.container import make_encoder, make_store

_DEVELOPMENT = "guidelines-dev"
#: The starter's condition questions are measured and never fitted on.
_MEASURED = ("guidelines-test", "mediqa", "bioasq", "starter")
_ENOUGH = 300


def relevance(
    fit_anew: Annotated[
        bool, typer.Option("--fit", help="Fit model and floor on development questions first, and keep them.")
    ] = False,
    output: Annotated[Path, typer.Option(help="Where a fitted model is written.")] = RELEVANCE_FILE,
) -> None:
    """Share of listed hits on the subject with and without the floor, answers kept, and questions with nothing shown.

    Run it with --fit after a change of encoder, tokeniser or searched text; it needs the guideline corpora.
    """
    settings = load_settings()
    with errors_as_sentences():
        try:
            off = off_corpus_questions()
            encoder = make_encoder(settings)
            with Progress(console=err, transient=True) as progress:
                task = progress.add_task("reading", total=None)

                def show(stage: str, done: int, total: int) -> None:
                    progress.update(task, description=stage, completed=done, total=total)

                def hits(name: str, part: str | None = None, *, vignettes: bool = False):  # type: ignore[no-untyped-def]
                    asked = [question for question in off if question.split == part and question.vignette == vignettes]
                    found = load_set(name)
                    return listed_hits(
                        (as_vignettes(found) if vignettes else found).first(_ENOUGH),
                        asked,
                        encoder=encoder,
                        folder=settings.data_dir / "eval",
                        store=make_store(settings),
                        report=show,
                    )

                own, off_dev = hits(_DEVELOPMENT, "dev")
                model = fit(own, off_dev, encoder.name) if fit_anew else packaged_relevance()
                if model.encoder != encoder.name:
                    raise stop(f"The floor was fitted with {model.encoder}, not {encoder.name}: fit it with --fit.")
                rows = [figures(_DEVELOPMENT, own, model), figures("off-corpus dev", off_dev, model)]
                for part in ("dev", "test"):
                    told, off_told = hits(f"guidelines-{part}", part, vignettes=True)
                    if told:
                        rows.append(figures(f"{_DEVELOPMENT} vignettes", told, model))
                    rows.append(figures(f"off-corpus {part} vignettes", off_told, model))
                for name in _MEASURED:
                    try:
                        found, off_test = hits(name, "test" if name == "guidelines-test" else None)
                    except SetMissingError as error:
                        err.print(f"Skipped {name}: {error}", style="yellow", markup=False, highlight=False)
                        continue
                    rows.append(figures(name, found, model))
                    if off_test:
                        rows.append(figures("off-corpus test", off_test, model))
        except EvaluationError as error:
            raise stop(str(error)) from error
    weights = ", ".join(f"{name} {weight:+.2f}" for name, weight in model.weights.items())
    out.print(f"floor {model.floor:.3f}; bias {model.bias:+.2f}, {weights}", highlight=False, markup=False)
    out.print("\n".join([HEADING, *(row.line() for row in rows)]), highlight=False, markup=False, soft_wrap=True)
    if fit_anew:
        kept = model.model_copy(update={"fitted": {row.name: " ".join(row.line().split()) for row in rows}})
        output.write_text(kept.model_dump_json(by_alias=True, indent=1) + "\n", encoding="utf-8")
        out.print(f"Written to {output.name}.", highlight=False)
