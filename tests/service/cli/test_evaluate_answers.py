"""`clinsearch eval answers` from the command line, against a small scripted server over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import read_journal
from agent.client import CompletionRequest
from agent.scripted import ByTurn
from eval.answers import AnswersReport, Arm
from eval.answers.direct import DIRECT_SYSTEM

from .invoking import indexed, run
from .scripted_server import scripted_server

_BY_TURN = ByTurn("lower urinary tract infection")
LIE = "Give 900 mg of paracetamol every hour."


def script(request: CompletionRequest) -> str:
    """Copies the first passage, adds an invented dose, and invents everything where it may not search."""
    if request.messages[0].content == DIRECT_SYSTEM:
        return f"{LIE} Rest for 3 days."
    said = _BY_TURN(request)
    if request.json_schema is not None or "[" not in said:
        return said
    key = said.rpartition("[")[2].partition("]")[0]
    return f"{said} {LIE[:-1]} [{key}]."


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with scripted_server("base", "trained", script=script) as url:
        yield indexed(tmp_path_factory.mktemp("data"), SERVER=url, CLINSEARCH_BENCHMARKS="/nonexistent")


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "asked.jsonl"
    rows = [
        {"id": f"q{n}", "question": f"Which antibiotic for cystitis in case {n}?", "answerable": n < 3}
        for n in range(5)
    ]
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def command(environment: dict[str, str], output: Path, *arguments: str) -> tuple[str, ...]:
    servers = [part for name in ("base", "trained") for part in ("--model-url", f"{name}={environment['SERVER']}")]
    return ("eval", "answers", "--output", str(output), *servers, *arguments)


def test_one_run_counts_what_was_shown_and_what_the_gate_and_the_search_are_worth(
    environment: dict[str, str], questions: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    asked = command(environment, output, "--questions", str(questions), "--models", "base,trained")
    first = run(environment, *asked)
    assert first.exit_code == 0, first.output
    report = AnswersReport.model_validate_json((output / "report.json").read_text(encoding="utf-8"))
    assert report.questions == 5
    for model in report.by_model:
        assert model.arms == (Arm.SHOWN, Arm.UNGATED, Arm.UNSEARCHED)
        figures = {name: [f.estimate and f.estimate.mean for f in row] for name, row in model.groups[0].figures.items()}
        shown, ungated, alone = figures["numbers_altered"]
        assert not shown, "the invented dose was not shown"
        assert ungated, "without the gate it would have been"
        assert alone == 1.0
        assert figures["keys_unresolved"][:2] == [0.0, 0.0]
        assert figures["keys_unresolved"][2] is None, "it cites nothing"
        assert figures["withheld"] == [0.5, None, None]
        assert figures["supported"] == [1.0, 0.5, 0.0]
        for rows in model.matrices.values():
            assert {row: counts["answered"] for row, counts in rows.items()} == {"answerable": 3, "unanswerable": 2}  # type: ignore[index]
    page = (output / "report.md").read_text(encoding="utf-8")
    assert "0 of 5 citations shown do not resolve (none seen: at most 45.1%), 0 of " in page
    written = page + (output / "report.json").read_text(encoding="utf-8")
    assert "cystitis" not in written, "no question, passage or answer stands in a report"
    assert "paracetamol" not in written

    again = run(environment, *asked)
    assert again.stderr.count("0 made, 5 were there before") == 4
    assert {rollout.split for rollout in read_journal(output / "base.without-search")} == {"eval"}
    scored = run(environment, "eval", "answers", "--from", str(output), "--meaning")
    assert scored.exit_code == 0, scored.output
    assert "## trained: abstention" in scored.stdout


def test_what_was_stopped_goes_on_where_it_was(environment: dict[str, str], questions: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    few = command(environment, output, "--questions", str(questions), "--models", "base", "--limit", "2")
    assert run(environment, *few).exit_code == 0
    whole = run(environment, *command(environment, output, "--questions", str(questions), "--models", "base"))
    assert whole.exit_code == 0, whole.output
    assert whole.stderr.count("3 made, 2 were there before") == 2


def test_sets_that_are_not_there_are_left_out_and_the_others_are_asked(
    environment: dict[str, str], tmp_path: Path
) -> None:
    names = ("--set", "own,k-qa,context-seeking", "--limit", "2", "--models", "base", "--no-without-search")
    result = run(environment, *command(environment, tmp_path / "out", *names))
    assert result.exit_code == 0, result.output
    assert "The set k-qa is left out." in result.stderr
    assert "The set context-seeking is left out." in result.stderr
    assert "2 questions" in result.stdout
    assert "| without search |" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "Name the questions with either"),
        (("--set", "own", "--questions", "x.jsonl"), "Name the questions with either"),
        (("--set", "nonsense"), "--set takes own, k-qa, context-seeking"),
        (("--set", "k-qa"), "None of these sets is there."),
        (("--questions", "missing.jsonl"), "There is no file of questions"),
        (("--from", "{folder}"), "There are no runs in"),
    ],
    ids=["none", "both", "set", "absent", "missing", "from"],
)
def test_wrong_input_is_one_sentence(
    environment: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    filled = [text.format(folder=tmp_path) for text in arguments]
    result = run(environment, "eval", "answers", "--output", str(tmp_path / "out"), *filled)
    assert result.exit_code == 1
    assert sentence in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.output
