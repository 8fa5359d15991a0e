"""Question sets: a set read wrongly gives figures about something else, and HealthBench's text must not get out."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import pytest

from eval.agent.questions import read_questions
from eval.answers.sets import SETS, context_rows, k_qa_rows, own_rows, write_rows
from eval.retrieval.errors import OutputError, SetInvalidError, SetMissingError
from eval.retrieval.sets import benchmarks_folder

SECRET = "unguessable words of a question"


def written(folder: Path, name: str, *rows: object) -> Path:
    with lzma.open(folder / name, "wt", encoding="utf-8") as file:
        file.write("\n".join(json.dumps(row) for row in rows))
    return folder


def conversation(*texts: str, tag: str = "not-enough-context", **fields: Any) -> dict[str, Any]:
    roles = ("user", "assistant")
    prompt = [{"role": roles[n % 2], "content": text} for n, text in enumerate(texts)]
    return {"prompt_id": "a", "prompt": prompt, "example_tags": [f"physician_agreed_category:{tag}"], **fields}


def test_the_projects_own_questions_have_both_sides(tmp_path: Path) -> None:
    rows = own_rows()
    assert write_rows(tmp_path / "q.jsonl", {"own": rows}) == len(rows)
    questions = read_questions(tmp_path / "q.jsonl")
    assert sum(question.answerable is True for question in questions) == 76
    assert sum(question.answerable is False for question in questions) == 60
    assert all(question.gold for question in questions if question.answerable)
    assert {question.of_set for question in questions} == {"own"}
    lines = [json.loads(line) for line in (tmp_path / "q.jsonl").read_text(encoding="utf-8").splitlines()]
    assert all(line["split"] == "eval" and line["training_consent"] is False for line in lines)


def test_k_qa_names_what_an_answer_must_have(tmp_path: Path) -> None:
    row = {"Question": "Oral option for scabies?", "Must_have": ["Ivermectin is oral", " "], "Nice_to_have": ["x"]}
    (read,) = k_qa_rows(written(tmp_path, "k_qa_with_answers.jsonl.xz", row))
    assert (read["id"], read["must_have"]) == ("k-qa-001", ["Ivermectin is oral"])
    assert "answerable" not in read, "nobody said"


def test_context_seeking_says_whether_something_is_missing(tmp_path: Path) -> None:
    name = "healthbench_context_seeking_104.jsonl.xz"
    rows = context_rows(
        written(tmp_path, name, conversation("a", "b", "c"), conversation("d", tag="enough-context", prompt_id="e"))
    )
    assert [row["needs_context"] for row in rows] == [True, False]
    assert (rows[0]["question"], rows[0]["history"]) == ("c", [{"question": "a", "answer": "b"}])


@pytest.mark.parametrize(
    "row",
    [
        conversation(SECRET, "b"),
        conversation(SECRET, tag="other"),
        conversation(SECRET, prompt_id=None, prompt=[{"role": "system", "content": SECRET}]),
        {"prompt": SECRET},
    ],
    ids=["ends with an answer", "unknown tag", "system", "no tags"],
)
def test_no_error_holds_text_that_must_not_get_out(tmp_path: Path, row: dict[str, Any]) -> None:
    folder = written(tmp_path, "healthbench_context_seeking_104.jsonl.xz", row)
    with pytest.raises(SetInvalidError) as caught:
        context_rows(folder)
    assert SECRET not in str(caught.value)


def test_a_file_that_is_not_there_or_not_whole_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetMissingError, match="k_qa_with_answers"):
        k_qa_rows(tmp_path)
    (tmp_path / "k_qa_with_answers.jsonl.xz").write_bytes(b"nothing")
    with pytest.raises(SetInvalidError, match="LZMAError"):
        k_qa_rows(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        write_rows(tmp_path / "file" / "q.jsonl", {})


def test_the_real_files_give_whole_sets_that_can_be_asked(tmp_path: Path) -> None:
    if not (benchmarks_folder() / "k_qa_with_answers.jsonl.xz").is_file():
        pytest.skip("the benchmarks' files are not here")
    write_rows(tmp_path / "q.jsonl", {name: rows() for name, rows in SETS.items()})
    questions = read_questions(tmp_path / "q.jsonl")
    counts = {name: sum(question.of_set == name for question in questions) for name in SETS}
    assert counts == {"own": 136, "k-qa": 201, "context-seeking": 104}
    assert sum(question.needs_context is True for question in questions) == 76
