"""If these fail, the reranker is trained on questions that are evaluated with, or on ones it cannot answer by rank."""

from __future__ import annotations

from typing import Any

from retrieval import PassageId, SourceId
from training.decontamination import Contamination, Evaluated
from training.questions import QuestionKind, TrainingQuestion
from training.reranker.passage_questions import PassageQuestion
from training.reranker.questions import RankedQuestion, kept_apart, predicted_questions, ranked_questions

_WRITTEN = PassageQuestion(
    question="zorblax at night, tea?", passage=PassageId("a#1"), part="dev", source=SourceId("guidelines")
)


def question(text: str, kind: QuestionKind = QuestionKind.ANSWERABLE, **fields: Any) -> TrainingQuestion:
    values: dict[str, Any] = {
        "id": text,
        "question": text,
        "kind": kind,
        "gold": () if kind is QuestionKind.UNANSWERABLE else ("b#1", "b#2"),
        "question_source": "x",
        "licence": "CC0-1.0",
        "training_consent": True,
    }
    return TrainingQuestion.model_validate(values | fields)


def ranked() -> tuple[RankedQuestion, ...]:
    return ranked_questions(
        [_WRITTEN],
        [
            question("judged"),
            question("judged, none", QuestionKind.UNANSWERABLE),
            question("two needs", QuestionKind.MULTI_HOP, queries=("one", "two")),
        ],
        {
            "train": [question("real"), question("not to be trained on", training_consent=False)],
            "dev": [question("real dev", source="patient_information")],
            "test": [question("real test")],
        },
        [_WRITTEN.model_copy(update={"question": "71F, zorblax, and tea?", "part": "train"})],
    )


def test_written_then_cases_then_judged_then_real_and_none_that_is_tested_with() -> None:
    assert [(one.question, one.origin, one.part) for one in ranked()] == [
        ("zorblax at night, tea?", "written", "dev"),
        ("71F, zorblax, and tea?", "case", "train"),
        ("judged", "judged", "train"),
        ("judged, none", "judged", "train"),
        ("real", "real", "train"),
        ("real dev", "real", "dev"),
    ]
    assert ranked()[0].gold == ("a#1",)
    assert ranked()[3].gold == ()
    assert ranked()[5].source == "patient_information"


def test_of_a_question_whose_hits_were_judged_the_judgements_count_and_not_where_it_was_written_from() -> None:
    judged = {"answers": ("a#2", "a#3"), "partly": ("a#1",), "others": ("a#4",)}
    row = PassageQuestion.model_validate({**_WRITTEN.model_dump(), "part": "train", "judged": judged})
    nothing = row.model_copy(update={"judged": row.judged and row.judged.model_copy(update={"answers": ()})})
    (one,) = ranked_questions([row, nothing], [], {"train": [], "dev": [], "test": []})
    assert (one.gold, one.partly, one.others) == (("a#2", "a#3"), ("a#1",), ("a#4",))


def test_what_an_evaluated_set_asks_is_left_out_and_counted() -> None:
    held = Contamination([Evaluated("held", ["Tea at night: zorblax"], ())])
    kept, counts = kept_apart(ranked(), held)
    assert [one.question for one in kept] == [one.question for one in ranked()[1:]]
    assert counts == {"dev questions left out: asked in held": 1}


def test_queries_predicted_for_passages_that_may_be_trained_on_are_questions_of_the_part_train() -> None:
    predicted = {PassageId("a#1"): ("tea?", "tea at night?"), PassageId("kept out"): ("coffee?",)}
    found = predicted_questions(predicted, {PassageId("a#1"): SourceId("guidelines")})
    assert [(one.question, one.gold, one.origin, one.part) for one in found] == [
        ("tea?", ("a#1",), "predicted", "train"),
        ("tea at night?", ("a#1",), "predicted", "train"),
    ]
