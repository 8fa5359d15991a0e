"""If these fail, a run trains with other settings than its file says."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.reranker import RerankerConfig, TrainingConfigError, read_config


def test_a_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text("seed = 7\nrank = 8\n")
    assert read_config(path) == RerankerConfig(seed=7, rank=8)
    assert read_config(None) == RerankerConfig()


@pytest.mark.parametrize(
    "content",
    ["rank = 0", "ranks = 8", "rank = [", "negatives = 1", "hits = 10"],
    ids=["out of range", "unknown", "no toml", "fewer negatives than far ones", "fewer hits than candidates"],
)
def test_what_cannot_be_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(content)
    with pytest.raises(TrainingConfigError, match=r"bad\.toml"):
        read_config(path)
