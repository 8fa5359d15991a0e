"""If these fail, a patient is offered what a recommendation forbids for them, or kept from what is for them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.patient import Conflict, FactKind, Weight, conflicts_of, read_patient, rules_out, severity
from eval.patients import PatientQuestion, patient_questions
from retrieval import DocumentId, Passage, PassageId, PassageKind

from ...starter import starter, starter_passages


def recommendation(
    text: str = "Give amoxicillin 500 mg by mouth 3 times daily for 5 days.",
    *,
    population: str | None = None,
    against: tuple[str, ...] = (),
    kind: PassageKind = PassageKind.RECOMMENDATION,
) -> Passage:
    return Passage(
        id=PassageId("made/1"),
        document_id=DocumentId("made"),
        kind=kind,
        text=text,
        population=population,
        contraindications=against,
    )


def conflicts(question: str, passage: Passage) -> tuple[Conflict, ...]:
    return conflicts_of(read_patient([question]), passage)


def weight(question: str, passage: Passage) -> str | None:
    found = conflicts(question, passage)
    return found[0].weight if found else None


def test_people_who_are_mostly_of_an_age_are_not_all_of_it() -> None:
    mostly = recommendation("Diagnose example croup clinically.", population="Children, mostly 6 months to 3 years old")
    (found,) = conflicts("Child aged 4 with example croup", mostly)
    assert found.weight == Weight.CHECK
    assert "aged 4" in found.headline
    assert "age: aged" not in found.headline
    only = recommendation("Diagnose example croup clinically.", population="Children 6 months to 3 years old")
    assert weight("Child aged 4 with example croup", only) == Weight.WHOLE


@pytest.mark.parametrize(
    ("question", "text", "expected"),
    [
        (
            "45M DVT, eGFR 12",
            "Treat example disease and an eGFR of at least 20 ml/min/1.73 m2.",
            Weight.WHOLE,
        ),
        (
            "45M DVT, eGFR 12",
            "Treat adults with an eGFR of 20 ml/min/1.73 m2 or more.",
            Weight.WHOLE,
        ),
        ("45M on dialysis", "Give it to adults whose creatinine clearance is above 30 ml/min.", Weight.WHOLE),
        ("45M, CKD stage 4", "Treat adults with an eGFR ≥ 20.", Weight.CHECK),
        ("45M, CrCl 15", "Treat adults with an eGFR of at least 20.", Weight.CHECK),
        ("45M, CrCl 8", "Treat adults with an eGFR of at least 20.", Weight.WHOLE),
        ("45M DVT, eGFR 25", "Treat adults with an eGFR of at least 20.", None),
        ("45M DVT, eGFR 20", "Treat adults with an eGFR of at least 20.", None),
        ("45M DVT", "Treat adults with an eGFR of at least 20.", None),
        # Advice for several degrees, and what is done if it falls, are of all of them.
        ("45M, eGFR 12", "Give 5 mg with an eGFR of at least 30 and 2 mg when eGFR is below 30.", None),
        ("45M, eGFR 12", "Review the dose when eGFR is below 45 ml/min.", None),
        # A part of it may be for the patient.
        ("45M, eGFR 12", "Offer one drug to all adults. Add another in those with eGFR of at least 20.", Weight.CHECK),
        ("45M, eGFR 35", "For adults with eGFR ≥45 start the usual dose; for 30-44, halve it.", Weight.CHECK),
        (
            "45M, CrCl 20",
            "Give 1.5 mg with creatinine clearance above 30 ml/min and 1 mg in severe renal impairment.",
            Weight.CHECK,
        ),
        ("45M, eGFR 12", "Start it if potassium is below 5 and eGFR is above 30.", Weight.CHECK),
        # A limit of another kind.
        ("45M, eGFR 25", "Refer people with haematuria, even those with an eGFR above 60.", None),
        ("45M, eGFR 25", "Do not withhold it from people with an eGFR of more than 30.", None),
        ("45M, eGFR 40", "Give it once daily. It should not be used in patients with CrCl > 95 ml/min.", None),
        ("45M, eGFR 25", "Measure potassium and eGFR at least 48 hours after contrast.", None),
        ("45M, eGFR 25", "Tell adults with an eGFR of at least 25% of normal.", None),
        # Other ways to say it.
        (
            "45M, eGFR 12",
            "Treat adults with an estimated glomerular filtration rate (eGFR) of at least 20.",
            Weight.WHOLE,
        ),
        ("45M, eGFR 12", "Treat adults with an eGFR greater than or equal to 20 ml/min.", Weight.WHOLE),
        ("45M, eGFR 12", "Treat adults with an eGFR of 20 mL/minute per 1.73 m2 or more.", Weight.WHOLE),
        ("45M, eGFR 12", "Use it for adults with at least 20 attacks a year.", None),
    ],
)
def test_the_least_renal_function_that_is_named_counts(question: str, text: str, expected: Weight | None) -> None:
    assert weight(question, recommendation(text)) == expected


@pytest.mark.parametrize(
    "people",
    [
        "people with an eGFR above 60",
        "adults with a BMI over 50",
        "people with a score of 60 or more",
        "adults with LDL under 40",
    ],
)
def test_what_is_measured_is_no_age(people: str) -> None:
    assert weight("45M with example disease", recommendation(f"Refer {people}.", population=people)) is None


class TestPeopleInTheText:
    """What a recommendation's own words say of whom it is for, where its guideline is for more people."""

    WOMEN = recommendation("The task force recommends example screening in women aged 65 years or older. (B)")
    ADULTS = recommendation("Screen adult patients for example disease at least annually.")

    def test_who_is_not_among_them_is_told_so(self) -> None:
        assert weight("70M, example screening?", self.WOMEN) == Weight.WHOLE
        assert weight("50F, example screening?", self.WOMEN) == Weight.WHOLE
        assert weight("8yo, example disease?", self.ADULTS) == Weight.WHOLE
        assert weight("70F, example screening?", self.WOMEN) is None
        assert weight("40M, example disease?", self.ADULTS) is None

    @pytest.mark.parametrize(
        "text",
        [
            "Example drug. Adult: 4 mg daily. Not recommended in children under 1 year.",
            "Offer example screening in women. Men with symptoms are tested too.",
            "These recommendations do not apply to women.",
            "Keep example drug away from children: give 4 mg daily to patients.",
        ],
    )
    def test_nobody_is_ruled_out_who_may_be_meant_elsewhere_in_it(self, text: str) -> None:
        assert weight("40M, example drug?", recommendation(text)) is None

    def test_whom_a_guideline_leaves_out_is_not_among_its_people(self) -> None:
        adults = "Adults 18 years or older Note : The guideline does not apply to children and adolescents"
        assert weight("8yo with example disease", recommendation(population=adults)) == Weight.WHOLE
        both = "Adults (men and women) who are eligible for care"
        assert weight("8yo with example disease", recommendation(population=both)) == Weight.WHOLE
        assert weight("40F with example disease", recommendation(population=both)) is None


