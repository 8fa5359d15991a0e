"""`clinsearch model prepare|serve`: the local model server, on its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from service.cli.common import err, load_settings, stop
from service.model.adapter import Adapter
from service.model.choice import choose_adapter, model_place
from service.model.environment import find_model_environment, need_model_environment
from service.model.errors import ModelSetupError
from service.model.prepare import prepare_model
from service.model.serve import ServedModel, available_cpus, become, need_free_port, need_prepared, server_command

app = typer.Typer(help="Prepare the served model and start its server.", no_args_is_help=True)

_ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", help="base, an adapter that ships, or an adapter's directory, prepared beside the model in use."
    ),
]


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    try:
        yield
    except ModelSetupError as error:
        raise stop(str(error)) from error


def _say(text: str) -> None:
    err.print(text, markup=False, highlight=False, soft_wrap=True)


def _adapter(setting: str | None) -> Adapter | None:
    chosen = choose_adapter(setting)
    if chosen.warning is not None:
        _say(chosen.warning)
    return chosen.adapter


@app.command()
def prepare(
    adapter: Annotated[
        str | None,
        typer.Option(help="LoRA adapter to merge, by directory or name, or none; CLINSEARCH_ADAPTER if left out."),
    ] = None,
    model: _ModelOption = None,
) -> None:
    """Convert the packaged weights, merge an adapter, add the chat template. Does nothing when that is done already."""
    settings = load_settings()
    environment = find_model_environment()
    with _errors_as_sentences():
        prepare_model(
            settings.model_dir if model is None else model_place(settings.data_dir, model),
            # Without a server here the model is prepared for a CPU, the only kind that needs a conversion.
            device=environment.device if environment else "cpu",
            gpu_model=settings.gpu_model,
            adapter=_adapter(model or adapter or settings.adapter),
            report=_say,
        )


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="CLINSEARCH_MODEL_PORT if left out.", min=1, max=65535)] = None,
    model: _ModelOption = None,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Start minutes later and decode about a fifth faster; needs a compiler.")
    ] = False,
) -> None:
    """Serve the prepared model with vLLM until stopped."""
    settings = load_settings()
    port = port or settings.model_port
    place = settings.model_dir if model is None else model_place(settings.data_dir, model)
    with _errors_as_sentences():
        environment = need_model_environment()
        need_free_port(host, port)
        on_cpu = environment.device == "cpu"
        if on_cpu:
            need_prepared(place)
        served = ServedModel(
            path=str(place.absolute()) if on_cpu else settings.gpu_model,
            name=settings.model_name if model is None else place.name,
            max_model_len=settings.max_model_len,
            adapter=None if on_cpu else _adapter(model or settings.adapter),
        )
        command = server_command(
            served,
            environment,
            host=host,
            port=port,
            cache_dir=settings.data_dir / "cache" / "vllm",
            cpus=available_cpus(),
            compiled=compiled,
        )
    become(command)
