"""`clinsearch gate check`: the gate is measured by what this command writes."""

from __future__ import annotations

import json
from pathlib import Path

from .invoking import run

PASSAGE = {
    "text": "Give adults oral prednisolone 40 mg once daily for 5 days. Give children 1 mg/kg once daily for 3 days.",
    "title": "Acute asthma attack",
    "strength": "Strong",
}


def written(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "pairs.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n", "utf-8")
    return path


def test_a_verdict_a_row_in_the_files_order(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {
            "id": "1",
            "sentence": "Adults receive prednisolone 40 mg PO OD over 5 days.",
            "passage": PASSAGE,
            "kind": "x",
        },
        {"id": "2", "sentence": "Give adults prednisolone 1 mg/kg once daily.", "passage": PASSAGE},
        {"id": "3", "sentence": "Give adults prednisolone 40 mg once daily.", "passage": {"text": PASSAGE["text"]}},
    )
    done = run({}, "gate", "check", str(path))
    assert done.exit_code == 0, done.output
    assert [json.loads(line) for line in done.stdout.splitlines()] == [
        {"id": "1", "shown": True, "reason": None},
        {"id": "2", "shown": False, "reason": "number_not_in_passage"},
        {"id": "3", "shown": True, "reason": None},
    ]


def test_a_bad_row_is_named_by_its_line_and_nothing_is_written(tmp_path: Path) -> None:
    good = {"id": "1", "sentence": "Give prednisolone.", "passage": PASSAGE}
    for bad, says in (
        ("{", "JSON"),
        ({"id": "2", "passage": PASSAGE}, "sentence"),
        ({**good, "passage": {}}, "passage.text"),
    ):
        done = run({}, "gate", "check", str(written(tmp_path, good, bad)))
        assert done.exit_code == 1
        assert "line 2" in done.stderr
        assert says in done.stderr
        assert done.stdout == ""


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    done = run({}, "gate", "check", str(tmp_path / "none.jsonl"))
    assert done.exit_code == 1
    assert "cannot be read" in done.stderr


def test_a_scorer_that_is_named_and_not_there_is_said_before_any_verdict(tmp_path: Path) -> None:
    """Without it the verdicts would be another gate's than the one that was asked for."""
    path = written(tmp_path, {"id": "1", "sentence": "Give adults prednisolone.", "passage": PASSAGE})
    done = run({"CLINSEARCH_ENTAILMENT_ADAPTER": str(tmp_path / "nowhere")}, "gate", "check", str(path))
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "no entailment adapter in nowhere" in done.output


def test_several_sentences_are_judged_one_by_one(tmp_path: Path) -> None:
    """As in an answer: each may be of another statement, and one that is wrong withholds the row."""
    right = "Give adults prednisolone 40 mg once daily for 5 days. Children get 1 mg/kg once daily for 3 days."
    path = written(
        tmp_path,
        {"id": "1", "sentence": right, "passage": PASSAGE},
        {"id": "2", "sentence": right.replace("3 days", "5 days"), "passage": PASSAGE},
        {"id": "3", "sentence": " - ", "passage": PASSAGE},
    )
    done = run({}, "gate", "check", str(path))
    assert [json.loads(line)["shown"] for line in done.stdout.splitlines()] == [True, False, False]
