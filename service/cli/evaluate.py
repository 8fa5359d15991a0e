"""`clinsearch eval`: measure the product with its own search and its own agent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Protocol

import typer
from rich.progress import Progress

from agent import ClinicalAgent, OpenAIModelClient
from eval.conditions import condition_questions, evaluate_conditions
from eval.disagreements import disagreement_pairs
from eval.guideline_agent import AgentSet, evaluate_guideline_agent, guideline_agent_questions
from eval.patients import evaluate_patients, evaluate_rules, patient_questions
from eval.retrieval import EvaluationError
from eval.sources import (
    IN_FORCE,
    Chooser,
    ModelChooser,
    RouterChooser,
    Wording,
    bare_names,
    evaluate_sources,
    measured_sources,
    other_questions,
    source_questions,
    wordings,
)
from retrieval import DescriptionRouter, router_for, starter_entries
from service.cli.common import err, errors_as_sentences, load_settings, out, stop
from service.cli.evaluate_agent import agent
from service.cli.evaluate_answers import answers
from service.cli.evaluate_relevance import relevance
from service.cli.evaluate_retrieval import retrieval
from service.container import build_service, make_encoder, model_identity, open_service_searcher

app = typer.Typer(help="Measure the search, and answers with the agent and the model in use.", no_args_is_help=True)
app.command("agent")(agent)
app.command("answers")(answers)
app.command("retrieval")(retrieval)
app.command("relevance")(relevance)


@app.callback()
def group() -> None:
    """Measure the search, and answers with the agent and the model in use."""


@app.command()
def conditions(
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write every result to this file.")] = None,
) -> None:
    """One question per starter condition: is the right condition among the first three citations?"""
    _with_agent(lambda agent: evaluate_conditions(agent, condition_questions()), json_file)


@app.command()
def disagreements() -> None:
    """Pairs of recommendations: which that disagree are found, and which that do not are taken to."""
    for part in ("seen", "kept"):
        pairs = disagreement_pairs(part)
        for name, of in (("disagree, found", False), ("do not, left alone", True)):
            right = [pair.is_right() for pair in pairs if (pair.kind == "none") is of]
            out.print(f"{part}: {name} {sum(right)} of {len(right)}", highlight=False)
        for pair in pairs:
            if not pair.is_right():
                out.print(f"  wrong: {pair.id}", highlight=False)


@app.command()
def guidelines(
    which: Annotated[
        AgentSet,
        typer.Option(
            "--set",
            help="old: ten that retrieval was improved on; new: twenty seen since; later: twenty-nine others; latest: "
            "thirty written last.",
        ),
    ] = "new",
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write every result to this file.")] = None,
) -> None:
    """Questions over NGC and USPSTF: is the right recommendation cited, with its strength and date?

    Both corpora must have been added and indexed: `clinsearch corpus add` and `clinsearch index build`.
    """
    _with_agent(lambda agent: evaluate_guideline_agent(agent, guideline_agent_questions(which)), json_file)


@app.command()
def patients(
    half: Annotated[str, typer.Option(help="seen: what the rules were made with; kept: the others; or both.")] = "both",
    rules: Annotated[bool, typer.Option("--rules", help="The rules alone: no search, no model.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write every result to this file.")] = None,
) -> None:
    """Forty patients who must not get the obvious recommendation, and forty twins who may."""
    if half not in ("both", "seen", "kept"):
        raise stop("--half takes seen, kept or both.")
    asked = [question for question in patient_questions() if half in ("both", question.half)]
    passages = {passage.id: passage for entry in starter_entries() for passage in entry.passages}
    if not rules:
        _with_agent(lambda agent: evaluate_patients(agent, asked, passages), json_file)
        return
    _tell(evaluate_rules(asked, passages), json_file)


@app.command()
def sources(
    by: Annotated[
        str,
        typer.Option(
            help="Who chooses: similarity and router by descriptions, passages by what the index holds as well, model; "
            "several separated by commas."
        ),
    ] = "similarity,router",
    questions: Annotated[
        Path | None, typer.Option(help="JSONL with question and source instead of those that come with the project.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many of --questions of each source.")] = None,
    split: Annotated[str, typer.Option(help="dev, to choose wordings by; test, to confirm; or both.")] = "dev",
    candidates: Annotated[
        bool, typer.Option("--candidates", help="Also every candidate wording of eval/source_wordings.jsonl.")
    ] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write every choice to this file.")] = None,
) -> None:
    """How often the right source is chosen, given the descriptions in force and given bare names."""
    settings = load_settings()
    wanted = [name.strip() for name in by.split(",") if name.strip()]
    if not wanted or not set(wanted) <= {"similarity", "router", "passages", "model"}:
        raise stop("--by takes similarity, router, passages and model, separated by commas.")
    if split not in ("dev", "test", "both"):
        raise stop("--split takes dev, test or both.")
    with errors_as_sentences():
        # What an index holds says nothing of the source that is measured as an example only.
        searcher = open_service_searcher(settings) if "passages" in wanted else None
        described = measured_sources(settings.all_sources) if searcher is None else searcher.sources
        try:
            known = source_questions() if questions is None else other_questions(questions, described, limit)
            asked = [question for question in known if questions or split in ("both", question.split)]
            others = wordings() if candidates else ()
        except EvaluationError as error:
            raise stop(str(error)) from error
        encoder = make_encoder(settings) if searcher is None else searcher.encoder
        tried = (bare_names(described), Wording(name=IN_FORCE, descriptions={}), *others)

        async def run() -> None:
            key = settings.model_api_key.get_secret_value() if settings.model_api_key else "none"
            client = OpenAIModelClient(
                settings.model_url or settings.local_model_url, model_identity(settings), api_key=key
            )
            makers: dict[str, Chooser] = {
                "similarity": RouterChooser(DescriptionRouter(encoder, margin=0.0)),
                "router": RouterChooser(DescriptionRouter(encoder)),
                "model": ModelChooser(client),
            }
            if searcher is not None:
                makers["passages"] = RouterChooser(router_for(encoder, searcher.nearest))
            try:
                if "model" in wanted and not await client.ready():
                    raise stop("The model server does not answer. Start it with `clinsearch model serve`.")
                with Progress(console=err, transient=True) as progress:
                    task = progress.add_task("Choosing", total=None)

                    def show(stage: str, done: int, total: int) -> None:
                        progress.update(task, description=stage, completed=done, total=total)

                    report = await evaluate_sources(
                        {name: makers[name] for name in wanted}, asked, described, tried, report=show
                    )
            finally:
                await client.close()
                if searcher is not None:
                    searcher.close()
            _tell(report, json_file)

        asyncio.run(run())


class _Report(Protocol):
    """What an evaluation gives."""

    def table(self) -> str: ...

    def model_dump_json(self, *, indent: int | None = None) -> str: ...


def _with_agent(evaluate: Callable[[ClinicalAgent], Awaitable[_Report]], json_file: Path | None) -> None:
    """Run an evaluation with the agent and model in use; print its table, and write every result where asked."""
    settings = load_settings()
    with errors_as_sentences():
        service = build_service(settings, keeps=False)

        async def run() -> _Report:
            try:
                return await evaluate(service.agent)
            finally:
                await service.close()

        _tell(asyncio.run(run()), json_file)


def _tell(report: _Report, json_file: Path | None) -> None:
    """Print its table, and write every result where asked."""
    out.print(report.table(), highlight=False, markup=False, soft_wrap=True)
    if json_file is not None:
        json_file.write_text(report.model_dump_json(indent=2), encoding="utf-8")