class TestIntolerance:
    TOLERATING = recommendation(
        "In example patients who are able to tolerate statins, do not routinely add fibrates. (Strong against)"
    )
    NOT_TOLERATING = recommendation("In example patients who are unable to tolerate statins, offer gemfibrozil.")

    @pytest.mark.parametrize(
        "question",
        [
            "61M, muscle pains on three statins. What next?",
            "Cannot tolerate statins after two tries",
            "could not tolerate any statin: alternatives?",
            "Side effects with different statins",
            "statins were not tolerated",
            "statin intolerance",
            "Statin-intolerant 70M",
        ],
    )
    def test_what_is_for_those_who_tolerate_a_drug_is_not_for_one_who_does_not(self, question: str) -> None:
        """Otherwise the first thing a man who bears no statin reads is advice against the other drugs."""
        (found,) = conflicts(question, self.TOLERATING)
        assert found.weight == Weight.WHOLE
        assert "statin intolerance (the recommendation is for those who tolerate statin)" in found.headline
        assert "able to tolerate statins" in found.recommendation_words
        assert weight(question, self.NOT_TOLERATING) is None

    @pytest.mark.parametrize(
        "question",
        [
            "61M on statins. What next?",
            "61M, no side effects with statins",
            "tolerates statins well",
            "His father cannot tolerate statins",
            "muscle pains, started on statins last week by his own wish: is that likely?",
            "Which side effects do statins have?",
            "Pneumonia, cough. Continue statins?",
        ],
    )
    def test_who_is_not_said_to_be_intolerant_is_not_taken_for_it(self, question: str) -> None:
        assert weight(question, self.TOLERATING) is None

    def test_one_statin_that_was_not_borne_leaves_the_class_to_be_checked(self) -> None:
        assert weight("muscle aches on simvastatin", self.TOLERATING) == Weight.CHECK

    def test_what_advises_the_drug_is_to_be_checked(self) -> None:
        assert weight("dry cough on ramipril", recommendation("Offer ramipril 2.5 mg once daily.")) == Weight.CHECK
        assert weight("dry cough on ramipril", recommendation("Offer losartan 50 mg once daily.")) is None

    def test_a_drug_that_was_not_tolerated_is_not_one_that_was(self) -> None:
        patient = read_patient(["Amoxicillin not tolerated"])
        assert not patient.tolerated
        assert [item.intolerance for item in patient.allergies] == [True]


