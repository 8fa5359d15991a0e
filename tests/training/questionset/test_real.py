"""If these fail, a question is tested on what was trained on, or its answer is not where it is said to be."""

from __future__ import annotations

import json
import lzma
import os
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from training.questionset.real import (
    REAL_FILE,
    RealQuestion,
    RealQuestionsError,
    question_sha256,
    question_texts,
    read_real_questions,
    with_texts,
)

from ...starter import starter_passages

ROOT = Path(__file__).parents[3]
FOLDER = Path(os.environ.get("CLINSEARCH_QUESTIONS") or ROOT.parent / "shared" / "data" / "questions")


def row(**changes: object) -> dict[str, object]:
    given = {
        "question_sha256": question_sha256("How is gout treated?"),
        "source": "guidelines",
        "split": "test",
        "answerable": True,
        "gold": ["gout#1"],
        "note": "drug and dose",
    }
    return given | changes


def written(folder: Path, pairs: str, patients: list[object]) -> Path:
    (folder / "mediqa_rqe_train.xml.xz").write_bytes(lzma.compress(pairs.encode()))
    lines = "\n".join(json.dumps(patient) for patient in patients)
    (folder / "k_qa_questions.jsonl.xz").write_bytes(lzma.compress(lines.encode()))
    return folder


def test_a_question_is_judged_once() -> None:
    hashes = [question.question_sha256 for question in read_real_questions()]
    assert len(set(hashes)) == len(hashes)


def test_no_gold_passage_is_in_two_splits() -> None:
    splits: defaultdict[str, set[str]] = defaultdict(set)
    for question in read_real_questions():
        for passage in question.gold:
            splits[passage].add(question.split)
    assert {passage for passage, found in splits.items() if len(found) > 1} == set()


def test_gold_among_the_starter_guidelines_is_there() -> None:
    there = set(starter_passages())
    gold = {passage for question in read_real_questions() for passage in question.gold}
    named = {passage for passage in gold if passage.startswith("starter/")}
    assert named
    assert named <= there


@pytest.mark.parametrize(("split", "answerable", "unanswerable"), [("test", 120, 40), ("train", 60, 5), ("dev", 20, 3)])
def test_there_are_enough_to_measure_with(split: str, answerable: int, unanswerable: int) -> None:
    found = [question.answerable for question in read_real_questions() if question.split == split]
    assert found.count(True) >= answerable
    assert found.count(False) >= unanswerable


def test_no_text_of_a_question_or_a_passage_is_kept() -> None:
    kept = {"question_sha256", "source", "split", "answerable", "gold", "note"}
    assert all(set(json.loads(line)) == kept for line in REAL_FILE.read_text("utf-8").splitlines())
    assert all(len(question.note.split()) <= 15 for question in read_real_questions())


@given(st.lists(st.text(alphabet=st.characters(exclude_categories=["Z", "C"]), min_size=1), min_size=1))
def test_only_white_space_does_not_count(words: list[str]) -> None:
    assert question_sha256(" ".join(words)) == question_sha256("\n " + " \t".join(words) + "  ")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"gold": []}, id="answerable-without-gold"),
        pytest.param({"answerable": False}, id="unanswerable-with-gold"),
        pytest.param({"gold": ["gout#1", "gout#1"]}, id="gold-twice"),
        pytest.param({"gold": [f"gout#{at}" for at in range(6)]}, id="six-gold"),
        pytest.param({"question_sha256": "abc"}, id="no-hash"),
        pytest.param({"split": "training"}, id="no-such-split"),
        pytest.param({"note": ""}, id="no-reason"),
        pytest.param({"text": "How is gout treated?"}, id="text"),
    ],
)
def test_a_line_that_says_two_things_is_refused(changes: dict[str, object]) -> None:
    RealQuestion.model_validate(row())
    with pytest.raises(ValidationError):
        RealQuestion.model_validate(row(**changes))


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    with pytest.raises(RealQuestionsError, match=r"mine\.jsonl cannot be used"):
        read_real_questions(path)
    path.write_text(json.dumps(row(gold=[])), "utf-8")
    with pytest.raises(RealQuestionsError, match="names its gold passages"):
        read_real_questions(path)


def test_both_forms_and_both_files_give_their_words(tmp_path: Path) -> None:
    pairs = "<set><pair><chq>\n How is  gout treated? \n</chq><faq>Gout treatment?</faq></pair></set>"
    texts = question_texts(written(tmp_path, pairs, [{"Question": "Is it gout?"}, {"Question": "Gout treatment?"}]))
    assert sorted((found.text, found.file) for found in texts.values()) == [
        ("Gout treatment?", "mediqa_rqe_train"),
        ("How is gout treated?", "mediqa_rqe_train"),
        ("Is it gout?", "k_qa_questions"),
    ]
    asked = RealQuestion.model_validate(row())
    [(_, found)] = with_texts([asked], tmp_path)
    assert found.text == "How is gout treated?"
    other = RealQuestion.model_validate(row(question_sha256=question_sha256("What is gout?")))
    with pytest.raises(RealQuestionsError, match="stands in none"):
        list(with_texts([asked, other], tmp_path))


@pytest.mark.parametrize(
    ("pairs", "patients", "said"),
    [
        pytest.param("<set>", [], "not XML", id="xml"),
        pytest.param("<set/>", [{"Answer": "no"}], "without a question", id="no-question"),
        pytest.param("<set/>", ["text"], "without a question", id="not-an-object"),
    ],
)
def test_a_file_in_another_layout_is_refused(tmp_path: Path, pairs: str, patients: list[object], said: str) -> None:
    with pytest.raises(RealQuestionsError, match=said):
        question_texts(written(tmp_path, pairs, patients))


def test_a_missing_file_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(RealQuestionsError, match="put the publisher's file there"):
        question_texts(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(
    not FOLDER.is_dir(), reason="real questions: set CLINSEARCH_QUESTIONS to the folder that holds them"
)
def test_every_question_stands_in_the_publishers_files() -> None:
    rows = read_real_questions()
    assert len(list(with_texts(rows, FOLDER))) == len(rows)
