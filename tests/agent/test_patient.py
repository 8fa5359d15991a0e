"""The right patient in a run. If these fail, the answer is a recommendation that the patient must not be given."""

from __future__ import annotations

import pytest

from agent import AgentSettings, AnswerKind, Citation, Question, Rollout, StopReason, Turn, wording
from agent.client import CompletionRequest
from agent.erasing import without_words
from agent.errors import ModelUnavailableError
from agent.gate import WithheldReason
from agent.patient import NOBODY, FactKind, severity
from agent.scripted import ANSWER, Reply, cite_first, search, shown_passages

from .conftest import UTI, Asked, AskFunction

FITS = "58F, not pregnant, lower urinary tract infection, eGFR 68. First choice antibiotic?"
FAILING_KIDNEYS = "58F, not pregnant, lower urinary tract infection, eGFR 24. First choice antibiotic?"
HEADLINE = (
    "Does not apply to this patient: eGFR 24 (a stated contraindication). Question: “eGFR 24”. "
    "Recommendation: “eGFR below 45 ml/min/1.73 m2”."
)
FREE = AgentSettings(quote=False)


def cite_uti(request: CompletionRequest) -> str:
    """An answer with the recommendation that is not for the patient, whatever was offered."""
    (key,) = [key for key, text in shown_passages(request) if text.startswith(UTI)]
    return f"{UTI.rstrip('.')} [{key}]."


def uti(asked: Asked) -> Citation:
    (citation,) = [item for item in asked.summary.answer.citations if item.text == UTI]
    return citation


async def test_what_is_not_for_the_patient_is_not_the_answer(ask: AskFunction) -> None:
    asked = await ask([search("x y"), ANSWER, cite_uti], FAILING_KIDNEYS, settings=FREE)
    assert UTI not in asked.sentences
    assert asked.summary.answer.withheld == {WithheldReason.NOT_FOR_PATIENT: 1}
    assert HEADLINE in uti(asked).labels


async def test_the_same_answer_is_given_where_it_applies(ask: AskFunction) -> None:
    asked = await ask([search("x y"), ANSWER, cite_uti], FITS)
    assert asked.sentences == [UTI]
    assert uti(asked).conflicts == ()
    assert asked.summary.answer.withheld == {}


async def test_it_is_not_offered_for_quoting(ask: AskFunction) -> None:
    asked = await ask([search("x y"), ANSWER, cite_first], FAILING_KIDNEYS)
    offered = [request.grammar for request in asked.model.requests if request.grammar]  # type: ignore[attr-defined]
    assert offered
    assert all("nitrofurantoin" not in grammar for grammar in offered)
    fits = await ask([search("x y"), ANSWER, cite_first], FITS)
    assert any("nitrofurantoin" in (request.grammar or "") for request in fits.model.requests)  # type: ignore[attr-defined]


async def test_the_models_prompt_is_the_same_for_both_but_for_the_passages(ask: AskFunction) -> None:
    """An adapter is bound to its prompt: what is said of the patient changes which passages are found, no more."""
    script = [search("x y"), ANSWER, cite_first]
    against, fits = await ask(script, FAILING_KIDNEYS), await ask(script, FITS)
    assert against.model.requests[0].messages[0] == fits.model.requests[0].messages[0]  # type: ignore[attr-defined]
    shown = [
        [text for _, text in shown_passages(asked.model.requests[-1])]  # type: ignore[attr-defined]
        for asked in (against, fits)
    ]
    (place,) = [place for place, text in enumerate(shown[0]) if text.startswith(UTI)]
    assert place > 0, "the guideline's recommendation that is for this patient stands before the one that is not"
    assert shown[1][0].startswith(UTI)
    assert len(shown[0]) == len(shown[1])


async def test_in_a_list_it_stands_last_under_its_headline(ask: AskFunction) -> None:
    asked = await ask([Reply(error=ModelUnavailableError("down"))], FAILING_KIDNEYS)
    answer = asked.summary.answer
    assert answer.kind is AnswerKind.RECOMMENDATIONS
    assert len(answer.citations) > 1
    levels = [severity(item.conflicts) for item in answer.citations]
    assert levels == sorted(levels)
    assert answer.citations[-1].text == UTI
    assert answer.citations[-1].labels[0] == HEADLINE


