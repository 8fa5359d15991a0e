"""A hash of the gate: of every source file its verdicts depend on.

The gate chooses what is trained on and scores what was learnt. A model trained while the gate moves learns to please a
rule that is no more, so the hash is taken before training, checked at the end, and stands in the card.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from pathlib import Path

from agent.common_words import COMMON_WORDS_FILE
from retrieval.expansion import EXPANSION_FILES
from training.errors import GateChangedError

_GATE = "agent.gate"
_PACKAGE = "agent."


def gate_sha256() -> str:
    """SHA-256 over the names and bytes of the gate's source files."""
    digest = hashlib.sha256()
    for name, path in [*gate_files(), *_data_files()]:
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def gate_files() -> list[tuple[str, Path]]:
    """The modules of `agent` that the gate is made of, by name: itself, and what it imports, and so on."""
    found: dict[str, Path] = {}
    waiting = [_GATE]
    while waiting:
        name = waiting.pop()
        spec = importlib.util.find_spec(name) if name not in found else None
        if spec is None or spec.origin is None:
            continue
        found[name] = Path(spec.origin)
        waiting += [module for module in _imports(found[name]) if module.startswith(_PACKAGE)]
    return sorted(found.items())


def _data_files() -> list[tuple[str, Path]]:
    """The files the gate's modules read their words from."""
    folders = {path.parent for name, path in gate_files() if name.startswith(_GATE)}
    files = [path for folder in folders for path in folder.iterdir() if path.suffix in {".yaml", ".json"}]
    return sorted((path.name, path) for path in [*files, COMMON_WORDS_FILE, *EXPANSION_FILES])


def require_same_gate(before: str) -> None:
    """Raises GateChangedError where the gate is another than it was."""
    if gate_sha256() != before:
        raise GateChangedError(
            "The gate changed since this run began: its data were chosen by another rule. "
            "Filter and export the rollouts again, and train in a new folder."
        )


def _imports(path: Path) -> list[str]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.append(node.module)
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return found
