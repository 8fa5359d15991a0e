"""If these fail, a model is tested on what it was trained on, or a build cannot be repeated."""

from __future__ import annotations

from collections import Counter

import pytest

from retrieval import DocumentId
from training.decontamination import Evaluated
from training.questions import QuestionKind, TrainingQuestion
from training.questionset import (
    PARTS,
    SHARES,
    TRAIN_SHARES,
    BuildPlan,
    Built,
    LibraryWords,
    build,
    lines,
    markdown,
    overlaps,
    report_of,
)
from training.questionset.facts import FactFinder

PLAN = BuildPlan(counts={"train": 120, "dev": 30, "test": 40})


@pytest.fixture(scope="module")
def built(library: LibraryWords) -> Built:
    return build(library, PLAN)


def _pairs(built: Built) -> list[tuple[list[TrainingQuestion], list[TrainingQuestion]]]:
    parts = [built.questions[part] for part in PARTS]
    return [(parts[0], parts[1]), (parts[0], parts[2]), (parts[1], parts[2])]


def test_no_gold_passage_wording_or_question_is_in_two_parts(built: Built) -> None:
    for one, other in _pairs(built):
        assert {id for q in one for id in q.gold}.isdisjoint(id for q in other for id in q.gold)
        assert _wordings(one).isdisjoint(_wordings(other))
        assert {q.id for q in one}.isdisjoint(q.id for q in other)


def test_no_cluster_is_in_two_parts(built: Built, finder: FactFinder) -> None:
    """Two documents on one condition would teach what is tested."""

    def clusters(questions: list[TrainingQuestion]) -> set[DocumentId]:
        ids = {
            DocumentId(str(id).rsplit("#", 1)[0]) if "#" in id else _document(id, finder)
            for q in questions
            for id in q.gold
        }
        return {finder.clusters.of(id) for id in ids}

    for one, other in _pairs(built):
        assert clusters(one).isdisjoint(clusters(other))


def _document(id: str, finder: FactFinder) -> DocumentId:
    return DocumentId(id.rsplit("/", 1)[0])


def _wordings(questions: list[TrainingQuestion]) -> set[str]:
    return {one for q in questions if q.template for one in q.template.split("+")}


def test_what_was_said_before_a_question_is_of_its_part_too(built: Built) -> None:
    for one, other in _pairs(built):
        said = {id for q in one for turn in q.history for id in turn.passage_ids}
        assert said.isdisjoint(id for q in other for id in q.gold)


def test_the_same_seed_gives_the_same_files_and_another_seed_others(library: LibraryWords, built: Built) -> None:
    again = build(library, PLAN)
    other = build(library, BuildPlan(seed=1, counts=PLAN.counts))
    for part in PARTS:
        assert lines(again.questions[part]) == lines(built.questions[part])
    assert lines(other.questions["train"]) != lines(built.questions["train"])


def test_every_gold_passage_is_in_the_library_and_every_line_is_valid(library: LibraryWords, built: Built) -> None:
    for part in PARTS:
        for question in built.questions[part]:
            assert all(id in library for id in question.gold)
            assert TrainingQuestion.model_validate_json(question.model_dump_json()) == question
            assert question.split == ("train" if part == "train" else "eval")
            assert question.training_consent
            assert question.licence


def test_kinds_come_in_their_shares(built: Built) -> None:
    kinds = Counter(question.kind for question in built.questions["train"])
    for kind in (QuestionKind.ANSWERABLE, QuestionKind.CONVERSATIONAL, QuestionKind.NO_SEARCH):
        assert kinds[kind] == round(120 * TRAIN_SHARES[kind])
    tested = Counter(question.kind for question in built.questions["test"])
    assert tested[QuestionKind.ANSWERABLE] == round(40 * SHARES[QuestionKind.ANSWERABLE])


def test_what_an_evaluated_set_asks_is_left_out_and_counted(library: LibraryWords, built: Built) -> None:
    taken = [q.question for q in built.questions["train"] if q.kind is QuestionKind.ANSWERABLE][:5]
    held = [Evaluated("held", taken, ())]
    assert overlaps(built, held) >= len(taken)
    again = build(library, PLAN, evaluated=held)
    assert again.dropped["train"]["held"] >= len(taken)
    assert overlaps(again, held) == 0
    assert {q.question for q in again.questions["train"]}.isdisjoint(taken)


def test_documents_that_answer_real_test_questions_are_not_trained_on(library: LibraryWords, built: Built) -> None:
    trained = next(
        q for q in built.questions["train"] if q.kind is QuestionKind.ANSWERABLE and q.source == "guidelines"
    )
    real = trained.model_copy(
        update={"id": "r", "question": "Asked by a person, quite otherwise?", "real": True, "template": None}
    )
    again = build(library, PLAN, real={"test": [real]})
    assert real in again.questions["test"]
    assert trained.gold[0] not in {id for part in ("train", "dev") for q in again.questions[part] for id in q.gold}


def test_a_real_question_whose_gold_belongs_to_the_test_is_not_trained_on(library: LibraryWords, built: Built) -> None:
    trained = next(
        q for q in built.questions["train"] if q.kind is QuestionKind.ANSWERABLE and q.source == "guidelines"
    )
    test = trained.model_copy(update={"id": "a", "question": "Asked by a person?", "real": True})
    train = trained.model_copy(update={"id": "b", "question": "Asked by another person?", "real": True})
    again = build(library, PLAN, real={"test": [test], "train": [train]})
    assert train not in again.questions["train"]
    assert again.dropped["train"].total() == 1


def test_the_report_says_what_was_built(built: Built) -> None:
    report = report_of(built, PLAN, corpus_sha256="0" * 64, evaluated=[], missing=["absent.xz"], overlaps_left=0)
    assert report.gold_in_two_parts == 0
    assert report.wordings_in_two_parts == 0
    assert report.parts["train"].questions == len(built.questions["train"])
    text = markdown(report)
    assert "absent.xz: not on this machine" in text
    # A report may be shown: it holds no question.
    assert not any(q.question in text for q in built.questions["train"] if len(q.question) > 25)
