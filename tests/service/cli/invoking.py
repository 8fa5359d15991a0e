"""Giving a `clinsearch` command in this process."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from typer.testing import CliRunner, Result

from service.cli import app


def run(environment: dict[str, str], *arguments: str) -> Result:
    """What a command says and ends with, under these settings."""
    return CliRunner().invoke(app, list(arguments), env=environment)


def indexed(data_dir: Path, **values: str) -> dict[str, str]:
    """Settings of a new data directory that holds the starter guidelines, without an encoder's weights."""
    shutil.copytree(_built(), data_dir, dirs_exist_ok=True)
    return {"CLINSEARCH_DATA_DIR": str(data_dir), "CLINSEARCH_ENCODER": "hashing", **values}


@cache
def _built() -> Path:
    """The data directory after `index build`, made once a process to be copied."""
    directory = Path(tempfile.mkdtemp(prefix="clinsearch-tests-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    built = run({"CLINSEARCH_DATA_DIR": str(directory), "CLINSEARCH_ENCODER": "hashing"}, "index", "build")
    assert built.exit_code == 0, built.output
    return directory
