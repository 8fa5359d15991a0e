"""The questions in a ward's shorthand: none is in both parts, and none is trained on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import eval as eval_package
from eval.agent.questions import AgentQuestion, read_questions
from training.questionset import evaluated_sets, read_written_questions
from training.reranker.passage_questions import read_passage_questions

FOLDER = Path(eval_package.__file__).parent / "ward_questions"


@pytest.fixture(scope="module")
def parts() -> dict[str, tuple[AgentQuestion, ...]]:
    return {part: read_questions(FOLDER / f"{part}.jsonl") for part in ("dev", "test")}


def test_both_kinds_are_there_and_the_answerable_ones_name_what_answers(
    parts: dict[str, tuple[AgentQuestion, ...]],
) -> None:
    for questions in parts.values():
        able = [question for question in questions if question.answerable]
        assert min(len(able), len(questions) - len(able)) >= 60
        assert all(question.gold for question in able)
        assert not any(question.gold for question in questions if not question.answerable)


def test_no_question_is_in_both_parts(parts: dict[str, tuple[AgentQuestion, ...]]) -> None:
    dev, test = ({question.key for question in parts[part]} for part in ("dev", "test"))
    assert not dev & test
    assert not {question.id for question in parts["dev"]} & {question.id for question in parts["test"]}


def test_none_of_them_is_trained_on(tmp_path: Path) -> None:
    rows = [row for name in ("dev", "test") for row in _texts(name)]
    trained = {row.question for row in read_passage_questions() if row.part == "train"}
    trained |= {row.question for row in read_written_questions()}
    assert not trained & {text for text, _ in rows}
    kept_apart = {text for one in evaluated_sets(tmp_path)[0] for text in one.questions}
    assert {text for text, answerable in rows if not answerable} <= kept_apart


def _texts(part: str) -> list[tuple[str, bool]]:
    rows = map(json.loads, (FOLDER / f"{part}.jsonl").read_text("utf-8").splitlines())
    return [(row["question"], row["answerable"]) for row in rows]