class TestAllergy:
    def test_the_drug_and_its_class_are_ruled_out_though_nothing_is_stated(self) -> None:
        for question in ("allergic to amoxicillin", "penicillin allergy", "anaphylaxis to flucloxacillin"):
            assert weight(question, recommendation()) == Weight.WHOLE, question
        assert weight("allergic to clarithromycin", recommendation()) is None

    def test_a_class_in_short_before_its_allergy_is_read(self) -> None:
        ceftriaxone = recommendation("Give ceftriaxone 1 g intravenously every 24 hours.")
        for question in ("cef allergy", "Ceph-allergic", "cephalosporin allergy"):
            assert weight(f"24F, PID, {question}?", ceftriaxone) == Weight.WHOLE, question
        assert weight("24F, pen allergic", recommendation()) == Weight.WHOLE
        assert weight("24F, cef started for PID", ceftriaxone) is None

    def test_the_headline_has_the_words_of_both(self) -> None:
        (found,) = conflicts("58M, came out in hives with Augmentin", recommendation(against=("Penicillin allergy",)))
        assert found.headline == (
            "Does not apply to this patient: co-amoxiclav allergy (the recommendation is amoxicillin). "
            "Question: “hives with Augmentin”. Recommendation: “Penicillin allergy”."
        )

    def test_one_class_is_not_taken_for_another_unless_the_recommendation_says_so(self) -> None:
        cefalexin = "Give cefalexin 500 mg by mouth twice daily."
        assert weight("anaphylaxis to penicillin", recommendation(cefalexin)) is None
        stated = recommendation(cefalexin, against=("Severe penicillin allergy",))
        assert weight("anaphylaxis to penicillin", stated) == Weight.WHOLE
        assert weight("penicillin allergy", stated) == Weight.CHECK
        assert weight("mild rash with penicillin", stated) == Weight.CHECK

    def test_one_of_several_drugs_rules_out_a_part(self) -> None:
        choice = recommendation(
            "First choices are amoxicillin 500 mg 3 times daily or doxycycline 200 mg on day 1.",
            against=("Penicillin allergy (amoxicillin)",),
        )
        assert weight("penicillin allergy", choice) == Weight.PART

    @pytest.mark.parametrize(
        ("question", "text", "provided"),
        [
            ("penicillin allergy", "Give amoxicillin 500 mg, clarithromycin 500 mg twice daily, or doxycycline.", True),
            ("macrolide allergy", "Give amoxicillin 500 mg, clarithromycin 500 mg twice daily, or doxycycline.", True),
            ("penicillin allergy", "Give co-amoxiclav; with penicillin allergy give clarithromycin.", True),
            ("penicillin allergy", "Give co-amoxiclav. If allergic to penicillin, use clarithromycin.", True),
            ("macrolide allergy", "Give co-amoxiclav; with penicillin allergy give clarithromycin.", False),
            ("macrolide allergy", "Give amoxicillin orally or intravenously plus clarithromycin.", False),
            ("penicillin allergy", "Give amoxicillin and clarithromycin or doxycycline.", False),
            ("macrolide allergy", "Give amoxicillin with either clarithromycin or metronidazole.", True),
            ("penicillin allergy", "Give gentamicin or doxycycline. Then amoxicillin.", False),
            ("penicillin allergy", "Give amoxicillin or flucloxacillin, then doxycycline.", False),
            # Nothing is left, or part of what is left is barred by the other allergy.
            ("penicillin allergy, macrolide allergy", "Give amoxicillin or clarithromycin with omeprazole.", False),
            ("penicillin allergy, doxycycline allergy", "Give co-amoxiclav or doxycycline. Add metronidazole.", False),
            # Speaks of the allergy and gives nothing for it.
            ("penicillin allergy", "Give amoxicillin with metronidazole. Do not give it in penicillin allergy.", False),
            ("penicillin allergy", "Ask about penicillin allergy. Give amoxicillin and gentamicin.", False),
            ("penicillin allergy", "Give ampicillin plus gentamicin where there is no penicillin allergy.", False),
            ("penicillin allergy", "Give ampicillin plus ceftriaxone for penicillin-resistant strains.", False),
            (
                "penicillin anaphylaxis",
                "Give flucloxacillin plus gentamicin. In penicillin allergy give cefazolin.",
                False,
            ),
            # "Or" inside a dose, a route or a duration.
            ("penicillin allergy", "Give amoxicillin 1 g two or three times daily, clarithromycin, omeprazole.", False),
            ("penicillin allergy", "Give amoxicillin 1 g for 7 or 14 days, clarithromycin 500 mg.", False),
            ("penicillin allergy", "Give amoxicillin 1 g orally or IV, metronidazole 400 mg.", False),
            ("penicillin allergy", "Give benzylpenicillin 1 g IV or IM, then ciprofloxacin.", False),
        ],
    )
    def test_a_choice_among_others_keeps_its_place_under_its_headline(
        self, question: str, text: str, *, provided: bool
    ) -> None:
        (found,) = conflicts(question, recommendation(text))
        assert (found.weight, found.provided_for) == (Weight.PART, provided)
        against = recommendation(text, against=("Penicillin allergy", "Macrolide allergy"))
        assert all(item.provided_for is provided for item in conflicts(question, against) if item.weight is Weight.PART)
        assert severity((found,)) == (0 if provided else 1)
        assert rules_out((found,))

    def test_a_drug_that_is_only_named_is_not_advised(self) -> None:
        for text in (
            "For an adult with penicillin allergy, give clarithromycin 500 mg twice daily.",
            "Do not give amoxicillin; use clarithromycin 500 mg twice daily.",
            "If amoxicillin is unsuitable, give clarithromycin 500 mg twice daily.",
        ):
            assert weight("penicillin allergy", recommendation(text)) is None, text

    def test_desensitising_is_something_to_check(self) -> None:
        stated = recommendation("Give benzylpenicillin.", against=("Penicillin allergy (desensitise in pregnancy)",))
        assert weight("38M, penicillin allergy", stated) == Weight.WHOLE
        assert weight("20 weeks pregnant, penicillin allergy", stated) == Weight.CHECK

    def test_an_intolerance_is_something_to_check(self) -> None:
        assert weight("intolerant of amoxicillin", recommendation()) == Weight.CHECK


