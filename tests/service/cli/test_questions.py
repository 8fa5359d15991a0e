"""If these fail, the files of questions cannot be made again from the same library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli import app
from training.questions import TrainingQuestion

SMALL = ["--train", "40", "--dev", "10", "--test", "10"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"CLINSEARCH_DATA_DIR": str(tmp_path / "var"), "CLINSEARCH_BENCHMARKS": str(tmp_path / "none")}


def _build(output: Path, environment: dict[str, str], *more: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["questions", "build", "--output", str(output), *SMALL, *more], env=environment)
    return result.exit_code, result.output


def test_it_writes_three_files_and_a_report_the_same_again(tmp_path: Path, environment: dict[str, str]) -> None:
    code, said = _build(tmp_path / "a", environment)
    assert code == 0, said
    assert "There are no real questions in this set" in " ".join(said.split())
    report = json.loads((tmp_path / "a" / "report.json").read_text("utf-8"))
    for part in ("train", "dev", "test"):
        lines = (tmp_path / "a" / f"{part}.jsonl").read_text("utf-8").splitlines()
        assert lines
        assert all(TrainingQuestion.model_validate_json(line) for line in lines)
        assert report["parts"][part]["questions"] == len(lines)
    _build(tmp_path / "b", environment)
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes()


@pytest.mark.parametrize(
    ("share", "said"),
    [("answerable", "KIND=NUMBER"), ("cheerful=1", "the kinds are"), ("answerable=0.5", "add up to 1")],
    ids=["no-number", "no-kind", "not-whole"],
)
def test_wrong_shares_are_told_in_a_sentence(
    tmp_path: Path, environment: dict[str, str], share: str, said: str
) -> None:
    code, output = _build(tmp_path / "a", environment, "--share", share)
    assert code == 1
    assert said in " ".join(output.split())


def test_shares_can_be_chosen(tmp_path: Path, environment: dict[str, str]) -> None:
    shares = ("--share", "answerable=0.5", "--share", "no_search=0.5")
    code, _ = _build(tmp_path / "a", environment, *shares, "--no-written")
    assert code == 0
    kinds = {json.loads(line)["kind"] for line in (tmp_path / "a" / "train.jsonl").read_text("utf-8").splitlines()}
    assert kinds == {"answerable", "no_search"}
