"""The set-up script: what makes an environment count as done, and what a wrong call says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import setup_env

SCRIPT = Path(setup_env.__file__)


def finished(place: Path, kind: str = "product", done: str = "product") -> Path:
    (place / "bin").mkdir(parents=True)
    (place / "bin" / "python").touch()
    setup_env.write_stamp(place, kind, "hash", done)
    return place


def test_a_second_run_installs_nothing(tmp_path: Path) -> None:
    assert setup_env.done_here(finished(tmp_path), "product", "hash") == "product"


def test_changed_requirements_another_device_or_a_moved_folder_install_again(tmp_path: Path) -> None:
    place = finished(tmp_path / "here")
    assert setup_env.done_here(place, "product", "other hash") == ""
    assert setup_env.done_here(place, "gpu", "hash") == ""
    moved = place.rename(tmp_path / "there")
    assert setup_env.done_here(moved, "product", "hash") == "", "scripts in it still point to the old place"


def test_an_interrupted_or_damaged_environment_is_not_taken_for_done(tmp_path: Path) -> None:
    assert setup_env.done_here(finished(tmp_path / "a", done=""), "product", "hash") == ""
    place = finished(tmp_path / "b")
    (place / setup_env.STAMP).write_text("{")
    assert setup_env.done_here(place, "product", "hash") == ""
    assert setup_env.done_here(tmp_path / "missing", "product", "hash") == ""


def test_the_stamp_says_what_the_product_reads(tmp_path: Path) -> None:
    """`service.model.environment` reads `kind` and `done`."""
    place = finished(tmp_path, "cpu", "model")
    stamp = json.loads((place / setup_env.STAMP).read_text())
    assert (stamp["kind"], stamp["done"]) == ("cpu", "model")


def test_the_hash_covers_every_file_it_is_given(tmp_path: Path) -> None:
    extra = tmp_path / "extra"
    extra.write_text("1")
    before = setup_env.fingerprint("torch.txt", extra=(extra,))
    extra.write_text("2")
    assert setup_env.fingerprint("torch.txt", extra=(extra,)) != before


def test_a_wrong_word_is_answered_with_the_right_ones() -> None:
    result = subprocess.run([sys.executable, str(SCRIPT), "everything"], capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr == "There is no target 'everything': use product, dev, model, browser.\n"
