"""The teacher acts through the real loop as an ideal agent would."""

from __future__ import annotations

from typing import Any

import pytest

from agent import (
    AgentSettings,
    AnswerKind,
    ClinicalAgent,
    MemoryJournal,
    Question,
    Rollout,
    RunSummary,
    StopReason,
    Turn,
)
from agent.actions import Missing, ReplyKind
from retrieval import (
    CorpusEntry,
    Document,
    DocumentId,
    Hit,
    HybridSearcher,
    Passage,
    PassageId,
    PassageKind,
    SearchRequest,
    SourceId,
    memory_searcher,
)
from training.questions import QuestionKind, TrainingQuestion
from training.teacher import Teacher, compose

from ...starter import starter, starter_searcher


@pytest.fixture(scope="module")
def searcher() -> HybridSearcher:
    return starter_searcher()


@pytest.fixture(scope="module")
def recommendation(searcher: HybridSearcher) -> Passage:
    """One that the words of its condition find."""
    (hit, *_) = searcher.search(SearchRequest(queries=("nitrofurantoin lower urinary tract infection",))).hits
    return hit.passage


def question(kind: QuestionKind = QuestionKind.ANSWERABLE, **fields: Any) -> TrainingQuestion:
    values: dict[str, Any] = {
        "id": "q",
        "question": "Which antibiotic for a woman with cystitis?",
        "kind": kind,
        "question_source": "made",
        "licence": "CC0-1.0",
        "training_consent": True,
    }
    return TrainingQuestion.model_validate(values | fields)


async def run(
    asked: TrainingQuestion, searcher: HybridSearcher, words: str | None = None, history: tuple[Turn, ...] = ()
) -> tuple[RunSummary, Rollout]:
    gold = {id: found for id in asked.gold if (found := searcher.hit(id)) is not None}
    journal = MemoryJournal()
    agent = ClinicalAgent(Teacher(asked, gold), searcher, journal, settings=AgentSettings())
    summary = await agent.ask(Question(text=words or asked.question, history=history))
    return summary, journal.rollouts[0]


async def test_it_searches_answers_from_the_gold_and_passes_the_gate(
    searcher: HybridSearcher, recommendation: Passage
) -> None:
    asked = question(gold=(recommendation.id,), queries=("nitrofurantoin lower urinary tract infection",))
    summary, rollout = await run(asked, searcher)
    assert summary.stop_reason is StopReason.ANSWERED
    assert summary.answer.kind is AnswerKind.WRITTEN
    assert {c.passage_id for c in summary.answer.used} == {recommendation.id}
    assert all(verdict.shown for verdict in rollout.verdicts), [v.detail for v in rollout.verdicts]
    assert rollout.outcome.searches == 1
    assert rollout.policy.model == "teacher"


async def test_it_searches_again_with_other_words_while_the_gold_is_missing(
    searcher: HybridSearcher, recommendation: Passage
) -> None:
    asked = question(
        gold=(recommendation.id,),
        queries=("vaccination against measles", "nitrofurantoin lower urinary tract infection"),
        question="Measles vaccine dose for a child?",
    )
    summary, rollout = await run(asked, searcher)
    assert rollout.outcome.searches == 2
    assert summary.stop_reason is StopReason.ANSWERED


async def test_it_declines_what_the_corpus_does_not_hold(searcher: HybridSearcher) -> None:
    asked = question(QuestionKind.UNANSWERABLE, queries=("tonometry in cats", "feline glaucoma", "third"))
    summary, rollout = await run(asked, searcher, "Eye pressure in a cat?")
    assert summary.stop_reason is StopReason.NO_EVIDENCE
    assert rollout.outcome.searches == 2


def a_document(name: str, source: str = "guidelines") -> Document:
    return Document(
        id=DocumentId(name),
        source=SourceId(source),
        title="A page",
        publisher="A body",
        region="INT",
        licence="CC0-1.0",
    )


def a_passage(name: str, text: str) -> Passage:
    return Passage(
        id=PassageId(name),
        document_id=DocumentId(name.split("#")[0]),
        kind=PassageKind.NARRATIVE,
        section=(),
        text=text,
    )


def two_sources() -> HybridSearcher:
    """The starter guidelines, and a page for patients that says nothing of any of them."""
    page = CorpusEntry(
        document=a_document("pages/glaucoma", source="patient_information"),
        passages=(a_passage("pages/glaucoma#1", "Glaucoma damages the nerve of the eye, at first without symptoms."),),
    )
    return memory_searcher([*starter(), page])


async def test_it_looks_in_another_source_before_it_declines() -> None:
    asked = question(QuestionKind.UNANSWERABLE, queries=("tonometry in cats", "feline glaucoma"))
    summary, rollout = await run(asked, two_sources(), "Eye pressure in a cat?")
    assert summary.stop_reason is StopReason.NO_EVIDENCE
    assert [entry.source for entry in rollout.retrieval] == ["guidelines", "patient_information"]


