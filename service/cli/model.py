"""`clinsearch model prepare|serve`: the local model server, on its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from service.cli.common import err, load_settings, stop
from service.model.environment import find_model_environment, need_model_environment
from service.model.errors import ModelSetupError
from service.model.prepare import fitting_adapter, prepare_model
from service.model.serve import ServedModel, available_cpus, become, need_free_port, need_prepared, server_command

app = typer.Typer(help="Prepare the served model and start its server.", no_args_is_help=True)


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    try:
        yield
    except ModelSetupError as error:
        raise stop(str(error)) from error


@app.command()
def prepare(
    adapter: Annotated[Path | None, typer.Option(help="LoRA adapter to merge; CLINSEARCH_ADAPTER if left out.")] = None,
) -> None:
    """Convert the packaged weights, merge an adapter, add the chat template. Does nothing when that is done already."""
    settings = load_settings()
    environment = find_model_environment()
    with _errors_as_sentences():
        prepare_model(
            settings.model_dir,
            # Without a server here the model is prepared for a CPU, the only kind that needs a conversion.
            device=environment.device if environment else "cpu",
            gpu_model=settings.gpu_model,
            adapter_path=adapter or settings.adapter,
            report=lambda text: err.print(text, markup=False, highlight=False),
        )


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Start minutes later and decode about a fifth faster; needs a compiler.")
    ] = False,
) -> None:
    """Serve the prepared model with vLLM until stopped."""
    settings = load_settings()
    with _errors_as_sentences():
        environment = need_model_environment()
        need_free_port(host, settings.model_port)
        on_cpu = environment.device == "cpu"
        if on_cpu:
            need_prepared(settings.model_dir)
        model = ServedModel(
            path=str(settings.model_dir.absolute()) if on_cpu else settings.gpu_model,
            name=settings.model_name,
            max_model_len=settings.max_model_len,
            adapter=None if on_cpu else fitting_adapter(settings.adapter),
        )
        command = server_command(
            model,
            environment,
            host=host,
            port=settings.model_port,
            cache_dir=settings.data_dir / "cache" / "vllm",
            cpus=available_cpus(),
            compiled=compiled,
        )
    become(command)
