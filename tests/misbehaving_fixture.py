"""The misbehaving model server: one process for all tests of a session that play with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def misbehaving() -> Iterator[str]:
    """Its address, without a behaviour."""
    command = [sys.executable, "-m", "agent.misbehaving"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:"), "the server did not start"
        yield address
        server.communicate(timeout=60)  # its standard input ends, and so does it