async def test_some_runs_start_in_the_wrong_source_and_that_step_is_marked(recommendation: Passage) -> None:
    """A model that errs so must have seen how to go on, and must not learn to err."""
    searcher, missteps = two_sources(), 0
    for number in range(40):
        asked = question(
            id=f"q{number}", gold=(recommendation.id,), queries=("nitrofurantoin lower urinary tract infection",)
        )
        summary, rollout = await run(asked, searcher)
        assert summary.stop_reason is StopReason.ANSWERED
        explored = [step.explored for step in rollout.steps]
        if any(explored):
            missteps += 1
            assert explored == [True, False, False, False]
            assert [entry.source for entry in rollout.retrieval] == ["patient_information", "guidelines"]
    assert 1 <= missteps <= 14


async def test_of_passages_that_begin_alike_the_right_one_is_cited(searcher: HybridSearcher) -> None:
    """Rows of one table share their heading: the wrong row is another code, or another dose."""
    rows = [a_passage(f"table#{row}", f"Table of codes\nCode {row}: meaning {word}") for row, word in enumerate("abc")]
    entry = CorpusEntry(document=a_document("table"), passages=tuple(rows))
    asked = question(gold=(rows[0].id,), queries=("table of codes meaning",), question="Which code means a?")
    summary, _ = await run(asked, memory_searcher([entry]))
    assert [citation.passage_id for citation in summary.answer.used] == [rows[0].id]


async def test_it_asks_for_what_is_missing_and_goes_on_when_told(
    searcher: HybridSearcher, recommendation: Passage
) -> None:
    asked = question(
        QuestionKind.UNDERSPECIFIED,
        gold=(recommendation.id,),
        queries=("nitrofurantoin lower urinary tract infection",),
        missing=Missing.PREGNANCY,
        case={Missing.PREGNANCY: "She is not pregnant."},
    )
    summary, _ = await run(asked, searcher)
    assert summary.stop_reason is StopReason.NEEDS_CLARIFICATION
    turn = Turn(question=asked.question, answer=summary.answer.label or "")
    told, _ = await run(asked, searcher, "She is not pregnant.", (turn,))
    assert told.stop_reason is StopReason.ANSWERED


async def test_a_multi_hop_question_is_answered_with_both_passages(searcher: HybridSearcher) -> None:
    queries = ("nitrofurantoin lower urinary tract infection", "salbutamol nebuliser acute severe asthma")
    gold = tuple(searcher.search(SearchRequest(queries=(query,))).hits[0].passage.id for query in queries)
    asked = question(QuestionKind.MULTI_HOP, gold=gold, queries=queries)
    summary, rollout = await run(asked, searcher)
    assert rollout.outcome.searches == 2
    assert {c.passage_id for c in summary.answer.used} == set(gold)


async def test_thanks_need_no_search(searcher: HybridSearcher) -> None:
    summary, rollout = await run(question(QuestionKind.NO_SEARCH, reply=ReplyKind.THANKS), searcher, "Thanks!")
    assert summary.stop_reason is StopReason.REPLIED
    assert rollout.outcome.searches == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "answerable"},
        {"kind": "unanswerable", "gold": ["a"]},
        {"kind": "underspecified", "gold": ["a"]},
        {"kind": "no_search"},
        {"kind": "multi_hop", "gold": ["a", "b"], "queries": ["one"]},
    ],
    ids=lambda fields: str(fields["kind"]),
)
def test_a_question_that_contradicts_its_kind_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="question"):
        question(**fields)


async def test_most_starter_recommendations_pass_the_gate_as_the_teacher_writes_them(searcher: HybridSearcher) -> None:
    """Its own sentences are what the model learns to write, so they must be showable."""
    shown = total = 0
    for entry in starter():
        passage = entry.passages[0]
        query = f"{passage.section[0]} {passage.text[:80]}"
        asked = question(gold=(PassageId(passage.id),), queries=(query,), question=f"{passage.section[0]}?")
        _, rollout = await run(asked, searcher)
        shown += sum(verdict.shown for verdict in rollout.verdicts)
        total += len(rollout.verdicts)
    assert total >= 76
    assert shown / total >= 0.95


def made_hit(text: str, **fields: Any) -> Hit:
    (hit, *_) = starter_searcher().search(SearchRequest(queries=("asthma",))).hits
    return hit.model_copy(update={"passage": hit.passage.model_copy(update={"text": text, **fields})})


@pytest.mark.parametrize(
    ("text", "fields", "written"),
    [
        (
            "Give magnesium sulfate. (Strong recommendation, low certainty)",
            {},
            "Give magnesium sulfate (Strong recommendation, low certainty) [bcd].",
        ),
        (
            "Magnesium sulfate often helps. It is given once, over 20 minutes. Watch the blood pressure.",
            {},
            "Magnesium sulfate often helps [bcd]. It is given once, over 20 minutes [bcd].",
        ),
        (
            "Give magnesium sulfate.",
            {"contraindications": ("heart block",)},
            "Give magnesium sulfate [bcd]. Contraindications: heart block [bcd].",
        ),
        (
            "Give magnesium sulfate.",
            {"contraindications": ("See the original document",)},
            "Give magnesium sulfate [bcd].",
        ),
    ],
    ids=["grade-joins", "what-it-leans-on", "contraindication", "pointer-left-out"],
)
def test_an_answer_is_the_passages_own_statements(text: str, fields: dict[str, Any], written: str) -> None:
    hit = made_hit(text, **{"contraindications": (), **fields})
    assert compose("How is it given, over how many minutes?", [("bcd", hit)]) == written
