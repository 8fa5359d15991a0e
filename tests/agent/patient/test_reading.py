"""If these fail, the service takes somebody else for the patient, or misses what was said of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.patient import NOBODY, read_patient
from agent.patient.patient import Liver, Patient


def read(*questions: str) -> Patient:
    return read_patient(questions)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("58M with chest pain", 58, 59),
        ("3-year-old with croup", 3, 4),
        ("a three year old boy", 3, 4),
        ("17 yo wants to stop smoking", 17, 18),
        ("M/45, gout", 45, 46),
        ("Healthy man of 42", 42, 43),
        ("lady in her 80s", 80, 90),
        ("6 week old with vomiting", 6 / 52.18, 7 / 52.18),
        ("age 58, BP 152/94", 58, 59),
    ],
)
def test_ages_are_read_however_they_are_written(text: str, low: float, high: float) -> None:
    age = read(text).age
    assert age is not None
    assert age.years.low == pytest.approx(low, rel=0.01)
    assert age.years.high == pytest.approx(high, rel=0.01)


@pytest.mark.parametrize(
    "text",
    [
        "Mother of a 6 week old, breastfeeding",
        "anaphylaxis to amoxicillin as a child",
        "cirrhosis Child-Pugh C",
        "for 5 years, 30 mg daily",
    ],
)
def test_what_is_no_age_of_the_patient_is_not_one(text: str) -> None:
    age = read(text).age
    assert age is None or not age.stated


@pytest.mark.parametrize(
    ("text", "female"),
    [
        ("57M dysuria", False),
        ("28F, cellulitis", True),
        ("a 45 year old man", False),
        ("his mother is allergic to penicillin", False),
        ("MSM on PrEP", False),
        ("14 weeks pregnant", True),
    ],
)
def test_sex(text: str, female: bool) -> None:
    sex = read(text).sex
    assert sex is not None
    assert sex.female is female


@pytest.mark.parametrize(
    ("text", "weeks"),
    [
        ("G2P1 at 30/40 with a cough", 30),
        ("antenatal patient at 26+3", 26),
        ("14 weeks pregnant", 14),
        ("28 weeks, cystitis, woman", 28),
        ("Gravida 3, currently 34 weeks, cystitis", 34),
        ("at 20 weeks gestation", 20),
        ("treatment of chlamydia in pregnancy", None),
        ("pregnant smoker", None),
    ],
)
def test_pregnancy(text: str, weeks: int | None) -> None:
    pregnancy = read(text).pregnancy
    assert pregnancy is not None
    assert pregnancy.holds
    assert (pregnancy.weeks.low if pregnancy.weeks else None) == weeks


@pytest.mark.parametrize(
    "text",
    [
        "not pregnant",
        "non-pregnant woman",
        "denies being pregnant",
        "pregnancy test negative",
        "postmenopausal",
        "neither pregnant nor breastfeeding",
        "No allergies, pregnancy or renal disease.",
    ],
)
def test_a_denied_pregnancy_is_none(text: str) -> None:
    pregnancy = read(text).pregnancy
    assert pregnancy is not None
    assert not pregnancy.holds


@pytest.mark.parametrize(
    "text",
    [
        "her sister is pregnant",
        "What if she were pregnant?",
        "previous pregnancy with pre-eclampsia",
        "possible pregnancy",
        "wants to avoid pregnancy",
        "woman trying to get pregnant",
        "reviewed after 12 weeks",
    ],
)
def test_somebody_elses_an_earlier_or_a_supposed_pregnancy_is_not_the_patients(text: str) -> None:
    assert read(text).pregnancy is None


def test_breast_feeding() -> None:
    for text in ("she is breastfeeding", "nursing mother", "a lactating woman"):
        feeding = read(text).breast_feeding
        assert feeding is not None, text
        assert feeding.holds, text
    for text in ("not breastfeeding", "formula feeding her baby"):
        feeding = read(text).breast_feeding
        assert feeding is not None, text
        assert not feeding.holds, text
    assert read("from a nursing home").breast_feeding is None


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("eGFR 24", 24, 24),
        ("eGFR of 24 ml/min", 24, 24),
        ("creatinine clearance 25 ml/min", 25, 25),
        ("CrCl <30", 0, 30),
        ("CKD stage 4", 15, 30),
        ("CKD G4", 15, 30),
        ("stage 3b CKD", 30, 45),
        ("Stage IV CKD", 15, 30),
        ("CKD 4, on apixaban", 15, 30),
        ("on haemodialysis", 0, 15),
        ("ESRD", 0, 15),
        ("severe renal impairment", 0, 30),
    ],
)
def test_renal_function(text: str, low: float, high: float) -> None:
    renal = read(text).renal
    assert renal is not None
    assert renal.filtration.low == low
    assert renal.filtration.high == pytest.approx(high, abs=0.01)


def test_the_lowest_of_several_values_counts() -> None:
    renal = read("baseline eGFR 70, eGFR 28 today").renal
    assert renal is not None
    assert renal.words == "eGFR 28"


def test_who_needs_dialysis_is_not_on_it() -> None:
    assert read("AKI, does he need dialysis?").renal is None
    assert read("no renal impairment").renal is None


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("cirrhosis Child-Pugh C", Liver.SEVERE),
        ("decompensated cirrhosis", Liver.SEVERE),
        ("acute hepatitis B", Liver.ACTIVE),
        ("known cirrhosis", Liver.DISEASE),
        ("LFTs normal", Liver.NORMAL),
        ("no liver disease", Liver.NORMAL),
    ],
)
def test_hepatic_function(text: str, state: Liver) -> None:
    hepatic = read(text).hepatic
    assert hepatic is not None
    assert hepatic.state is state


@pytest.mark.parametrize(
    ("text", "names", "severe"),
    [
        ("penicillin allergy", {"penicillins"}, None),
        ("pen allergic", {"penicillins"}, None),
        ("penicillin-allergic", {"penicillins"}, None),
        ("anaphylaxis to amoxicillin", {"amoxicillin"}, True),
        ("came out in hives with Augmentin", {"co-amoxiclav"}, None),
        ("penicillin => anaphylaxis", {"penicillins"}, True),
        ("rash to pen V", {"pen v"}, None),
        ("aspirin allergy (bronchospasm)", {"aspirin"}, True),
        ("had DRESS with vancomycin", {"vancomycin"}, True),
        ("allergic to NSAIDs and co-trimoxazole", {"nsaids", "co-trimoxazole"}, None),
        ("gets urticaria and wheeze with naproxen", {"naproxen"}, True),
        ("mild rash with penicillin years ago", {"penicillins"}, False),
        ("Mum says he is allergic to penicillin", {"penicillins"}, None),
        ("Allergies: penicillin", {"penicillins"}, None),
        ("allergic to examplicillin", {"examplicillin"}, None),
    ],
)
def test_allergies(text: str, names: set[str], severe: bool | None) -> None:
    (allergy,) = read(text).allergies
    assert allergy.names == names
    assert allergy.severe is severe
    assert allergy.words in text


@pytest.mark.parametrize(
    "text",
    [
        "no allergies",
        "NKDA",
        "no penicillin allergy",
        "not allergic to penicillin",
        "denies allergy to penicillin",
        "tolerated amoxicillin last year",
        "upset stomach with penicillin but no allergies",
        "his wife is allergic to penicillin",
        "family history of penicillin allergy",
        "if she were allergic to penicillin",
        "penicillin allergy was excluded",
        "first-line penicillin for tonsillitis",
    ],
)
def test_what_is_denied_tolerated_supposed_or_anothers_is_no_allergy(text: str) -> None:
    assert read(text).allergies == ()


@pytest.mark.parametrize("text", ["on warfarin", "takes warfarin for AF", "currently taking warfarin", "warfarinised"])
def test_current_drugs(text: str) -> None:
    assert [drug.names for drug in read(text).drugs] == [{"warfarin"}]


def test_a_list_of_drugs_is_read_to_its_end() -> None:
    drugs = read("60yo F on clopidogrel 75 mg od, ramipril 5mg and atorvastatin").drugs
    assert [name for drug in drugs for name in drug.names] == ["clopidogrel", "ramipril", "atorvastatin"]


@pytest.mark.parametrize(
    "text",
    [
        "should I start him on warfarin?",
        "is not on warfarin",
        "sent home on a DOAC",
        "deciding on penicillin V",
        "dose of warfarin",
    ],
)
def test_a_drug_that_is_asked_about_is_not_taken(text: str) -> None:
    assert read(text).drugs == ()


def test_conditions() -> None:
    assert [item.name for item in read("known long QT").conditions] == ["QT prolongation"]
    assert read("no history of asthma").denied == {"asthma"}
    assert read("normal QTc").conditions == ()
    assert read("HIV test, needlestick from HIV positive source").conditions == ()


class TestConversation:
    def test_earlier_questions_tell_of_the_patient_too(self) -> None:
        patient = read("She is 12 weeks pregnant and has erythema migrans.", "What dose of doxycycline?")
        assert patient.pregnancy is not None
        assert patient.pregnancy.holds

    def test_what_is_said_later_stands(self) -> None:
        patient = read("28F, pregnant, allergic to penicillin", "She is not pregnant. Which dose?")
        assert patient.pregnancy is not None
        assert not patient.pregnancy.holds
        assert len(patient.allergies) == 1

    def test_another_patient_is_another_patient(self) -> None:
        patient = read("28F, pregnant, allergic to penicillin", "And for a 60 year old man?")
        assert patient.allergies == ()
        assert patient.pregnancy is None

    def test_a_follow_up_that_says_nothing_changes_nothing(self) -> None:
        assert read("58M, eGFR 24", "And the dose?") == read("58M, eGFR 24")


def test_a_question_about_nobody_tells_of_nobody() -> None:
    assert read("First-line treatment of gout?") == NOBODY
    assert read() == NOBODY


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    read(text)


_ALLERGENS = st.sampled_from(
    ["penicillin", "amoxicillin", "aspirin", "NSAIDs", "trimethoprim", "macrolides", "vancomycin"]
)
_DENIALS = st.sampled_from(
    [
        "No {} allergy.",
        "Not allergic to {}.",
        "Denies allergy to {}.",
        "No known allergy to {}.",
        "Never had a reaction to {}.",
    ]
)


@settings(deadline=None)
@given(_DENIALS, _ALLERGENS)
def test_a_denied_allergy_never_counts(denial: str, allergen: str) -> None:
    assert read(f"58M with cellulitis. {denial.format(allergen)} Which antibiotic?").allergies == ()
