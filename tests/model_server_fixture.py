"""One real model server for the whole test session, started by the product's own commands."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

#: vLLM takes 30 to 90 s to start on two cores; a busy machine may need twice that.
START_S = 240


@dataclass(frozen=True)
class ModelServer:
    """Where the server answers and what it serves."""

    url: str
    model_dir: Path
    model_name: str


@pytest.fixture(scope="session")
def model_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelServer]:
    """`clinsearch model prepare` and `clinsearch model serve`, stopped at the end by process id."""
    data = tmp_path_factory.mktemp("model-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "CLINSEARCH_DATA_DIR": str(data), "CLINSEARCH_MODEL_PORT": str(port)}
    command = [sys.executable, "-m", "service.cli", "model"]
    subprocess.run([*command, "prepare"], env=environment, check=True, timeout=300)
    log_path = data / "server.log"
    with log_path.open("wb") as log:
        server = subprocess.Popen(
            [*command, "serve"],
            env=environment,
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        _wait(f"http://127.0.0.1:{port}/v1/models", server, log_path)
        yield ModelServer(url=f"http://127.0.0.1:{port}/v1", model_dir=data / "model", model_name="clinsearch")
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(10)


def _wait(url: str, server: subprocess.Popen[bytes], log_path: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urlopen(url, timeout=2):  # noqa: S310 - our own loopback address
                return
        except (URLError, OSError):
            time.sleep(0.5)
    tail = log_path.read_text(encoding="utf-8", errors="replace")[-3000:]
    pytest.fail(f"the model server did not start; the end of its log:\n{tail}")