@pytest.mark.parametrize(
    ("question", "population", "expected"),
    [
        ("15F", "Adults aged 18 years and over", Weight.WHOLE),
        ("19F", "Adults aged 18 years and over", None),
        ("17M", "Adults", Weight.CHECK),
        ("12M", "Adults", Weight.WHOLE),
        ("33F", "Women aged 40 to 74 at average risk, including those with dense breasts", Weight.WHOLE),
        ("74F", "Women aged 40 to 74 at average risk", None),
        ("75F", "Women aged 40 to 74 at average risk", Weight.WHOLE),
        ("71-year-old", "Adults aged under 60 years who are immunocompetent", Weight.WHOLE),
        ("40M", "Adults aged 60 years and over, and immunocompromised adults", None),
        ("40M", "Adults aged 65 and over, or with cardiovascular disease", None),
        ("8 month old", "Children aged 6 months to 12 years", None),
        ("3 month old", "Children aged 6 months to 12 years", Weight.WHOLE),
        ("50M", "Children and young people aged 1 month to 17 years", Weight.WHOLE),
        ("12 year old", "Adults and children over 12 years", None),
        ("58M", "Non-pregnant women aged 16 years and over", Weight.WHOLE),
        ("58M", "Non-pregnant women and men aged 16 years and over", None),
        ("68 year old woman", "Asymptomatic men aged 65 to 75", Weight.WHOLE),
        ("14 weeks pregnant", "Non-pregnant adults", Weight.WHOLE),
        ("14 weeks pregnant", "Adults, including in pregnancy", None),
        ("28F, not pregnant", "Pregnant women", Weight.WHOLE),
        ("28F", "Pregnant women", None),
        ("58M, eGFR 24", "Adults with normal renal function", Weight.WHOLE),
        ("58M, eGFR 50", "Adults with normal renal function", Weight.CHECK),
        ("58M, eGFR 24", "Adults weighing 35 kg or more", None),
        ("45M on dialysis", "Adults with influenza and renal impairment not on dialysis", Weight.WHOLE),
        ("45M, penicillin allergy", "Adults without penicillin allergy", Weight.WHOLE),
    ],
)
def test_population(question: str, population: str, expected: Weight | None) -> None:
    assert weight(question, recommendation("Do this.", population=population)) == expected


