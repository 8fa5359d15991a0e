"""If these fail, a written question is trained on with a passage that does not answer it, or also tested with."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from agent.actions import Missing
from retrieval import SourceId
from training.questions import QuestionKind
from training.questionset import LibraryWords, RealQuestionsError, read_written_questions, written_questions
from training.questionset.real import read_real_questions
from training.questionset.written import WrittenQuestion

from ...starter import starter_passages


def row(kind: QuestionKind, *gold: str, said: str = "") -> WrittenQuestion:
    return WrittenQuestion.model_validate(
        {
            "question": "gout attack, colchicine or not?",
            "kind": kind,
            "source": "guidelines",
            "gold": gold,
            "said": said,
        }
    )


def test_no_written_question_has_gold_that_real_questions_are_tested_with() -> None:
    trained = {id for question in read_written_questions() for id in question.gold}
    tested = {id for question in read_real_questions() if question.split != "train" for id in question.gold}
    # The builder leaves out what shares a whole condition with them; these are the very passages.
    assert not trained & {id for question in read_real_questions() if question.split == "test" for id in question.gold}
    assert len(trained & tested) < len(tested) / 10


def test_a_question_is_written_once() -> None:
    texts = [question.question.casefold() for question in read_written_questions()]
    assert len(set(texts)) == len(texts)


def test_starter_passages_that_are_named_exist() -> None:
    held = set(starter_passages())
    named = {id for question in read_written_questions() for id in question.gold if id.startswith("starter/")}
    assert named
    assert named <= held


def test_a_written_question_is_trained_on_and_never_tested_with(library: LibraryWords) -> None:
    gold = next(item.passage.id for item in library.located if "colchicine" in item.passage.text)
    ((question,), left_out) = written_questions([row(QuestionKind.ANSWERABLE, gold)], library)
    assert left_out == 0
    assert question.split == "train"
    assert not question.real
    assert question.gold == (gold,)
    assert "colchicine" in question.queries[0]


def test_of_two_needs_each_gold_has_a_search(library: LibraryWords) -> None:
    golds = [item.passage.id for item in library.located if "colchicine" in item.passage.text][:1]
    golds.append(next(item.passage.id for item in library.located if item.passage.id not in golds))
    ((question,), _) = written_questions([row(QuestionKind.MULTI_HOP, *golds)], library)
    assert len(question.queries) == 2
    (found, left_out) = written_questions([row(QuestionKind.MULTI_HOP, golds[0], "nowhere#1")], library)
    assert (found, left_out) == ([], 1)


def test_what_the_clinician_says_when_asked_is_the_hidden_case(library: LibraryWords) -> None:
    gold = library.located[0].passage.id
    ((question,), _) = written_questions([row(QuestionKind.UNDERSPECIFIED, gold, said="It is for gout.")], library)
    assert question.missing is Missing.CONDITION
    assert question.case == {Missing.CONDITION: "It is for gout."}
    assert "gout" in question.queries[0]


@pytest.mark.parametrize(
    ("kind", "gold", "said"),
    [
        (QuestionKind.ANSWERABLE, (), ""),
        (QuestionKind.UNANSWERABLE, ("a#1",), ""),
        (QuestionKind.MULTI_HOP, ("a#1",), ""),
        (QuestionKind.UNDERSPECIFIED, ("a#1",), ""),
        (QuestionKind.ANSWERABLE, ("a#1",), "Gout."),
        (QuestionKind.NO_SEARCH, ("a#1",), ""),
    ],
)
def test_a_row_that_contradicts_itself_is_refused(kind: QuestionKind, gold: tuple[str, ...], said: str) -> None:
    with pytest.raises(ValidationError):
        row(kind, *gold, said=said)


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "written.jsonl"
    path.write_text('{"question": 1}\n')
    with pytest.raises(RealQuestionsError, match=r"written\.jsonl cannot be used"):
        read_written_questions(path)


def test_sources_are_those_of_the_service() -> None:
    assert {question.source for question in read_written_questions()} <= {
        SourceId("guidelines"),
        SourceId("patient_information"),
        SourceId("public_health_reports"),
    }
