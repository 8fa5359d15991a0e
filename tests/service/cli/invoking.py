"""Giving a `clinsearch` command in this process."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from service.cli import app


def run(environment: dict[str, str], *arguments: str) -> Result:
    """What a command says and ends with, under these settings."""
    return CliRunner().invoke(app, list(arguments), env=environment)


def indexed(data_dir: Path, **values: str) -> dict[str, str]:
    """Settings of a new data directory that holds the starter guidelines, without an encoder's weights."""
    environment = {"CLINSEARCH_DATA_DIR": str(data_dir), "CLINSEARCH_ENCODER": "hashing", **values}
    built = run(environment, "index", "build")
    assert built.exit_code == 0, built.output
    return environment