@pytest.mark.parametrize(
    ("question", "against", "expected"),
    [
        ("eGFR 24", "eGFR below 30 ml/min/1.73 m2", Weight.WHOLE),
        ("eGFR 30", "eGFR below 30 ml/min/1.73 m2", None),
        ("eGFR 31", "eGFR below 30 ml/min/1.73 m2", None),
        ("eGFR 24-34", "eGFR below 30 ml/min/1.73 m2", Weight.CHECK),
        ("CKD stage 4", "eGFR below 30 ml/min/1.73 m2", Weight.WHOLE),
        ("CKD stage 4", "eGFR below 20 ml/min/1.73 m2", Weight.CHECK),
        ("creatinine clearance 25", "Creatinine clearance below 35 ml/min", Weight.WHOLE),
        ("eGFR 30", "Creatinine clearance below 35 ml/min", Weight.CHECK),
        ("eGFR 12", "Creatinine clearance below 35 ml/min", Weight.WHOLE),
        ("on haemodialysis", "Severe renal impairment", Weight.WHOLE),
        ("eGFR 50", "Severe renal impairment", None),
        ("eGFR 50", "Renal impairment", Weight.CHECK),
        ("eGFR 24", "Reduce dose in renal impairment", Weight.CHECK),
        ("Child-Pugh C", "Severe liver impairment", Weight.WHOLE),
        ("cirrhosis", "Severe liver impairment", Weight.CHECK),
        ("LFTs normal", "Severe liver impairment", None),
        ("acute hepatitis", "Active liver disease", Weight.WHOLE),
        ("cirrhosis", "Previous co-amoxiclav-associated jaundice or hepatic dysfunction", None),
        ("14 weeks pregnant", "Pregnancy", Weight.WHOLE),
        ("14 weeks pregnant", "Pregnancy: seek advice first", Weight.CHECK),
        ("14 weeks pregnant", "First trimester of pregnancy", None),
        ("10 weeks pregnant", "First trimester of pregnancy", Weight.WHOLE),
        ("pregnant", "First trimester of pregnancy", Weight.CHECK),
        ("38 weeks pregnant", "Third trimester of pregnancy", Weight.WHOLE),
        ("not pregnant", "Pregnancy", None),
        ("breastfeeding", "Pregnancy or breastfeeding", Weight.WHOLE),
        ("17M", "Age under 18", Weight.WHOLE),
        ("21M", "Age under 18", None),
        ("on methotrexate", "Use with methotrexate", Weight.WHOLE),
        ("on ramipril", "Use with methotrexate", None),
        ("takes azathioprine", "With azathioprine or mercaptopurine unless specialist advised", Weight.WHOLE),
        ("on apixaban", "Effective anticoagulation", Weight.WHOLE),
        ("on phenelzine", "Current or recent monoamine oxidase inhibitor", Weight.WHOLE),
        ("on ramipril", "ACE inhibitor taken within 36 hours", Weight.CHECK),
        ("on methadone", "Interacting medicines that prolong the QT interval", Weight.WHOLE),
        ("known long QT", "QT interval prolongation", Weight.WHOLE),
        ("asthma", "Severe asthma", Weight.CHECK),
        ("severe asthma", "Severe asthma", Weight.WHOLE),
        ("58M with gout", "Myasthenia gravis", None),
    ],
)
def test_contraindications(question: str, against: str, expected: Weight | None) -> None:
    passage = recommendation("Give examplitol 5 mg by mouth once daily.", against=(against,))
    assert weight(question, passage) == expected


