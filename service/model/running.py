"""Servers that this process starts and stops: one for as long as it is needed, or several side by side."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from service.model.errors import ModelSetupError
from service.ports import free_port
from service.up.child import Child
from service.up.probe import first_call, until_answers

#: A busy machine takes minutes to load a small model.
START_S = 600.0
_GRACE_S = 20.0
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_COMMAND = (sys.executable, "-m", "service.cli", "model")
#: A killed process must not leave a server behind that nobody knows of.
_SERVE = (*_COMMAND, "serve", "--end-with-parent")


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
    server = Child("model", (*_SERVE, "--model", model, "--port", str(port)), log)
    try:
        await _started(server, url, name, log)
        yield url
    finally:
        await server.stop(_GRACE_S)


def serve_commands(ports: Mapping[str, int], host: str, port: int, *, compiled: bool) -> list[tuple[str, ...]]:
    """The command of the model in use at `port`, and of each other model at its own, for `serve_each`."""
    shared = (*_SERVE, "--host", host, *(["--compiled"] if compiled else []))
    others = [(*shared, "--port", str(place), "--model", model) for model, place in ports.items()]
    return [(*shared, "--port", str(port), "--alone"), *others]


async def serve_each(commands: Sequence[tuple[str, ...]], grace_s: float = 8.0) -> int:
    """Run servers side by side until a signal asks to stop or one of them ends; then all end.

    They stay in this process's group: whoever ends the group ends them. Returns 0 after a requested stop, else the
    exit code of the one that ended, 128 and its number for a signal.
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        return await _side_by_side(commands, stop, grace_s)
    finally:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def _side_by_side(commands: Sequence[tuple[str, ...]], stop: asyncio.Event, grace_s: float) -> int:
    servers = [await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL) for command in commands]
    stopping = asyncio.ensure_future(stop.wait())
    ends = [asyncio.ensure_future(server.wait()) for server in servers]
    await asyncio.wait({stopping, *ends}, return_when=asyncio.FIRST_COMPLETED)
    code = 0 if stop.is_set() else next(end.result() for end in ends if end.done())
    stopping.cancel()
    for end_it in (asyncio.subprocess.Process.terminate, asyncio.subprocess.Process.kill):
        for server in servers:
            if server.returncode is None:
                end_it(server)
        _, left = await asyncio.wait(ends, timeout=grace_s)
        if not left:
            break
    return code if code >= 0 else 128 - code


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
