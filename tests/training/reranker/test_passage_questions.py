"""If these fail, the reranker is chosen by what it was trained on, or trained on what the product is tested with."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.decontamination import Contamination
from training.questionset import RealQuestionsError, evaluated_sets, read_real_questions
from training.reranker import CASE_QUESTIONS_FILE, PassageQuestion, read_passage_questions
from training.reranker.passage_questions import PASSAGE_QUESTIONS_FILE
from training.reranker.trainable import held_out_documents

from ...starter import starter_passages


@pytest.fixture(scope="module", params=[PASSAGE_QUESTIONS_FILE, CASE_QUESTIONS_FILE], ids=["plain", "cases"])
def rows(request: pytest.FixtureRequest) -> tuple[PassageQuestion, ...]:
    """The questions of each file in turn."""
    return read_passage_questions(request.param)


def test_both_parts_are_there_and_share_no_document(rows: tuple[PassageQuestion, ...]) -> None:
    train, dev = ({_document(row) for row in rows if row.part == part} for part in ("train", "dev"))
    assert min(len(train), len(dev)) > 50
    assert train.isdisjoint(dev)


def _document(row: PassageQuestion) -> str:
    return row.passage.rsplit("/", 1)[0] if row.passage.startswith("starter/") else row.passage.split("#")[0]


def test_of_one_passage_nothing_is_asked_twice(rows: tuple[PassageQuestion, ...]) -> None:
    asked = [(row.question.casefold(), row.passage) for row in rows]
    assert len(set(asked)) == len(asked)


def test_only_training_questions_are_judged_and_their_own_passage_was_read_too() -> None:
    judged = [(row, row.judged) for row in read_passage_questions() if row.judged is not None]
    assert len(judged) > 5000
    own = 0
    for row, verdict in judged:
        read = [*verdict.answers, *verdict.partly, *verdict.others]
        assert row.part == "train"
        assert len(set(read)) == len(read)
        own += row.passage in read
    # Of passages with the same words one was read.
    assert own > 0.95 * len(judged)


def test_starter_passages_that_are_named_exist(rows: tuple[PassageQuestion, ...]) -> None:
    named = {row.passage for row in rows if row.passage.startswith("starter/")}
    assert named
    assert named <= set(starter_passages())


def test_nothing_is_asked_of_documents_that_are_tested_with(rows: tuple[PassageQuestion, ...]) -> None:
    held_out = held_out_documents()
    assert not [row for row in rows if _document(row) in held_out]
    tested = {id for question in read_real_questions() if question.split == "test" for id in question.gold}
    assert not [row for row in rows if row.passage in tested]


def test_the_projects_own_sets_ask_none_of_them(rows: tuple[PassageQuestion, ...], tmp_path: Path) -> None:
    own, missing = evaluated_sets(tmp_path)
    assert own
    assert missing
    against = Contamination(own)
    assert [row.question for row in rows if against.of_question(row.question)] == []


def test_no_case_asks_the_other_parts_passages() -> None:
    """Else what chooses was seen in training."""
    parts: dict[str, set[str]] = {}
    for row in (*read_passage_questions(), *read_passage_questions(CASE_QUESTIONS_FILE)):
        parts.setdefault(_document(row), set()).add(row.part)
    assert [name for name, found in parts.items() if len(found) > 1] == []


def test_a_line_that_is_no_question_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"question": "gout and colchicine?", "passage": "a#1", "part": "test", "source": "guidelines"}\n')
    with pytest.raises(RealQuestionsError, match=r"bad\.jsonl"):
        read_passage_questions(path)
