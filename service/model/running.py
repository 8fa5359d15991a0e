"""A model's own server for as long as it is needed: prepared, started on a free port, waited for, stopped by its id."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from service.model.errors import ModelSetupError
from service.ports import free_port
from service.up.child import Child
from service.up.probe import first_call, until_answers

#: A busy machine takes minutes to load a small model.
START_S = 600.0
_GRACE_S = 20.0
_COMMAND = (sys.executable, "-m", "service.cli", "model")


@asynccontextmanager
async def running_model(model: str, name: str, log: Path) -> AsyncIterator[str]:
    """The URL of a server of `model` (as `clinsearch model serve --model` takes it), which calls it `name`.

    Raises:
        ModelSetupError: it could not be prepared, or its server did not start; the message names the log.
    """
    # It says on the terminal itself what it does and why it cannot.
    prepare = Child("prepare", (*_COMMAND, "prepare", "--model", model), None)
    try:
        if await prepare.wait() != 0:
            raise ModelSetupError(f"The model {model} could not be prepared; the line above says why.")
    finally:
        await prepare.stop(_GRACE_S)
    port = free_port()
    url = f"http://127.0.0.1:{port}/v1"
    server = Child("model", (*_COMMAND, "serve", "--model", model, "--port", str(port)), log)
    try:
        await _started(server, url, name, log)
        yield url
    finally:
        await server.stop(_GRACE_S)


async def _started(server: Child, url: str, name: str, log: Path) -> None:
    answers = asyncio.ensure_future(until_answers(f"{url}/models"))
    ended = asyncio.ensure_future(server.wait())
    try:
        await asyncio.wait({answers, ended}, timeout=START_S, return_when=asyncio.FIRST_COMPLETED)
        if not answers.done() or ended.done():
            raise ModelSetupError(f"The server of the model {name} did not start: see {log}.")
    finally:
        for task in (answers, ended):
            task.cancel()
        await asyncio.gather(answers, ended, return_exceptions=True)
    # Loads what the first constrained call needs, the grammar engine for one.
    await first_call(url, name)
