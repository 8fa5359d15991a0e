"""Reading a policy file: what is wrong in it is told with its line, its field and what to do."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from agent.errors import PolicyFileError
from agent.policy.document import ExampleGroup, Policy

DEFAULT_POLICY = Path(__file__).parent / "policy.yaml"
#: Errors told at once; the rest is counted.
_TOLD = 5

Read = TypeVar("Read", bound=BaseModel)


class _ExampleFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    examples: tuple[ExampleGroup, ...]


def load_policy(path: Path = DEFAULT_POLICY) -> Policy:
    """Read a policy file.

    Raises:
        PolicyFileError: the file cannot be read or is no policy; the message names each line and field.
    """
    return _policy_in(path, _body(path))


@lru_cache(maxsize=8)
def _policy_in(path: Path, body: bytes) -> Policy:
    policy, digest = _read(path, body, Policy)
    return policy.model_copy(update={"sha256": digest})


def read_examples(path: Path) -> tuple[ExampleGroup, ...]:
    """Read a file that holds nothing but `examples`.

    Raises:
        PolicyFileError: as `load_policy`.
    """
    return _read(path, _body(path), _ExampleFile)[0].examples


def _body(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PolicyFileError(f"{path} cannot be read ({error.strerror}). Name a policy file.") from error


def _read(path: Path, body: bytes, model: type[Read]) -> tuple[Read, str]:
    """A file's content as a model, with its SHA-256."""
    try:
        # Everything is text here: a version 2026-11 is no date, and `no` is not false.
        loader = yaml.BaseLoader(body)
        node = loader.get_single_node()
        if not isinstance(node, yaml.MappingNode):
            raise PolicyFileError(f"{path.name}: there is no policy in this file; begin from the one that ships")
        _refuse_repeats(node, path)
        content = loader.construct_document(node)
    except (yaml.YAMLError, UnicodeError) as error:
        raise PolicyFileError(f"{path.name}: this is not YAML: {_one_line(error)}") from error
    try:
        return model.model_validate(content), hashlib.sha256(body).hexdigest()
    except ValidationError as error:
        errors = error.errors(include_url=False)
        told = [_told(path, node, item, model) for item in errors[:_TOLD]]
        if more := len(errors) - len(told):
            told.append(f"and {more} more")
        raise PolicyFileError("\n".join(told)) from error


def _told(path: Path, root: yaml.MappingNode, error: ErrorDetails, model: type[BaseModel]) -> str:
    where = [part for part in error["loc"] if part != "[key]"]
    line, names = _place(root, where)
    field = ".".join(names)
    why = error["msg"].removeprefix("Value error, ").rstrip(".")
    if error["type"] == "missing":
        why = "is missing; add it"
    elif error["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(where[-1]), _field_names(model), n=1)
        why = f"is no field of a policy; did you mean {near[0]}?" if near else "is no field of a policy; take it out"
    elif error["type"] in ("tuple_type", "list_type"):
        why = "must be a list: [a, b], or one `- item` a line"
    elif error["type"] == "string_type":
        why = "must be text; put it in quotes (a colon with a space makes it a field)"
    return f"{path.name}, line {line}: {field}: {why}." if field else f"{path.name}: {why}."


def _place(root: yaml.Node, where: Sequence[int | str]) -> tuple[int, list[str]]:
    """Line of a place, from 1, and its names; a rule is named by its id."""
    node, line, names = root, root.start_mark.line, []
    for part in where:
        found: yaml.Node | None = None
        name = str(part)
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == ("schema" if part == "schema_" else part):
                    found, line = value, key.start_mark.line
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node.value[part]
            line = found.start_mark.line
            name = _id_of(found) or str(part + 1)
        names.append(name)
        if found is None:
            break
        node = found
    return line + 1, names


def _id_of(node: yaml.Node) -> str | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((str(value.value) for key, value in pairs if key.value == "id"), None)


def _refuse_repeats(node: yaml.Node, path: Path) -> None:
    """YAML keeps the last of two fields with one name; half a policy would be gone without a word."""
    if isinstance(node, yaml.MappingNode):
        seen: set[Any] = set()
        for key, value in node.value:
            if key.value in seen:
                raise PolicyFileError(
                    f"{path.name}, line {key.start_mark.line + 1}: {key.value} stands twice. Take one away."
                )
            seen.add(key.value)
            _refuse_repeats(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeats(item, path)


def _field_names(model: type[BaseModel]) -> list[str]:
    """Names of the fields of a model and of those inside it."""
    schema = model.model_json_schema()
    parts = (schema, *schema.get("$defs", {}).values())
    return sorted({name for part in parts for name in part.get("properties", {})})


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