def test_a_contraindication_is_of_the_drug_it_names() -> None:
    both = "Offer labetalol first, or methyldopa."
    assert weight("asthma", recommendation(both, against=("Labetalol: asthma",))) == Weight.PART
    assert weight("asthma", recommendation("Offer labetalol.", against=("Labetalol in asthma",))) == Weight.WHOLE
    heparin = recommendation("Give heparin; do not use warfarin.", against=("Warfarin in pregnancy",))
    assert weight("14 weeks pregnant", heparin) is None


def test_what_forbids_is_not_forbidden() -> None:
    """Advice that statins must not be taken in pregnancy is for a pregnant woman."""
    passage = recommendation("Tell women that statins must not be taken in pregnancy.", against=("Pregnancy",))
    assert weight("14 weeks pregnant", passage) is None


def test_text_around_recommendations_only_asks_to_check() -> None:
    assert weight("penicillin allergy", recommendation(kind=PassageKind.NARRATIVE)) == Weight.CHECK


def test_nothing_said_rules_nothing_out() -> None:
    for entry in starter():
        for passage in entry.passages:
            assert conflicts("First-line treatment?", passage) == ()


_ASIDES = st.sampled_from(
    [
        "He lives alone.",
        "The ward is busy tonight.",
        "No fever or rash.",
        "His wife is allergic to penicillin.",
        "Denies chest pain.",
        "Thanks!",
        "Not keen on injections.",
        "BP 132/80, pulse 76.",
    ]
)
_AGAINST = [item for item in patient_questions() if item.conflict and item.half == "seen" and not item.history]
_PASSAGES = starter_passages()


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(_AGAINST), _ASIDES, st.booleans())
def test_a_sentence_beside_the_point_never_removes_a_conflict(
    question: PatientQuestion, aside: str, before: bool
) -> None:
    text = f"{aside} {question.question}" if before else f"{question.question} {aside}"
    assert rules_out(conflicts(text, _PASSAGES[question.recommendation])), text


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200), st.text(max_size=200), st.lists(st.text(max_size=300), max_size=3))
def test_any_recommendation_can_be_compared(text: str, population: str, against: list[str]) -> None:
    question = "28F, 14 weeks pregnant, breastfeeding, eGFR 24, cirrhosis, penicillin allergy, on warfarin, long QT"
    conflicts(question, recommendation(text, population=population, against=tuple(against)))


def test_every_kind_of_fact_can_conflict() -> None:
    kinds = {
        conflict.kind for item in _AGAINST for conflict in conflicts(item.question, _PASSAGES[item.recommendation])
    }
    assert kinds == set(FactKind)


def test_a_recommendation_takes_milliseconds() -> None:
    """CPU time, the best of three rounds: a busy machine is not slow code."""
    patient = read_patient(["28F, 14 weeks pregnant, eGFR 24, cirrhosis, penicillin allergy, on warfarin, long QT"])
    passages = list(_PASSAGES.values())[:100]

    def round_ms() -> float:
        started = time.process_time()
        for passage in passages:
            conflicts_of(patient, passage)
        return (time.process_time() - started) * 1000 / len(passages)

    assert min(round_ms() for _ in range(3)) < 2
