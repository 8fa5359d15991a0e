"""If these fail, a card shows the figures of another model."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from eval.agent.report import AgentReport, Curve, EvaluatedModel, Group, Reliability
from eval.agent.report import Figure as Measured
from eval.retrieval.report import Estimate
from training.stages import TrainingConfigError
from training.stages.figures import figures_of

HASH = "ab" * 32


def measured(mean: float) -> Measured:
    return Measured(estimate=Estimate(mean=mean, low=mean - 0.1, high=mean + 0.1), of=20, questions=20)


def report(folder: Path, adapter: str | None = f"own@{HASH[:12]}") -> Path:
    def model(name: str, adapter: str | None) -> EvaluatedModel:
        return EvaluatedModel(
            name=name,
            served_as=name,
            adapter=adapter,
            search_first=False,
            temperature=0,
            prompt_sha256="0" * 64,
            index_version="1",
            runs=20,
            failures={},
        )

    def curve(*means: float) -> Curve:
        return Curve(values=tuple(Estimate(mean=mean, low=mean, high=mean) for mean in means))

    nothing = Measured(estimate=None, of=0, questions=0)
    made = AgentReport(
        producer="test",
        measured_at=datetime(2026, 1, 2, tzinfo=UTC),
        questions_sha256="0" * 64,
        questions=20,
        unfinished=0,
        not_known={},
        models=(model("base", None), model("own", adapter)),
        groups=(
            Group(
                name="all",
                questions=20,
                figures={"gold cited": (measured(0.2), measured(0.7)), "abstained": (measured(0.5), nothing)},
            ),
        ),
        reliability=Reliability(
            problems=5,
            repetitions=2,
            left_out=0,
            success=(curve(0.1, 0.0), curve(0.6, 0.4)),
            graded=(curve(0.1, 0.0), curve(0.6, 0.4)),
        ),
        resamples=100,
        level=0.95,
        seed=0,
        tallies={},
    )
    path = folder / "report.json"
    path.write_text(made.model_dump_json())
    return path


def test_the_figures_are_those_of_the_model_that_is_named(tmp_path: Path) -> None:
    found = figures_of(report(tmp_path), "own", HASH)
    assert [(one.set, one.name, one.value, one.n) for one in found] == [
        ("all", "gold cited", 0.7, 20),
        ("reliability", "gold cited and nothing withheld, worst of 1", 0.6, 5),
        ("reliability", "gold cited and nothing withheld, worst of 2", 0.4, 5),
    ]
    assert (found[0].low, found[0].high) == pytest.approx((0.6, 0.8))


@pytest.mark.parametrize(
    ("model", "sha256", "why"),
    [("other", HASH, "no model other: it has base, own"), ("own", "cd" * 32, "another adapter")],
    ids=["model", "adapter"],
)
def test_figures_of_something_else_are_refused(tmp_path: Path, model: str, sha256: str, why: str) -> None:
    with pytest.raises(TrainingConfigError, match=why):
        figures_of(report(tmp_path), model, sha256)


def test_what_is_no_report_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingConfigError, match="no report"):
        figures_of(tmp_path / "none.json", "own", HASH)