async def test_the_reader_is_told_where_nothing_applies(ask: AskFunction) -> None:
    man = "58M with lower urinary tract infection, allergic to nitrofurantoin and cefalexin. Which antibiotic?"
    settings = AgentSettings(evidence_per_search=1, listed_recommendations=1)
    asked = await ask([search("x y"), ANSWER, cite_first], man, settings=settings)
    answer = asked.summary.answer
    assert answer.sentences == ()
    assert answer.label is not None
    assert answer.label.startswith(wording.NONE_FITS_LABEL)
    assert answer.citations
    assert all(item.is_ruled_out for item in answer.citations)
    assert asked.summary.stop_reason is StopReason.ANSWERED
    assert asked.summary.failures == ()
    down = await ask([Reply(error=ModelUnavailableError("down"))], man, settings=settings)
    assert down.summary.answer.label == f"{wording.NONE_FITS_LABEL} {wording.MODEL_FAILED_LABEL}"


async def test_what_was_said_before_counts(ask: AskFunction) -> None:
    history = (Turn(question="58F, eGFR 24, not pregnant", answer="Noted."),)
    question = Question(text="First choice for her lower urinary tract infection?", history=history)
    asked = await ask([Reply(error=ModelUnavailableError("down"))], question)
    assert HEADLINE in uti(asked).labels


async def test_an_answer_tells_nothing_of_the_patient(ask: AskFunction) -> None:
    """ "Contraindicated with eGFR 24" in an earlier answer is the guideline's, not the patient's."""
    history = (Turn(question="Lower urinary tract infection?", answer="Not with an eGFR 24 or in a man."),)
    question = Question(text="First choice antibiotic for lower urinary tract infection?", history=history)
    asked = await ask([Reply(error=ModelUnavailableError("down"))], question)
    assert asked.rollout.patient == NOBODY


class TestRecord:
    async def test_what_was_read_and_what_it_ruled_out_are_recorded(self, ask: AskFunction) -> None:
        asked = await ask([search("x y"), ANSWER, cite_first], FAILING_KIDNEYS)
        record = Rollout.model_validate_json(asked.rollout.model_dump_json())
        assert record == asked.rollout
        assert record.patient is not None
        assert record.patient.renal is not None
        assert record.patient.renal.words == "eGFR 24"
        found = {item.passage_id: item.conflicts for item in record.patient_conflicts}
        (conflict,) = found[uti(asked).passage_id]
        assert conflict.kind is FactKind.RENAL

    async def test_records_from_before_can_still_be_read(self, ask: AskFunction) -> None:
        asked = await ask([search("x y"), ANSWER, cite_first], FITS)
        old = asked.rollout.model_dump(mode="json")
        del old["patient"], old["patient_conflicts"]
        assert old["answer"] is not None
        for citation in old["answer"]["citations"]:
            del citation["conflicts"]
        record = Rollout.model_validate(old)
        assert record.patient is None
        assert record.answer == asked.rollout.answer

    async def test_erasing_takes_the_patient_too(self, ask: AskFunction) -> None:
        asked = await ask([search("x y"), ANSWER, cite_first], FAILING_KIDNEYS)
        assert "eGFR 24" in asked.rollout.model_dump_json()
        erased = without_words(asked.rollout)
        assert "eGFR 24" not in erased.model_dump_json()
        assert erased.answer is not None
        assert len(erased.answer.citations) == len(asked.summary.answer.citations)


@pytest.mark.parametrize("question", ["First-line antibiotic for a lower urinary tract infection?", FITS])
async def test_no_conflict_changes_nothing(ask: AskFunction, question: str) -> None:
    asked = await ask([Reply(error=ModelUnavailableError("down"))], question)
    ranked = [hit.passage_id for hit in sorted(asked.rollout.retrieval[0].hits, key=lambda hit: hit.rank)]
    fitting = [item.passage_id for item in asked.summary.answer.citations if not item.is_ruled_out]
    assert fitting == [name for name in ranked if name in fitting]
