"""Runs the blocks of a document in one folder, beside a service that is up, as its reader would."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, redirect_stdout
from pathlib import Path
from typing import Self

from .documents import PYTHON, ROOT, RUN, SERVES, Block

#: For one block; a machine that does much else beside takes minutes for what is seconds.
BLOCK_TIMEOUT_S = 900
_CURL = Path(__file__).with_name("curl.py")


class Reader:
    """Somebody who types a document's commands. Used as a context: what was started ends with it.

    `service` and `model` are "host:port" of what is up; a block that serves takes the service's place.
    """

    def __init__(self, folder: Path, environment: dict[str, str], *, service: str = "", model: str = "") -> None:
        self._folder = folder
        self._service, self._model = service, model
        programs = folder / ".venv" / "bin"
        programs.mkdir(parents=True, exist_ok=True)
        for name, arguments in (("clinsearch", "-m service.cli"), ("curl", str(_CURL))):
            program = programs / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n', encoding="utf-8")
            program.chmod(0o755)
        path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        # Sixty-odd columns would cut the tables that are compared; colours would stand between their words.
        self._environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment}
        self._started = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._started.close()

    def does(self, block: Block) -> str:
        """Carry a block out and return what it prints. Raises AssertionError where it fails; other kinds do nothing."""
        text = self.addressed(block.text)
        if block.kind == SERVES:
            self._serve(block, text)
        elif block.kind == PYTHON:
            said = io.StringIO()
            with redirect_stdout(said):
                exec(compile(text, str(block), "exec"), {})  # noqa: S102 - it is the project's own document
            return said.getvalue()
        elif block.kind == RUN:
            return self.shell(text, str(block))
        return ""

    def shell(self, script: str, name: str) -> str:
        """Run a script with bash, ending at its first error, and return what it prints."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=BLOCK_TIMEOUT_S,
        )
        said = f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        assert done.returncode == 0, f"{name} ended with {done.returncode}:\n{said}"
        return done.stdout

    def addressed(self, text: str) -> str:
        """The text with the addresses of what is up."""
        for written, real in (("localhost:8000", self._service), ("localhost:8100", self._model)):
            text = text.replace(written, real or written)
        return text

    def _serve(self, block: Block, text: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        mcp = " mcp --http" in text
        command = f"{text.strip()} --port {port}" if mcp else text.strip()
        log = self._folder / f"served-{block.line}.log"
        with log.open("w", encoding="utf-8") as said:
            process = subprocess.Popen(
                ["bash", "-euc", command],
                cwd=self._folder,
                env={**self._environment, "CLINSEARCH_PORT": str(port)},
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        self._started.callback(_end, process)
        until = time.monotonic() + BLOCK_TIMEOUT_S
        while not _listens(port):
            assert process.poll() is None, f"{block} ended:\n{log.read_text(encoding='utf-8')[-2000:]}"
            assert time.monotonic() < until, f"{block} does not listen:\n{log.read_text(encoding='utf-8')[-2000:]}"
            time.sleep(0.2)
        if not mcp:
            self._service = f"localhost:{port}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and what it started."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
