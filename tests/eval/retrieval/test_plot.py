"""The picture of a report."""

from __future__ import annotations

from pathlib import Path

import pytest

from eval.retrieval.errors import OutputError
from eval.retrieval.plot import check_plot, plot
from eval.retrieval.question_set import QuestionSet
from eval.retrieval.run import evaluate_retrieval
from retrieval import ExactBackend, HashingEncoder


def test_a_report_is_drawn(small_set: QuestionSet, tmp_path: Path) -> None:
    report = evaluate_retrieval(
        [small_set], ("bm25", "hybrid"), encoder=HashingEncoder, folder=tmp_path, store=ExactBackend(), resamples=50
    )
    plot(report, tmp_path / "figure.svg")
    drawn = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    assert drawn.lstrip().startswith("<?xml")
    plot(report, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(OutputError, match="could not be written"):
        plot(report, tmp_path / "no-such-folder" / "figure.png")


def test_a_format_that_cannot_be_drawn_is_refused_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="ends in one of"):
        check_plot(tmp_path / "figure.doc")
