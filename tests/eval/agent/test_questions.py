"""Reading questions: what is not known stays None, and the choice of questions is the same everywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent.batch import read_tasks
from agent.batch.tasks import BatchTask
from eval.agent import chosen_keys, read_questions, write_questions
from eval.retrieval import SetInvalidError, SetMissingError
from training.questions import QuestionKind

from .conftest import ASKED, made_row, row, write_rows


def test_what_nobody_said_is_none_and_never_false(tmp_path: Path) -> None:
    rows = [row("1", "One?"), row("2", "Two?", answerable=False), row("3", "Three?", gold=["p"], must_have=["5 days"])]
    bare, unanswerable, full = read_questions(write_rows(tmp_path / "q.jsonl", rows))
    assert (bare.answerable, bare.gold, bare.must_have, bare.kind, bare.real) == (None, None, None, None, None)
    assert unanswerable.answerable is False
    assert (full.gold, full.must_have) == (("p",), ("5 days",))


def test_a_training_question_says_by_its_kind_whether_it_is_answerable(tmp_path: Path) -> None:
    rows = [
        made_row("answerable", "1", "One?", gold=["p"], real=True),
        made_row("unanswerable", "2", "Two?", real=False),
        made_row("no_search", "3", "Thanks", reply="thanks"),
        made_row("answerable", "4", "One?", gold=["other"]),
    ]
    found = read_questions(write_rows(tmp_path / "q.jsonl", rows))
    assert [q.id for q in found] == ["1", "2", "3"], "a question asked twice is one question"
    assert [q.answerable for q in found] == [True, False, None]
    assert [q.real for q in found] == [True, False, False], "nobody asked a made question"
    assert found[0].kind is QuestionKind.ANSWERABLE


def test_two_questions_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SetInvalidError, match="line 2: another question has the id 1"):
        read_questions(write_rows(tmp_path / "q.jsonl", [row("1", "One?"), row("1", "Two?")]))


@pytest.mark.parametrize(
    "line",
    ['{"question": ""}', '{"qestion": "typo"}', json.dumps(made_row("answerable")), '{"question": "A?", "gold": "p"}'],
    ids=["empty", "typo", "kind without gold", "gold not a list"],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(f'{{"question": "{ASKED}"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(SetInvalidError, match=r"q\.jsonl line 2"):
        read_questions(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SetMissingError, match="no file of questions"):
        read_questions(tmp_path / "none.jsonl")


def test_the_questions_of_the_reliability_curve_do_not_depend_on_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [row(str(i), f"Question {i}?", answerable=i % 3 > 0, gold=["p"] if i % 3 else []) for i in range(30)]
    there = read_questions(write_rows(tmp_path / "a.jsonl", rows))
    back = read_questions(write_rows(tmp_path / "b.jsonl", rows[::-1]))
    chosen = chosen_keys(there, limit=None, reliability=7)
    assert chosen == chosen_keys(back, limit=None, reliability=7)
    assert len(chosen) == 7
    assert all(q.answerable for q in there if q.key in chosen)
    assert chosen < chosen_keys(there, limit=None, reliability=9), "more questions keep those asked before"


def test_what_is_asked_is_marked_as_never_to_be_trained_on(tmp_path: Path) -> None:
    rows = [made_row("answerable", str(i), f"Question {i}?", gold=["p"], split="train") for i in range(3)]
    source = write_rows(tmp_path / "q.jsonl", rows)
    questions = read_questions(source)
    target = tmp_path / "out" / "questions.jsonl"
    write_questions(source, target, chosen_keys(questions, limit=2, reliability=None))
    tasks = [task for task in read_tasks(target) if isinstance(task, BatchTask)]
    assert [task.key for task in tasks] == [q.key for q in questions[:2]]
    assert {(task.split, task.training_consent) for task in tasks} == {("eval", False)}
