"""Invariant 1, nothing unverified is shown: what passes the gate is what a clinician acts on."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.evidence import EvidenceBook
from agent.gate import AnswerGate, Verdict, WithheldReason
from agent.quantities import quantities
from agent.sentences import DraftSentence
from retrieval import Hit

from ..starter import starter
from .conftest import UTI, UTI_WARNING, entries, hit

NUMBER, NEGATION, WORDS = (
    WithheldReason.NUMBER_NOT_IN_PASSAGE,
    WithheldReason.NEGATION_DIFFERS,
    WithheldReason.WORDS_NOT_IN_PASSAGE,
)
FAITHFUL = UTI.replace("a first choice", "the first choice")


def uti_hit() -> Hit:
    entry = entries()[0]
    return Hit(rank=1, score=1.0, passage=entry.passages[0], document=entry.document)


def check(sentence: str, *hits: Hit, keys: tuple[str, ...] | None = None) -> Verdict:
    """The verdict on a sentence that cites all the hits."""
    book = EvidenceBook("run")
    made = tuple(book.add(h)[0].key for h in hits)
    return AnswerGate(book).check(DraftSentence(text=sentence, keys=made if keys is None else keys, raw=sentence))


@pytest.mark.parametrize(
    "sentence",
    [
        UTI,
        FAITHFUL,
        "The first choice is nitrofurantoin modified-release 100 mg twice daily for 3 days.",
        "Nitrofurantoin modified-release 0.1 g by mouth twice a day for three days is the recommended first choice.",
        "Nitrofurantoin modified-release is a first choice for lower urinary tract infections in non-pregnant women.",
        "Nitrofurantoin is contraindicated if eGFR is below 45 ml/min/1.73 m2.",
        "Give nitrofurantoin modified-release 100 mg twice daily for 3 days unless eGFR is below 45 ml/min/1.73 m2.",
        "Do not give nitrofurantoin in G6PD deficiency.",
        "Contraindications: eGFR below 45 ml/min/1.73 m2; G6PD deficiency.",
    ],
)
def test_a_faithful_sentence_is_shown(sentence: str) -> None:
    verdict = check(sentence.replace("women", "woman"), uti_hit())
    assert verdict.shown, verdict


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        ("100 mg", "1000 mg", NUMBER),
        ("100 mg", "10 mg", NUMBER),
        ("100 mg", "100 micrograms", NUMBER),
        ("100 mg", "100 ml", NUMBER),
        ("100 mg", "100", NUMBER),
        ("100 mg", "a1000 mg", NUMBER),
        ("100 mg", "5.100 mg", NUMBER),
        ("100 mg", "100 mg/kg", NUMBER),
        ("100 mg", "up to 100 mg", NUMBER),
        ("100 mg", "one thousand mg", NUMBER),
        ("100 mg", "a thousand mg", WORDS),
        ("3 days", "7 days", NUMBER),
        ("3 days", "3 weeks", NUMBER),
        ("3 days", "at least 3 days", NUMBER),
        ("3 days", "3 to 5 days", NUMBER),
        ("twice daily", "once daily", NUMBER),
        ("twice daily", "three times daily", NUMBER),
        ("twice daily", "twice weekly", NUMBER),
        ("twice daily", "twice daily or hourly", NUMBER),
        ("is nitrofurantoin", "is not nitrofurantoin", NEGATION),
        ("non-pregnant", "pregnant", WithheldReason.POPULATION_DIFFERS),
        ("is nitrofurantoin", "is amoxicillin", WithheldReason.DRUG_NOT_IN_PASSAGE),
        ("by mouth", "intravenously", WithheldReason.ROUTE_DIFFERS),
        ("lower urinary", "upper urinary", WORDS),
        ("first choice", "last choice", WORDS),
        ("twice daily", "twice daily with vitamin K", WORDS),
    ],
)
def test_one_changed_detail_withholds_the_sentence(was: str, becomes: str, reason: WithheldReason) -> None:
    assert was in UTI
    verdict = check(UTI.replace(was, becomes), uti_hit())
    assert not verdict.shown
    assert verdict.reason is reason, verdict


@pytest.mark.parametrize(
    ("passage_text", "sentence", "reason"),
    [
        ("Refer if eGFR is below 30.", "Refer if eGFR is above 30.", NUMBER),
        ("Refer if eGFR is below 30.", "Refer if eGFR is 30 or below.", NUMBER),
        ("Refer adults aged 65 and over.", "Refer adults aged 65 and under.", NUMBER),
        ("Give no more than 4 doses.", "Give more than 4 doses.", NUMBER),
        ("Review within 48 hours.", "Review after 48 hours.", NUMBER),
        ("Do not exceed 4 g per day.", "Exceed 4 g per day.", NUMBER),
        ("Do not offer an antibiotic.", "Offer an antibiotic.", NEGATION),
        ("Offer an antibiotic.", "Do not offer an antibiotic.", NEGATION),
        ("Offer an antibiotic.", "Avoid an antibiotic.", NEGATION),
        ("Do not use it without an antacid.", "Use it without an antacid.", NEGATION),
        ("Do not stop the drug unless bleeding.", "Stop the drug unless bleeding.", NEGATION),
        ("Give to a non-smoker.", "Give to a smoker.", WORDS),
        ("Increase the dose slowly in adults with asthma.", "Reduce the dose slowly in adults with asthma.", WORDS),
        ("Vaccinate against hepatitis B.", "Vaccinate against hepatitis A.", WORDS),
        ("Give vitamin D to adults.", "Give vitamin K to adults.", WORDS),
        ("Start the drug in stable angina.", "Start the drug in unstable angina.", WORDS),
        (
            "Give doxycycline 200 mg on day 1, then 100 mg daily.",
            "Give doxycycline 100 mg on day 1, then 200 mg daily.",
            NUMBER,
        ),
        ("Take the weekly dose at night.", "Take the daily dose at night.", NUMBER),
    ],
)
def test_a_turned_meaning_is_withheld(passage_text: str, sentence: str, reason: WithheldReason) -> None:
    assert check(passage_text, hit(passage_text)).shown, "the passage's own sentence must pass"
    verdict = check(sentence, hit(passage_text))
    assert not verdict.shown
    assert verdict.reason is reason, verdict


TWO_PARTS = "Give oxygen to every hypoxaemic adult; do not delay oxygen because pulse oximetry is unavailable."


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        (TWO_PARTS, True),
        ("Give oxygen to every hypoxaemic adult.", True),
        ("Do not delay oxygen because pulse oximetry is unavailable.", True),
        ("Delay oxygen because pulse oximetry is unavailable.", False),
        ("Give oxygen to every hypoxaemic adult and delay oxygen.", False),
        ("Do not give oxygen to every hypoxaemic adult.", False),
        ("Do not give oxygen to every hypoxaemic adult; delay oxygen because pulse oximetry is unavailable.", False),
    ],
)
def test_each_part_of_a_statement_keeps_its_own_negation(sentence: str, shown: bool) -> None:
    assert check(sentence, hit(TWO_PARTS)).shown is shown


def test_every_starter_recommendation_passes_when_it_is_copied() -> None:
    """A model that copies faithfully must not be silenced: that hides right answers."""
    withheld = []
    for entry in starter():
        for item in entry.passages:
            copied = DraftSentence(text=item.text, keys=(), raw=item.text)
            verdict = check(copied.text, Hit(rank=1, score=1.0, passage=item, document=entry.document))
            if not verdict.shown:
                withheld.append((item.id, verdict.reason, verdict.detail))
    assert withheld == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Give nitrofurantoin modified-release 100 mg in G6PD deficiency.",
        "Nitrofurantoin is a first choice if eGFR is below 45 ml/min/1.73 m2.",
    ],
)
def test_a_contraindication_is_never_shown_as_an_indication(sentence: str) -> None:
    assert check(sentence, uti_hit()).reason is NEGATION


def test_a_number_from_another_passage_is_withheld() -> None:
    """The clinician would open the source and find another dose there."""
    other = hit("Give cefalexin 500 mg for 7 days.")
    assert check("Give cefalexin 500 mg for 7 days.", other).shown
    verdict = check(UTI.replace("3 days", "7 days"), uti_hit(), other)
    assert verdict.reason is NUMBER
    assert verdict.detail == "7 days"


def test_a_sentence_without_a_key_is_withheld() -> None:
    assert check(UTI, uti_hit(), keys=()).reason is WithheldReason.NO_CITATION


def test_a_key_this_run_did_not_retrieve_is_withheld_even_beside_a_good_one() -> None:
    good = EvidenceBook("run").add(uti_hit())[0].key
    assert check(UTI, uti_hit(), keys=(good,)).shown
    assert check(UTI, uti_hit(), keys=(good, "zzz")).reason is WithheldReason.UNKNOWN_KEY


def test_a_key_of_another_run_means_nothing_here() -> None:
    first, second = EvidenceBook("run-1"), EvidenceBook("run-2")
    key = first.add(uti_hit())[0].key
    second.add(uti_hit())
    assert second.resolve(key) is None


@given(st.data())
def test_changing_any_digit_of_a_faithful_sentence_withholds_it(data: st.DataObject) -> None:
    sources = [UTI, f"Do not give nitrofurantoin if eGFR is {UTI_WARNING.removeprefix('eGFR ')}."]
    sentence = data.draw(st.sampled_from(sources))
    places = [match.start() for match in re.finditer(r"\d", sentence)]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from("0123456789"))
    changed = sentence[:place] + digit + sentence[place + 1 :]
    own = set(quantities(uti_hit().passage.citable_text))
    assume(set(quantities(changed)) - own)
    assert check(sentence, uti_hit()).shown
    assert check(changed, uti_hit()).reason is NUMBER


@given(st.text(max_size=60), st.integers(min_value=0, max_value=len(UTI)))
def test_text_put_into_a_faithful_sentence_passes_only_if_it_says_nothing_new(extra: str, place: int) -> None:
    """Whatever is inserted: if the sentence is still shown, its numbers and its words are the passage's."""
    changed = UTI[:place] + extra + UTI[place:]
    verdict = check(changed, uti_hit())
    if verdict.shown:
        assert set(quantities(changed)) <= set(quantities(uti_hit().passage.citable_text))


@given(st.text(max_size=200), st.text(alphabet="bcdfghjkmnpqrstvwxz", min_size=3, max_size=3))
def test_no_sentence_makes_the_gate_fail(text: str, key: str) -> None:
    verdict = check(text, uti_hit(), keys=(key,))
    assert verdict.shown is (verdict.reason is None)


@pytest.mark.parametrize(
    ("statement", "sentence", "condition"),
    [
        ("If eGFR is above 45, give nitrofurantoin.", "Give nitrofurantoin.", "if"),
        ("Give nitrofurantoin only after culture.", "Give nitrofurantoin after culture.", "only"),
        ("Start aspirin when bleeding is excluded.", "Start aspirin.", "when"),
    ],
)
def test_a_sentence_may_not_lose_its_condition(statement: str, sentence: str, condition: str) -> None:
    """Invariant 5: faithful word by word, and harmful without its condition."""
    whole = uti_hit()
    conditional = whole.model_copy(update={"passage": whole.passage.model_copy(update={"text": statement})})
    verdict = check(sentence, conditional)
    assert (verdict.reason, verdict.detail) == (WithheldReason.CONDITION_DROPPED, condition)
    assert check(statement, conditional).shown
