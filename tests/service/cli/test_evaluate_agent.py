"""`clinsearch eval agent` from the command line, against small scripted servers over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import read_journal
from eval.agent import AgentReport

from .invoking import indexed, run
from .scripted_server import scripted_server


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A data directory with an index, and a server that two models are asked of."""
    with scripted_server("base", "trained") as url:
        yield indexed(tmp_path_factory.mktemp("data"), SERVER=url)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "set" / "test.jsonl"
    path.parent.mkdir()
    rows = [{"id": f"q{i}", "question": f"Which antibiotic for cystitis in case {i}?"} for i in range(6)]
    for number, one in enumerate(rows):
        one["answerable"] = number < 4  # type: ignore[assignment]
        one["gold"] = ["somewhere"] if number < 4 else []  # type: ignore[assignment]
    path.write_text("\n".join(json.dumps(one) for one in rows), encoding="utf-8")
    return path


def command(environment: dict[str, str], questions: Path, output: Path) -> tuple[str, ...]:
    servers = [part for name in ("base", "trained") for part in ("--model-url", f"{name}={environment['SERVER']}")]
    models = ("--models", "base,base-search-first,trained")
    return ("eval", "agent", *models, "--questions", str(questions), "--output", str(output), *servers)


def test_every_model_answers_every_question_and_a_second_call_adds_none(
    environment: dict[str, str], questions: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    first = run(environment, *command(environment, questions, output))
    assert first.exit_code == 0, first.output
    assert "minus base" in first.stdout
    report = AgentReport.model_validate_json((output / "report.json").read_text(encoding="utf-8"))
    assert [(model.name, model.search_first, model.runs) for model in report.models] == [
        ("base", False, 6),
        ("base-search-first", True, 6),
        ("trained", False, 6),
    ]
    assert "withheld by the gate" in (output / "report.md").read_text(encoding="utf-8")
    again = run(environment, *command(environment, questions, output))
    assert "0 made, 6 were there before" in again.stderr
    assert sum(1 for _ in read_journal(output / "trained")) == 6
    assert {rollout.split for rollout in read_journal(output / "base")} == {"eval"}
    scored = run(environment, "eval", "agent", "--from", str(output), "--models", "trained,base")
    assert scored.exit_code == 0, scored.output
    assert "minus trained" in scored.stdout


def test_the_reliability_curve_is_of_answerable_questions_asked_several_times(
    environment: dict[str, str], questions: Path, tmp_path: Path
) -> None:
    arguments = ("--n", "3", "--temperature", "0.7", "--reliability", "2")
    result = run(environment, *command(environment, questions, tmp_path / "out"), *arguments)
    assert result.exit_code == 0, result.output
    assert "reliability: 2 questions, 3 answers each" in result.stdout
    made = list(read_journal(tmp_path / "out" / "trained"))
    assert len(made) == 6
    assert {rollout.policy.temperature for rollout in made} == {0.7}


def test_a_split_is_found_in_its_folder(environment: dict[str, str], questions: Path, tmp_path: Path) -> None:
    arguments = ("--models", "base", "--model-url", f"base={environment['SERVER']}", "--limit", "2")
    place = ("--questions-dir", str(questions.parent), "--output", str(tmp_path / "out"))
    result = run(environment, "eval", "agent", *place, *arguments)
    assert result.exit_code == 0, result.output
    assert "all (2)" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--models", "base"), "Name the questions with either"),
        (("--questions", "missing.jsonl"), "There is no file of questions"),
        (("--questions-dir", ".", "--split", "nothing"), "There is no nothing.jsonl"),
        (("--questions", "{file}", "--models", "no-such-adapter"), "There is no adapter no-such-adapter"),
        (("--questions", "{file}", "--models", "a/x,b/x"), "Two models have the same name"),
        (("--questions", "{file}", "--model-url", "nonsense"), "--model-url is written NAME="),
        (("--questions", "{file}", "--model-url", "base=http://127.0.0.1:9/v1"), "serves no model base"),
        (("--from", "{folder}"), "There are no runs in"),
    ],
    ids=["none", "missing", "split", "adapter", "same name", "url", "away", "from"],
)
def test_wrong_input_is_one_sentence(
    environment: dict[str, str], questions: Path, tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    filled = [text.format(file=questions, folder=questions.parent) for text in arguments]
    result = run(environment, "eval", "agent", "--output", str(tmp_path / "out"), *filled)
    assert result.exit_code == 1
    assert sentence in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.output


def test_a_server_that_lists_other_models_is_refused(
    environment: dict[str, str], questions: Path, tmp_path: Path
) -> None:
    place = ("--questions", str(questions), "--output", str(tmp_path / "out"))
    result = run(environment, "eval", "agent", *place, "--models", "x", "--model-url", f"x={environment['SERVER']}")
    assert result.exit_code == 1
    assert "serves no model x (base, trained)" in result.stderr.replace("\n", " ")
