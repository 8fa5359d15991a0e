"""`clinsearch eval agent`: questions with known answers through the agent, with one model after the other."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from agent import ModelIdentity, OpenAIModelClient
from agent.batch import BatchError, BatchSettings, BatchSummary
from eval.agent import (
    QUESTIONS_FILE,
    Asked,
    ask_model,
    chosen_keys,
    evaluate_runs,
    found_models,
    page,
    patient,
    plot,
    read_questions,
    table,
    write_questions,
)
from eval.retrieval import EvaluationError, ExtraMissingError, SetMissingError
from retrieval import HybridSearcher, SearchRequest, router_for
from service.cli.common import err, errors_as_sentences, load_settings, out, stop
from service.cli.generate import batch_progress
from service.container import open_service_searcher, prepared_identity
from service.model.choice import BASE_NAME, adapter_directory, model_place
from service.model.errors import ModelSetupError
from service.model.manifest import read_model_manifest
from service.model.running import running_model
from service.settings import Settings
from service.up.probe import served_names

#: What the product does without an adapter: it searches once and lists the recommendations.
SEARCH_FIRST_NAME = "base-search-first"
_DEFAULT_CONCURRENCY = 16


@dataclass(frozen=True, slots=True)
class _Model:
    """One column: its name, and the model or the running server behind it."""

    name: str
    #: As `clinsearch model serve --model` takes it.
    model: str
    url: str | None

    @property
    def search_first(self) -> bool:
        return self.name == SEARCH_FIRST_NAME

    @property
    def server(self) -> str:
        """Columns with the same text share a server."""
        return self.url or self.model


def agent(
    models: Annotated[
        str | None,
        typer.Option(
            help="Separated by commas, the first is compared with: base (untrained, free to choose), base-search-first "
            "(what the product does without an adapter), names of adapters that ship, or their directories."
        ),
    ] = None,
    questions: Annotated[Path | None, typer.Option(help="JSONL: id, question, and what is known of it.")] = None,
    questions_dir: Annotated[Path | None, typer.Option(help="Folder with a file for each split.")] = None,
    split: Annotated[str, typer.Option(help="Which file of --questions-dir.")] = "test",
    output: Annotated[Path | None, typer.Option(help="Runs and report; the same command goes on in it.")] = None,
    model_url: Annotated[
        list[str], typer.Option(help="NAME=URL of a running server, instead of starting one; may be repeated.")
    ] = [],  # noqa: B006 - typer copies it
    concurrency: Annotated[int, typer.Option(help="Runs in progress at once.", min=1, max=4096)] = _DEFAULT_CONCURRENCY,
    limit: Annotated[int | None, typer.Option(help="Only the first questions, for a look.", min=1)] = None,
    n: Annotated[int, typer.Option("--n", help="Answers to each question.", min=1, max=64)] = 1,
    temperature: Annotated[float | None, typer.Option(help="Instead of the setting.", min=0, max=2)] = None,
    reliability: Annotated[
        int | None,
        typer.Option(help="Only so many answerable questions, chosen by hash; with --n 8 --temperature 0.7.", min=1),
    ] = None,
    seed: Annotated[int, typer.Option(help="Sampling seeds of the runs derive from it.")] = 0,
    scored: Annotated[
        Path | None, typer.Option("--from", help="Score the runs of this folder again; no model is run.")
    ] = None,
) -> None:
    """Ask every question with each model and print one table with paired intervals; run it again to continue.

    Writes report.json, report.md and, with clinsearch\\[eval], report.png beside the runs.
    """
    settings = load_settings()
    with _sentences():
        if scored is not None:
            names = [model.name for model in _models(models, [])] if models else found_models(scored)
            if not names:
                raise SetMissingError(f"There are no runs in {scored}.")
            _report(scored, names)
            return
        chosen = _models(models or BASE_NAME, model_url)
        source = _source(questions, questions_dir, split)
        folder = output or settings.data_dir / "eval" / "agent" / _folder_name(source, n, reliability)
        keys = chosen_keys(read_questions(source), limit=limit, reliability=reliability)
        write_questions(source, folder / QUESTIONS_FILE, keys)
        batch = BatchSettings(repetitions=n, concurrency=concurrency, seed=seed)
        complete = _ask_all(settings, chosen, folder, batch, temperature, len(keys))
        _report(folder, [model.name for model in chosen])
    if not complete:
        raise stop("Not everything could be asked; the same command asks what is owed.")


def _models(names: str, urls: Sequence[str]) -> list[_Model]:
    running = {}
    for text in urls:
        name, _, address = text.partition("=")
        if not name or not address.startswith(("http://", "https://")):
            raise stop(f"--model-url is written NAME=http://host:port/v1, not {text[:60]!r}.")
        running[name] = address.rstrip("/")
    found = []
    for text in dict.fromkeys(part.strip() for part in names.split(",") if part.strip()):
        model = BASE_NAME if text == SEARCH_FIRST_NAME else text
        name = Path(text).name
        url = running.get(name) or (running.get(BASE_NAME) if name == SEARCH_FIRST_NAME else None)
        found.append(_Model(name, model, url))
    if len({model.name for model in found}) < len(found):
        raise stop("Two models have the same name; their runs would be mixed.")
    return found


def _source(questions: Path | None, folder: Path | None, split: str) -> Path:
    if (questions is None) == (folder is None):
        raise stop("Name the questions with either --questions FILE or --questions-dir FOLDER.")
    if folder is None:
        assert questions is not None
        return questions
    for ending in (".jsonl", ".jsonl.xz"):
        if (folder / f"{split}{ending}").is_file():
            return folder / f"{split}{ending}"
    raise SetMissingError(f"There is no {split}.jsonl in {folder}.")


def _folder_name(source: Path, n: int, reliability: int | None) -> str:
    name = source.name.split(".")[0]
    return name if n == 1 and reliability is None else f"{name}-{reliability or 'all'}-times-{n}"


def _ask_all(
    settings: Settings,
    models: Sequence[_Model],
    folder: Path,
    batch: BatchSettings,
    temperature: float | None,
    count: int,
) -> bool:
    """Ask with every model; False where something is owed."""
    for model in models:  # a mistyped name is told before hours are spent on the others
        if model.url is None:
            adapter_directory(model.model)
    searcher = _open(settings)
    asked = Asked(folder / QUESTIONS_FILE, searcher, router_for(searcher.encoder), batch, settings.home_region)

    async def run() -> bool:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        complete = True
        for server in dict.fromkeys(model.server for model in models):
            sharing = [model for model in models if model.server == server]
            async with _server(sharing[0], folder) as url:
                for model in sharing:
                    summary = await _ask(settings, asked, model, url, folder, temperature, count * batch.repetitions)
                    complete = complete and not summary.owed
        return complete

    try:
        return asyncio.run(run())
    finally:
        searcher.close()


def _open(settings: Settings) -> HybridSearcher:
    """The index, with an encoder that takes one core: on more it would take them from the model server beside it."""
    chosen = "OMP_NUM_THREADS" in os.environ
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    searcher = open_service_searcher(settings)
    try:
        searcher.search(SearchRequest(queries=("ready",), limit=1))  # loads it
    finally:
        if not chosen:  # the model server is started with this environment and decides for itself
            del os.environ["OMP_NUM_THREADS"]
    return searcher


@asynccontextmanager
async def _server(model: _Model, folder: Path) -> AsyncIterator[str]:
    if model.url is not None:
        yield model.url
        return
    _say(f"Starting the server of {model.model}...")
    async with running_model(model.model, Path(model.model).name, folder / f"{Path(model.model).name}.log") as url:
        yield url


async def _ask(
    settings: Settings, asked: Asked, model: _Model, url: str, folder: Path, temperature: float | None, total: int
) -> BatchSummary:
    key = settings.model_api_key.get_secret_value() if settings.model_api_key else None
    names = await served_names(url, key)
    served = model.name if model.name in names else Path(model.model).name
    if served not in names:
        if len(names) != 1:
            raise BatchError(f"{url} serves no model {model.name} ({', '.join(names) or 'it does not answer'}).")
        served = names[0]
    manifest = read_model_manifest(model_place(settings.data_dir, model.model)) if model.url is None else None
    known = prepared_identity(served, manifest) if manifest else ModelIdentity(model=served)
    identity = known.model_copy(update={"trained": not model.search_first})
    # Every model is free to choose and to write, whatever the deployment's policy, except in the column that shows it.
    loop = settings.model_copy(update={"model_policy": "auto", "write_answers": "auto"})
    client = OpenAIModelClient(url, identity, api_key=key or "none")
    _say(f"{model.name}: {total} runs")
    try:
        with batch_progress(total) as report:
            summary = await ask_model(
                asked,
                client,
                patient(loop.agent_settings(trained=identity.trained, caution=identity.caution), temperature),
                folder / model.name,
                progress=report,
            )
    finally:
        await client.close()
    for line in summary.lines():
        _say(f"  {line}")
    return summary


def _report(folder: Path, names: Sequence[str]) -> None:
    report = evaluate_runs(folder, names)
    out.print(table(report), highlight=False, markup=False, soft_wrap=True)
    try:
        (folder / "report.json").write_text(report.model_dump_json(indent=1), encoding="utf-8")
        (folder / "report.md").write_text(page(report), encoding="utf-8")
    except OSError as error:
        raise stop(f"The report could not be written to {folder} ({error.strerror}).") from error
    with suppress(ExtraMissingError):
        plot(report, folder / "report.png")
    _say(f"Report: {folder / 'report.md'}")


def _say(text: str) -> None:
    err.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        with errors_as_sentences():
            yield
    except (EvaluationError, ModelSetupError) as error:
        raise stop(str(error)) from error
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise stop("Stopped. Finished runs are kept; the same command goes on from here.", 130) from None
