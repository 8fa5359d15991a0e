"""If these fail, the reranker learns from documents that answer what the product is tested with."""

from __future__ import annotations

import pytest

from eval.guideline_agent import guideline_agent_questions
from eval.retrieval.sets.guidelines import guideline_questions
from retrieval import CorpusEntry, DocumentId
from training.questions import QuestionKind, TrainingQuestion
from training.questionset import DocumentParts, FactFinder, LibraryWords, Part
from training.reranker.trainable import HELD_OUT_SETS, held_out_documents, trainable_passages

from .conftest import page


def test_documents_of_the_test_half_and_of_the_agents_sets_are_held_out() -> None:
    held = held_out_documents()
    tested = [question for question in guideline_questions() if question.split == "test"]
    asked = [question for which in HELD_OUT_SETS for question in guideline_agent_questions(which)]
    assert {answer.document_id for question in (*tested, *asked) for answer in question.answers} <= held
    assert {right.answer.document_id for question in asked for right in question.also} <= held
    developed = {a.document_id for q in guideline_questions() if q.split == "dev" for a in q.answers}
    assert developed - held


def real(gold: str) -> TrainingQuestion:
    return TrainingQuestion.model_validate(
        {
            "id": gold,
            "question": "Asked by a person?",
            "kind": QuestionKind.ANSWERABLE,
            "gold": (gold,),
            "question_source": "real",
            "licence": "CC0-1.0",
            "training_consent": True,
        }
    )


@pytest.mark.parametrize("part", ["test", "dev"])
def test_documents_of_another_part_or_held_out_or_replaced_are_not_trained_on(
    entries: list[CorpusEntry], part: Part
) -> None:
    newer = page("pages/newer", "wobbles again", "Wobbles go away in rain.", supersedes="pages/7")
    words = LibraryWords([*entries, newer])
    first = {part: [real("pages/0#1")], "train": [real(f"pages/{n}#0") for n in range(1, 8)]}
    parts = DocumentParts(words, FactFinder(words), first)
    assert parts.of(DocumentId("pages/0")) == part
    assert parts.of_gold(real("pages/1#2")) == {"train"}
    assert parts.of_gold(real("elsewhere#2")) == set()
    found = {id.split("#")[0] for id in trainable_passages(words, parts, {DocumentId("pages/1")})}
    assert {f"pages/{number}" for number in range(2, 7)} <= found
    assert found.isdisjoint({"pages/0", "pages/1", "pages/7"})


def test_a_document_that_test_and_train_ask_of_is_of_the_test(words: LibraryWords) -> None:
    both = {"train": [real("pages/0#1")], "test": [real("pages/0#0")], "dev": [real("pages/0#2")]}
    assert DocumentParts(words, FactFinder(words), both).of(DocumentId("pages/0")) == "test"  # type: ignore[arg-type]
