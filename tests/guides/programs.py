"""Commands of the documents held against the programs they name, without running them."""

from __future__ import annotations

import importlib.util
import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence

import typer
import yaml
from typer.core import TyperGroup

from service.cli import app

from .documents import ROOT

_OPERATORS = set("();<>|&")
_ASSIGNMENT = re.compile(r"[A-Z_]+=")


class NoSuchCommandError(Exception):
    """A document names a command, an option or a target that is not there."""


def commands(line: str) -> Iterator[list[str]]:
    """The commands of one shell line, those of pipes and substitutions too, without assignments before them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for token in [*lexer, ";"]:
        if not set(token) <= _OPERATORS:
            words.append(token)
            continue
        while words and _ASSIGNMENT.match(words[0]):
            words.pop(0)
        if words:
            yield words
        words = []


def check_clinsearch(arguments: Sequence[str]) -> None:
    """Parse the arguments as `clinsearch` would. Raises what it would, where they do not fit."""
    command, name, rest = typer.main.get_command(app), "clinsearch", list(arguments)
    while isinstance(command, TyperGroup):
        if not rest or rest[0] not in command.commands:
            raise NoSuchCommandError(f"{name} has no command {rest[:1]}")
        name, rest = f"{name} {rest[0]}", rest[1:]
        command = command.commands[name.rsplit(" ", 1)[-1]]
    command.make_context(name, rest)


def check_program(words: Sequence[str]) -> None:
    """Hold a command that is not run against what it names. Raises NoSuchCommandError, or what `clinsearch` would."""
    program, *rest = words
    match program.rsplit("/", 1)[-1], rest:
        case "clinsearch", _:
            check_clinsearch(rest)
        case "make", [target]:
            _there(re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), words)
        case "python", ["-m", module, *options]:
            found = importlib.util.find_spec(module)
            _there(found and found.origin, words)
            assert found is not None
            assert found.origin is not None
            source = (ROOT / found.origin).read_text(encoding="utf-8")
            for option in options:
                _there(not option.startswith("--") or f'"{option}"' in source, words)
        case "pip", ["install", wanted]:
            extra = wanted.partition("[")[2].removesuffix("]")
            project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            _there(extra in project["optional-dependencies"], words)
        case "docker", ["compose", "--profile", profile, "up"]:
            services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"].values()
            _there(any(profile in service.get("profiles", ()) for service in services), words)
        case "git", ["pull"]:
            pass
        case _:
            raise NoSuchCommandError(f"the tests do not know how to check {' '.join(words)}")


def _there(found: object, words: Sequence[str]) -> None:
    if not found:
        raise NoSuchCommandError(f"what {' '.join(words)} names is not there")
