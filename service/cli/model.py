"""`clinsearch model prepare|serve`: the local model server, on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from service.cli.common import err, load_settings, stop
from service.model.adapter import Adapter
from service.model.choice import choose_adapter, model_place
from service.model.environment import find_model_environment, need_model_environment
from service.model.errors import ModelSetupError
from service.model.prepare import prepare_model
from service.model.running import serve_commands, serve_each
from service.model.serve import (
    ServedModel,
    available_cpus,
    become,
    end_with_parent,
    need_free_port,
    need_prepared,
    server_command,
)

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
    others = settings.also if model is None else ()
    with _errors_as_sentences():
        places = [
            (settings.model_dir if model is None else model_place(settings.data_dir, model), model or adapter),
            *((model_place(settings.data_dir, other), other) for other in others),
        ]
        for place, chosen in places:
            prepare_model(
                place,
                # Without a server here the model is prepared for a CPU, the only kind that needs a conversion.
                device=environment.device if environment else "cpu",
                gpu_model=settings.gpu_model,
                adapter=_adapter(chosen or settings.adapter),
                report=_say,
            )


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option(help="CLINSEARCH_MODEL_PORT if left out.", min=1, max=65535)] = None,
    model: _ModelOption = None,
    also: Annotated[
        list[str],
        typer.Option(
            help="Also serve this model, as --model takes it, under its own name: on a CPU by a server of its own on "
            "the next port, on GPUs by the same server. Several; CLINSEARCH_ALSO if left out, which the API reads too."
        ),
    ] = [],  # noqa: B006 - typer copies it
    alone: Annotated[bool, typer.Option("--alone", help="Nothing else, whatever CLINSEARCH_ALSO says.")] = False,
    with_parent: Annotated[
        bool, typer.Option("--end-with-parent", help="End when the program that started this one is gone.")
    ] = False,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Start minutes later and decode about a fifth faster; needs a compiler.")
    ] = False,
) -> None:
    """Serve the prepared model with vLLM until stopped."""
    if with_parent:
        end_with_parent()
    settings = load_settings()
    if also:
        settings = settings.model_copy(update={"also": tuple(also)})
    others = settings.also if model is None and not alone else ()
    port = port or settings.model_port
    place = settings.model_dir if model is None else model_place(settings.data_dir, model)
    with _errors_as_sentences():
        environment = need_model_environment()
        need_free_port(host, port)
        on_cpu = environment.device == "cpu"
        if on_cpu and others:
            for other in others:
                need_prepared(model_place(settings.data_dir, other))
                need_free_port(host, settings.also_ports[other])
            ports = {other: settings.also_ports[other] for other in others}
            raise typer.Exit(asyncio.run(serve_each(serve_commands(ports, host, port, compiled=compiled))))
        chosen = _adapter(model or settings.adapter)
        if on_cpu and need_prepared(place).adapter_sha256 != (chosen.sha256 if chosen else None):
            _say("The prepared model has another adapter than the one in settings, until `clinsearch model prepare`.")
        served = ServedModel(
            path=str(place.absolute()) if on_cpu else settings.gpu_model,
            name=settings.model_name if model is None else place.name,
            max_model_len=settings.max_model_len,
            adapter=None if on_cpu else chosen,
            trained=need_prepared(place).trained if on_cpu else chosen is not None,
            also={} if on_cpu else {Path(other).name: choose_adapter(other).adapter for other in others},
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
