"""Models that an evaluation asks one after the other: named on the command line, served here or elsewhere."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel

from agent import AgentSettings, ModelClient, ModelIdentity, OpenAIModelClient
from agent.batch import BatchError, BatchSettings, BatchSummary
from eval.agent import QUESTIONS_FILE, Asked, Progress, patient
from eval.retrieval import EvaluationError, SetMissingError
from retrieval import HybridSearcher, SearchRequest, router_for
from service.cli.common import err, errors_as_sentences, stop
from service.cli.generate import batch_progress
from service.container import open_batch_searcher, prepared_identity
from service.model.choice import BASE_NAME, adapter_directory, model_place
from service.model.errors import ModelSetupError
from service.model.manifest import read_model_manifest
from service.model.running import running_model
from service.settings import Settings
from service.up.probe import served_names

#: What the product does without an adapter: it searches once and lists the recommendations.
SEARCH_FIRST_NAME = "base-search-first"


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """One column: its name, and the model or the running server behind it."""

    name: str
    #: As `clinsearch model serve --model` takes it.
    model: str
    url: str | None

    @property
    def search_first(self) -> bool:
        """Whether it may only search."""
        return self.name == SEARCH_FIRST_NAME

    @property
    def server(self) -> str:
        """Columns with the same text share a server."""
        return self.url or self.model


def chosen_models(names: str, urls: Sequence[str]) -> list[ChosenModel]:
    """The models named, with the running servers (NAME=URL) that some of them have."""
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
        found.append(ChosenModel(name, model, url))
    if len({model.name for model in found}) < len(found):
        raise stop("Two models have the same name; their runs would be mixed.")
    return found


class Way(Protocol):
    """A way of asking a model what is owed, as `ask_model` is."""

    async def __call__(
        self, asked: Asked, client: ModelClient, settings: AgentSettings, output: Path, *, progress: Progress | None
    ) -> BatchSummary:
        """Raises BatchError: the server is not there, or `output` holds runs made with other settings."""
        ...


def ask_all(
    settings: Settings,
    models: Sequence[ChosenModel],
    folder: Path,
    batch: BatchSettings,
    temperature: float | None,
    count: int,
    ways: Callable[[ChosenModel], Sequence[tuple[str, Way]]],
) -> bool:
    """Ask the `count` questions in `folder` with every model in its ways, each with what it is called after the model.

    False where something is owed.
    """
    searcher = _open_for_evaluation(settings)
    asked = Asked(
        folder / QUESTIONS_FILE, searcher, router_for(searcher.encoder, searcher.nearest), batch, settings.home_region
    )
    total = count * batch.repetitions

    async def ask(model: ChosenModel, url: str) -> bool:
        complete = True
        async with _client_of(settings, model, url, temperature) as (client, loop):
            for called, way in ways(model):
                say(f"{model.name}{called}: {total} runs")
                with batch_progress(total) as report:
                    summary = await way(asked, client, loop, folder / model.name, progress=report)
                for line in summary.lines():
                    say(f"  {line}")
                complete = complete and not summary.owed
        return complete

    try:
        return _ask_each(models, folder, ask)
    finally:
        searcher.close()


def names_in(folder: Path, models: str | None, found_in: Callable[[Path], Sequence[str]]) -> Sequence[str]:
    """Names of the models whose runs in `folder` are scored: those named, else those that `found_in` finds.

    Raises:
        SetMissingError: there is none.
    """
    names = [model.name for model in chosen_models(models, [])] if models else found_in(folder)
    if not names:
        raise SetMissingError(f"There are no runs in {folder}.")
    return names


def write_report(folder: Path, report: BaseModel, page: str) -> None:
    """Write a report beside its runs, as JSON and for people, or end with a sentence on why it cannot be."""
    try:
        (folder / "report.json").write_text(report.model_dump_json(indent=1), encoding="utf-8")
        (folder / "report.md").write_text(page, encoding="utf-8")
    except OSError as error:
        raise stop(f"The report could not be written to {folder} ({error.strerror}).") from error
    say(f"Report: {folder / 'report.md'}")


def _ask_each(models: Sequence[ChosenModel], folder: Path, ask: Callable[[ChosenModel, str], Awaitable[bool]]) -> bool:
    """Ask with every model at the URL of its server, one server at a time; False where `ask` says something is owed."""
    for model in models:  # a mistyped name is told before hours are spent on the others
        if model.url is None:
            adapter_directory(model.model)

    async def run() -> bool:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        complete = True
        for server in dict.fromkeys(model.server for model in models):
            sharing = [model for model in models if model.server == server]
            async with _server(sharing[0], folder) as url:
                for model in sharing:
                    complete = await ask(model, url) and complete
        return complete

    return asyncio.run(run())


def _open_for_evaluation(settings: Settings) -> HybridSearcher:
    """The index, with an encoder that takes one core: on more it would take them from the model server beside it."""
    chosen = "OMP_NUM_THREADS" in os.environ
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    searcher = open_batch_searcher(settings)
    try:
        searcher.search(SearchRequest(queries=("ready",), limit=1))  # loads it
    finally:
        if not chosen:  # the model server is started with this environment and decides for itself
            del os.environ["OMP_NUM_THREADS"]
    return searcher


@asynccontextmanager
async def _server(model: ChosenModel, folder: Path) -> AsyncIterator[str]:
    if model.url is not None:
        yield model.url
        return
    say(f"Starting the server of {model.model}...")
    async with running_model(model.model, Path(model.model).name, folder / f"{Path(model.model).name}.log") as url:
        yield url


@asynccontextmanager
async def _client_of(
    settings: Settings, model: ChosenModel, url: str, temperature: float | None
) -> AsyncIterator[tuple[OpenAIModelClient, AgentSettings]]:
    """A client of a model at a server, and the loop's settings for it, with time enough.

    Raises:
        BatchError: the server has no such model.
    """
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
    try:
        yield client, patient(loop.agent_settings(trained=identity.trained, caution=identity.caution), temperature)
    finally:
        await client.close()


def say(text: str) -> None:
    """Tell a line of what goes on."""
    err.print(text, markup=False, highlight=False, soft_wrap=True)


@contextmanager
def evaluation_sentences() -> Iterator[None]:
    """Errors of an evaluation, and being stopped, end the command with a sentence of their own."""
    try:
        with errors_as_sentences():
            yield
    except (EvaluationError, ModelSetupError) as error:
        raise stop(str(error)) from error
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise stop("Stopped. Finished runs are kept; the same command goes on from here.", 130) from None
