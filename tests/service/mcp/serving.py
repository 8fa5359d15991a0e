"""The server as a process of its own, over starter guidelines, and what a test needs to talk to it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from agent import JournalError, read_journal
from service.ports import free_port

QUESTION = "Which antibiotic first for an adult with lower urinary tract infection?"
#: The protocol before 2026-07-28, with a handshake, and the newest that both sides know.
MODES = ("legacy", "auto")
COMMAND = [sys.executable, "-m", "service.cli", "mcp"]
KEY = "a key of more than sixteen characters"


def text_of(result: CallToolResult) -> str:
    """The text of a result."""
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def structured(result: CallToolResult) -> dict[str, Any]:
    """The structured content of a result that is no error."""
    assert not result.is_error, text_of(result)
    assert isinstance(result.structured_content, dict)
    return result.structured_content


class Told:
    """What a client is told while a call goes on."""

    def __init__(self) -> None:
        self.progress: list[float] = []
        self.messages: list[str | None] = []

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        self.progress.append(progress)
        self.messages.append(message)


@asynccontextmanager
async def started(environment: dict[str, str], mode: str) -> AsyncIterator[Client]:
    """A client of a server that it starts itself."""
    program = StdioServerParameters(command=COMMAND[0], args=COMMAND[1:], env={**os.environ, **environment})
    async with Client(program, mode=mode) as client:
        yield client


@asynccontextmanager
async def connected(url: str, mode: str, key: str = KEY) -> AsyncIterator[Client]:
    """A client of a server that listens."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=20.0) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


@contextmanager
def listening(environment: dict[str, str], log: Path) -> Iterator[str]:
    """The address of a server that asks for `KEY`, which is up until the block ends; what it says is in `log`."""
    port = free_port()
    values = {**os.environ, **environment, "CLINSEARCH_MCP_KEY": KEY}
    with log.open("wb") as file:
        process = subprocess.Popen([*COMMAND, "--http", "--port", str(port)], env=values, stdout=file, stderr=file)
    try:
        until = time.monotonic() + 60
        while not _answers(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        assert process.wait(20) in (0, -15), log.read_text()


def _answers(port: int) -> bool:
    try:
        return httpx2.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200
    except httpx2.HTTPError:
        return False


def runs(data_dir: Path) -> list[str]:
    """How each recorded run ended."""
    try:
        return [str(rollout.outcome.status) for rollout in read_journal(data_dir / "rollouts")]
    except JournalError:
        return []


async def eventually(true: Callable[[], bool], within_s: float = 5.0) -> bool:
    """Whether it becomes true in time."""
    until = time.monotonic() + within_s
    while not true() and time.monotonic() < until:  # noqa: ASYNC110 - another process makes it true
        await asyncio.sleep(0.02)
    return true()
