"""What commands share: settings, and errors told in one sentence."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console

from agent import AgentError
from retrieval import RetrievalError
from service.records import RecordsError
from service.settings import Settings

#: Answers and tables go to standard output, progress and errors to standard error.
out = Console()
err = Console(stderr=True)


def stop(message: str, code: int = 1) -> typer.Exit:
    """Print one sentence on what to do; raise what this returns."""
    err.print(message, style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(code)


def load_settings() -> Settings:
    """Settings from the environment, or one sentence on the first that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        setting, *inside = [str(part) for part in first["loc"]] or ["sources"]
        # Inside a list of JSON objects: which one, and which field of it.
        where = f" ({'.'.join(inside)})" if inside else ""
        why = first["msg"].removeprefix("Value error, ")
        raise stop(f"The setting CLINSEARCH_{setting.upper()} is wrong{where}: {why}.") from error
    except SettingsError as error:
        name = str(error).partition('field "')[2].partition('"')[0].upper()
        raise stop(f"The setting CLINSEARCH_{name} is wrong: it is not valid JSON.") from error


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Typed errors of the packages below end the command with their own sentence."""
    try:
        yield
    except (RetrievalError, AgentError, RecordsError) as error:
        raise stop(str(error)) from error


def question_from(words: list[str]) -> str:
    """The question from the command line, or from standard input when it is "-"."""
    return sys.stdin.read() if words == ["-"] else " ".join(words)
