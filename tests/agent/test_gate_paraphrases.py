"""What a clinician would call the same is shown, and one altered detail in other words is not.

The passages and sentences were written for these tests. The table of pairs is the gate's measure; these are its rules.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.evidence import EvidenceBook
from agent.gate import AnswerGate, Verdict, WithheldReason
from agent.gate.lexicon import DRUGS_FILE, Kind
from agent.gate.measures import Measure, measures, same
from agent.gate.reading import read
from agent.gate.roots import root
from agent.gate.support import EncoderSupport, support_thresholds
from agent.sentences import DraftSentence
from retrieval import HashingEncoder, Hit

from ..starter import starter
from .conftest import document, hit

CELLULITIS = (
    "For adults with cellulitis, give oral flucloxacillin 500 mg four times a day for 7 days. "
    "If the person is allergic to penicillin, give oral doxycycline 200 mg on the first day, then 100 mg once a day. "
    "For children aged 2 to 9 years, give 125 mg four times a day, and for children aged 10 to 17 years, 250 mg four "
    "times a day. Do not use topical antibiotics. Consider hospital admission if the person is frail. "
    "Give intravenous ceftriaxone 2 g once a day only if oral treatment has failed, unless there is jaundice."
)
TARGETS = (
    "In adults aged under 80 years, keep clinic blood pressure below 140/90 mmHg, and in adults aged 80 years or over, "
    "below 150/90 mmHg. Check potassium 1 to 2 weeks after starting an ACE inhibitor."
)


def verdict(sentence: str, text: str, strength: str | None = None, title: str = "Cellulitis") -> Verdict:
    whole = hit(text)
    whole = whole.model_copy(
        update={
            "passage": whole.passage.model_copy(update={"strength": strength}),
            "document": document("x").model_copy(update={"title": title}),
        }
    )
    book = EvidenceBook("run")
    key = book.add(whole)[0].key
    return AnswerGate(book).check(DraftSentence(text=sentence, keys=(key,), raw=sentence))


@pytest.mark.parametrize(
    ("sentence", "text"),
    [
        ("Adults with cellulitis should receive flucloxacillin 500 mg PO QDS over one week.", CELLULITIS),
        ("Treat adult cellulitis using flucloxacillin 0.5 g q6h by mouth for a week.", CELLULITIS),
        ("In penicillin allergy, doxycycline 200 mg PO is taken on day 1, then 100 mg OD.", CELLULITIS),
        ("Youngsters between 10 and 17 years get 250 mg QID.", CELLULITIS),
        ("Avoid topical antibiotics.", CELLULITIS),
        ("Topical antibiotics should not be used.", CELLULITIS),
        ("Admission to hospital may be considered where the patient is frail.", CELLULITIS),
        ("Only if oral therapy has failed, and unless there is jaundice, give ceftriaxone 2 g IV OD.", CELLULITIS),
        ("The over 80s are kept below 150/90 mmHg.", TARGETS),
        ("Measure potassium 1-2 weeks after an ACE inhibitor has been initiated.", TARGETS),
        ("K+ is checked one to two weeks after starting an ACEi.", TARGETS),
    ],
)  # fmt: skip
def test_other_words_for_the_same_are_shown(sentence: str, text: str) -> None:
    assert verdict(sentence, text).shown, verdict(sentence, text)


@pytest.mark.parametrize(
    ("sentence", "text", "strength"),
    [
        # For whom it is said stands behind a "no" here and before it there; an opening aim; an opening reason.
        ("For adults at risk of quibbling, avoid tea.", "Avoid tea in adults at risk of quibbling.", None),
        (
            "In women with quibbling, the panel recommends against rest for aches.",
            "The panel recommends against rest for aches in women with quibbling.",
            None,
        ),
        (
            "To avoid falls, timely review of people with quibbling is advised.",
            "Timely review of people with quibbling is advised to avoid falls.",
            None,
        ),
        (
            "Because tests do not find quibbling, review of symptoms remains essential.",
            "Review of symptoms remains essential, because tests do not find quibbling.",
            None,
        ),
        # A weak grade is that of advice, and this is none.
        ("The panel found small trials of quibbling.", "The panel found trials of quibbling that were small.", "Weak"),
        ("Health professionals ask about complaints.", "Clinicians ask about symptoms.", None),
    ],
)
def test_what_real_guidelines_say_otherwise_is_shown(sentence: str, text: str, strength: str | None) -> None:
    assert verdict(sentence, text, strength, title="Quibbling").shown, verdict(sentence, text, strength)


def test_what_is_recommended_is_not_worded_as_suggested() -> None:
    text = "The panel recommends rest for adults with quibbling."
    assert verdict("The panel advises rest for adults with quibbling.", text, title="Quibbling").shown
    weaker = verdict("The panel suggests rest for adults with quibbling.", text, title="Quibbling")
    assert (weaker.shown, weaker.reason) == (False, WithheldReason.STRENGTH_DIFFERS)
    suggested = "The panel suggests rest for adults with quibbling."
    assert verdict("Rest is suggested by the panel for adults with quibbling.", suggested, title="Quibbling").shown


NUMBER, CONDITION = WithheldReason.NUMBER_NOT_IN_PASSAGE, WithheldReason.CONDITION_DROPPED


@pytest.mark.parametrize(
    ("sentence", "text", "reason"),
    [
        # Right numbers of someone or something else.
        ("Adults with cellulitis should receive flucloxacillin 250 mg PO QDS over one week.", CELLULITIS, NUMBER),
        ("Adults with cellulitis should receive flucloxacillin 500 mg PO OD over one week.", CELLULITIS, NUMBER),
        ("Youngsters between 10 and 17 years get 125 mg QID.", CELLULITIS, NUMBER),
        ("In penicillin allergy, doxycycline 100 mg PO is taken on day 1, then 200 mg OD.", CELLULITIS, NUMBER),
        ("The over 80s are kept below 140/90 mmHg.", TARGETS, NUMBER),
        ("Measure potassium 1-2 months after an ACE inhibitor has been initiated.", TARGETS, NUMBER),
        # Another drug of the passage, of its class, another route, another group.
        ("Treat adult cellulitis using doxycycline 500 mg q6h by mouth for a week.", CELLULITIS, None),
        ("Treat adult cellulitis using dicloxacillin 500 mg q6h by mouth for a week.", CELLULITIS,
         WithheldReason.DRUG_NOT_IN_PASSAGE),
        ("Adults with cellulitis should receive flucloxacillin 500 mg IV QDS over one week.", CELLULITIS,
         WithheldReason.ROUTE_DIFFERS),
        ("Children with cellulitis should receive flucloxacillin 500 mg PO QDS over one week.", CELLULITIS,
         WithheldReason.POPULATION_DIFFERS),
        # No and yes.
        ("Topical antibiotics should be used.", CELLULITIS, WithheldReason.NEGATION_DIFFERS),
        ("Avoid flucloxacillin 500 mg PO QDS for adults with cellulitis.", CELLULITIS, WithheldReason.NEGATION_DIFFERS),
        # Firmer, and less firm.
        ("Patients who are frail must be considered for admission to hospital.", CELLULITIS,
         WithheldReason.STRENGTH_DIFFERS),
        ("Admit the patient to hospital if frail.", CELLULITIS, WithheldReason.STRENGTH_DIFFERS),
        ("Adults with cellulitis may receive flucloxacillin 500 mg PO QDS over one week.", CELLULITIS,
         WithheldReason.STRENGTH_DIFFERS),
        # Conditions lost or turned round.
        ("Administer ceftriaxone 2 g IV OD.", CELLULITIS, CONDITION),
        ("Give intravenous ceftriaxone 2 g once a day if oral treatment has failed, unless there is jaundice.",
         CELLULITIS, CONDITION),
        ("Give intravenous ceftriaxone 2 g once a day only if oral treatment has failed and there is jaundice.",
         CELLULITIS, None),
        # Turned round, and words that are nowhere.
        ("Measure potassium 1-2 weeks before an ACE inhibitor is initiated.", TARGETS, None),
        ("All adults with cellulitis should receive flucloxacillin 500 mg PO QDS over one week.", CELLULITIS, None),
        ("Adults with erysipelas should receive flucloxacillin 500 mg PO QDS over one week.", CELLULITIS,
         WithheldReason.WORDS_NOT_IN_PASSAGE),
    ],
)  # fmt: skip
def test_one_altered_detail_in_other_words_is_withheld(sentence: str, text: str, reason: WithheldReason | None) -> None:
    found = verdict(sentence, text)
    assert not found.shown
    assert reason is None or found.reason is reason, found


def test_a_grade_weakens_what_is_worded_firmly() -> None:
    text = "Clinicians should offer spinal manipulation to adults with low back pain lasting 6 weeks."
    firm = "Adults with low back pain for 6 weeks should be offered spinal manipulation."
    assert verdict(firm, text).shown
    assert verdict(firm, text, strength="Conditional").reason is WithheldReason.STRENGTH_DIFFERS
    assert verdict(firm.replace("should", "may"), text, strength="Conditional").shown
    assert verdict(text, text, strength="Conditional").shown, "word for word, the statement stands beside its grade"
    must = firm.replace("should", "must")
    assert verdict(must, text).reason is WithheldReason.STRENGTH_DIFFERS
    assert verdict(must, text, strength="Strong").shown


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("BD", "twice daily", True),
        ("every 12 hours", "2 times a day", True),
        ("8 hourly", "three times daily", True),
        ("every 3 months", "quarterly", True),
        ("on alternate days", "every 2 days", True),
        ("150 mg/day", "150 mg daily", True),
        ("7 days", "1 week", True),
        ("between 15 and 29 ml/min", "15-29 ml/min", True),
        ("aged 65 and over", "over 65 years", True),
        ("aged 5 and over", "over 5 years", False),
        ("more than one", "2 or more", True),
        ("over 10 minutes", "for 10 minutes", True),
        ("6 hourly", "8 hourly", False),
        ("every 2 weeks", "twice weekly", False),
        ("2 to 4 weeks", "4 weeks", False),
        ("up to 10 days", "10 days", False),
        ("below 140/90 mmHg", "below 150/90 mmHg", False),
        ("type 1", "type 2", False),
    ],
)
def test_measures_are_compared_as_clinicians_read_them(first: str, second: str, alike: bool) -> None:
    def of(text: str) -> list[Measure]:
        spelt = {"BD": "twice daily", "on alternate days": "every 2 days"}.get(text, text)
        return [item.measure for item in measures(spelt)[1]]

    found, other = of(first), of(second)
    same_all = len(found) == len(other) and all(same(a, b) for a, b in zip(found, other, strict=True))
    assert same_all is alike, (found, other)


def test_drugs_and_diseases_that_look_alike_keep_their_roots_apart() -> None:
    for first, second in (
        ("prednisolone", "prednisone"), ("hypotension", "hypertension"), ("penicillin", "penicillamine"),
        ("glucose", "glucagon"), ("asymptomatic", "symptomatic"), ("hepatitis", "hepatic"), ("agonist", "antagonist"),
    ):  # fmt: skip
        assert root(first) != root(second)
    assert root("hypertensive") == root("hypertension")


def test_an_encoder_can_only_withhold_more() -> None:
    whole: Hit = hit(CELLULITIS)
    book = EvidenceBook("run")
    key = book.add(whole)[0].key
    draft = DraftSentence(text="Avoid topical antibiotics.", keys=(key,), raw="")
    plain = AnswerGate(book).check(draft)
    scored = AnswerGate(book, support=EncoderSupport(HashingEncoder())).check(draft)
    assert plain.shown
    assert scored.support is not None
    assert plain.support is not None
    assert scored.support <= plain.support
    strict = AnswerGate(book, min_support=1.1).check(draft)
    assert strict.reason is WithheldReason.SUPPORT_TOO_LOW


def test_the_thresholds_stand_with_their_table() -> None:
    kinds = support_thresholds().table
    assert {"close", "paraphrase", "dose", "drug", "condition"} <= set(kinds)
    assert all(withheld <= pairs for withheld, pairs in kinds.values())


def test_the_time_per_sentence_is_bounded() -> None:
    """A sentence of any length, and a passage of any length, cost no more than a long one."""
    started = time.perf_counter()
    assert not verdict("Do not give aspirin 300 mg, " * 4_000, CELLULITIS).shown
    assert not verdict("Give aspirin 300 mg twice daily.", "Do not give warfarin 5 mg and not " * 4_000).shown
    assert time.perf_counter() - started < 5


def test_a_passage_without_a_word_supports_nothing() -> None:
    assert not verdict("Give 5 mg of aspirin.", "\u200b", title="").shown
    assert not verdict("Give 5 mg of aspirin.", "Aspirin.\n\u200b", title="").shown


def test_every_listed_drug_is_read_as_one() -> None:
    """A second name may stand for a drug: aspirin, read as acetylsalicylic acid, was a word like any other."""
    listed = yaml.safe_load(DRUGS_FILE.read_text("utf-8"))
    lost = [
        name
        for name in (*listed["names"], *listed["classes"])
        if not any(token.kind is Kind.DRUG for token in read(name).tokens)
    ]
    assert lost == ["thiamine"]  # vitamin B1: a label that no other may stand for


SETS = yaml.safe_load(Path(__file__).with_name("gate_sentences.yaml").read_text("utf-8"))


@pytest.mark.parametrize("case", SETS, ids=[case["title"] for case in SETS])
def test_sentences_on_a_passage(case: dict[str, Any]) -> None:
    """Several faithful and altered sentences on each passage; all of them must come out right."""
    hidden = [s for s in case["faithful"] if not verdict(s, case["passage"], title=case["title"]).shown]
    leaked = [s for s in case["altered"] if verdict(s, case["passage"], title=case["title"]).shown]
    assert (hidden, leaked) == ([], [])


_AMOUNT = re.compile(
    r"(?<![\w.,/-])\d+(?:\.\d+)?(?= ?(?:mg|g|micrograms|ml|units|mmol|days|weeks|hours|months|years)\b)"
)


def test_starter_statements_with_another_number_of_their_passage_are_withheld() -> None:
    """The commonest slip: a true number of something else. At least 97 in 100, here on every starter guideline."""
    shown: list[str] = []
    tried = 0
    for entry in starter():
        for passage in entry.passages:
            numbers = sorted(set(_AMOUNT.findall(passage.text)))
            book = EvidenceBook("run")
            whole = Hit(rank=1, score=1.0, passage=passage, document=entry.document)
            key = book.add(whole)[0].key
            first = _AMOUNT.search(passage.text)
            other = [number for number in numbers if first and float(number) != float(first[0])]
            if first is None or not other:
                continue
            altered = passage.text[: first.start()] + other[0] + passage.text[first.end() :]
            tried += 1
            if AnswerGate(book).check(DraftSentence(text=altered, keys=(key,), raw=altered)).shown:
                shown.append(altered)
    assert tried > 100
    assert len(shown) <= 0.03 * tried, shown
