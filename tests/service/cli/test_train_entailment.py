"""If these fail, training the gate's scorer ends in a traceback, or begins without what it learns from."""

from __future__ import annotations

from pathlib import Path

from .invoking import run


def test_settings_that_are_wrong_are_named(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("epochs = 0\n", encoding="utf-8")
    done = run(
        {"CLINSEARCH_DATA_DIR": str(tmp_path / "var")},
        "train", "entailment", "--config", str(config), "--folder", str(tmp_path / "run"),
    )  # fmt: skip
    assert done.exit_code == 1
    assert "epochs" in done.output
    assert not (tmp_path / "run").exists()
