"""If these fail, a learnt score lets a wrong number through, or is not heard where it may be."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from pydantic import ValidationError

from agent.errors import EntailmentError
from agent.evidence import EvidenceBook
from agent.gate import AnswerGate, SecondOpinion, Verdict, WithheldReason
from agent.gate.entailment import Decision, ScriptedEntailment, premise
from agent.gate.entailment.decision import OVERRULABLE
from agent.sentences import DraftSentence

from .conftest import document, hit

TEXT = (
    "Adults with quibbling rest for a week. Give adults with quibbling oral zorblaxin 200 mg twice daily for 7 days, "
    "if they have a fever. Do not give zorblaxin to children."
)
FAITHFUL = "Grown-ups troubled by quibbling who run a fever take zorblaxin 200 mg BD by mouth for seven days."
SURE = Decision(overrules=dict.fromkeys(OVERRULABLE, 1.0))


def check(
    sentence: str,
    log_odds: Callable[[str, str], float] = lambda _sentence, _premise: 5.0,
    decision: Decision = SURE,
    text: str = TEXT,
) -> Verdict:
    book = EvidenceBook("run")
    made = hit(text).model_copy(update={"document": document("x").model_copy(update={"title": "Quibbling"})})
    key = book.add(made)[0].key
    gate = AnswerGate(book, entailment=SecondOpinion(ScriptedEntailment(log_odds), decision))
    return gate.check(DraftSentence(text=sentence, keys=(key,), raw=sentence))


def test_the_rules_alone_withhold_words_they_do_not_know() -> None:
    verdict = check(FAITHFUL, decision=Decision())
    assert not verdict.shown
    assert verdict.reason is WithheldReason.WORDS_NOT_IN_PASSAGE


def test_a_scorer_that_is_sure_overrules_them_and_the_log_says_so() -> None:
    verdict = check(FAITHFUL)
    assert verdict.shown
    assert verdict.detail is not None
    assert "words_not_in_passage overruled (5.00)" in verdict.detail


def test_a_scorer_that_is_not_sure_enough_does_not() -> None:
    assert not check(FAITHFUL, lambda _s, _p: 0.99).shown
    assert check(FAITHFUL, lambda _s, _p: 1.0).shown


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        (FAITHFUL.replace("200", "400"), WithheldReason.NUMBER_NOT_IN_PASSAGE),
        (FAITHFUL.replace("BD", "TDS"), WithheldReason.NUMBER_NOT_IN_PASSAGE),
        (FAITHFUL.replace("seven days", "seven weeks"), WithheldReason.NUMBER_NOT_IN_PASSAGE),
        (FAITHFUL.replace("zorblaxin", "amoxicillin"), WithheldReason.DRUG_NOT_IN_PASSAGE),
        (FAITHFUL.replace("by mouth", "intravenously"), WithheldReason.ROUTE_DIFFERS),
    ],
)
def test_no_score_shows_a_number_drug_or_route_that_the_passage_does_not_give(
    sentence: str, reason: WithheldReason
) -> None:
    verdict = check(sentence, lambda _s, _p: 1e9)
    assert not verdict.shown
    assert verdict.reason is reason


def test_no_score_shows_a_drug_put_in_the_place_of_another() -> None:
    text = "Give amoxicillin to bakers and doxycycline to sailors, then see a weaver about it."
    right = "Give amoxicillin to bakers and doxycycline to sailors, then see a tailor about it."
    wrong = "Give doxycycline to bakers and amoxicillin to sailors, then see a tailor about it."
    assert check(right, text=text).shown
    assert not check(wrong, lambda _s, _p: 1e9, text=text).shown


def test_what_is_never_overruled_cannot_be_put_into_a_decision() -> None:
    for why in set(WithheldReason) - OVERRULABLE:
        with pytest.raises(ValidationError, match="never overruled"):
            Decision(overrules={why: 0.0})


def test_a_sentence_with_two_objections_must_pass_both() -> None:
    decision = Decision(overrules={WithheldReason.WORDS_NOT_IN_PASSAGE: 1.0})
    assert decision.needed([WithheldReason.WORDS_NOT_IN_PASSAGE]) == 1.0
    assert decision.needed([WithheldReason.WORDS_NOT_IN_PASSAGE] * 2) == 1.0
    assert decision.needed([WithheldReason.WORDS_NOT_IN_PASSAGE, WithheldReason.NEGATION_DIFFERS]) is None


def test_it_is_asked_about_the_statement_with_its_heading_and_what_stands_before() -> None:
    asked: list[str] = []

    def note(_sentence: str, beside: str) -> float:
        asked.append(beside)
        return -9.0

    check(FAITHFUL, note)
    statement = "Give adults with quibbling oral zorblaxin 200 mg twice daily for 7 days, if they have a fever."
    assert premise("Quibbling", "Adults with quibbling rest for a week.", statement) in asked
    assert len(asked) <= 4


def test_what_is_quoted_or_has_nothing_against_it_is_not_asked_about() -> None:
    def never(_sentence: str, _beside: str) -> float:
        raise AssertionError

    assert check("Adults with quibbling rest for a week.", never).shown
    assert check("Rest for a week is for adults with quibbling.", never).shown


def test_where_the_scorer_fails_the_rules_stand() -> None:
    class Broken:
        name = fingerprint = "broken"

        def score(self, sentence: str, premises: Sequence[str]) -> list[float]:
            raise EntailmentError("gone")

    book = EvidenceBook("run")
    key = book.add(hit(TEXT))[0].key
    verdict = AnswerGate(book, entailment=SecondOpinion(Broken(), SURE)).check(
        DraftSentence(text=FAITHFUL, keys=(key,), raw=FAITHFUL)
    )
    assert not verdict.shown
    assert verdict.reason is WithheldReason.WORDS_NOT_IN_PASSAGE


def test_a_contraindication_taken_for_advice_is_never_overruled() -> None:
    made = hit("Offer zorblaxin to adults with quibbling.")
    warned = made.model_copy(
        update={"passage": made.passage.model_copy(update={"contraindications": ("marnitis", "previous fendrosis")})}
    )
    book = EvidenceBook("run")
    key = book.add(warned)[0].key
    gate = AnswerGate(book, entailment=SecondOpinion(ScriptedEntailment(lambda _s, _p: 1e9), SURE))
    text = "Zorblaxin is offered to grown-ups troubled by quibbling and marnitis."
    verdict = gate.check(DraftSentence(text=text, keys=(key,), raw=text))
    assert not verdict.shown
    assert verdict.reason is WithheldReason.NEGATION_DIFFERS
