"""If these fail, a filter for strong recommendations hides one, or shows a weak one as strong."""

from __future__ import annotations

import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import strength
from retrieval.stores.conditions import PAYLOAD_VERSION
from retrieval.strength import StrengthClass, strength_classes

USPSTF = "U.S. Preventive Services Task Force"
VA_DOD = "Department of Veterans Affairs; Department of Defense"


@pytest.mark.parametrize(
    ("wording", "classes"),
    [
        (None, "not_stated"),
        ("", "not_stated"),
        ("Not applicable", "not_stated"),
        ("Strong", "strong"),
        ("Strong for", "strong"),
        ("Strong Recommendation", "strong"),
        ("Strong recommendation for", "strong"),
        ("strong recommendation (in adults)", "strong"),
        ("Strong against", "strong against"),
        ("Strong recommendation against", "strong against"),
        ("Weak against", "weak against"),
        ("Strong recommendation (against)", "strong against"),
        ("Conditional, against", "weak against"),
        ("Strong: against routine use", "other"),
        ("Recommendation (strong)", "strong"),
        ("Conditional", "weak"),
        ("Weak for", "weak"),
        ("Conditional recommendation", "weak"),
        ("Moderate recommendation", "moderate"),
        ("Recommended against", "against"),
        ("Grade A", "strong"),
        ("Grade B", "moderate"),
        ("B", "moderate"),
        ("[B]", "moderate"),
        ("Grade C", "weak"),
        ("Grade 1A", "strong"),
        ("2C", "weak"),
        ("Grade 2B+", "weak"),
        ("Class I", "strong"),
        ("Class IIa", "moderate"),
        ("Class 2b", "weak"),
        ("Class III", "against"),
        ("Class III (harm)", "against"),
        ("Category IB", "strong"),
        ("Category II", "weak"),
        ("AII", "strong"),
        ("BIII", "moderate"),
        ("DIII", "moderate against"),
        ("I statement", "insufficient"),
        ("Neither for nor against", "insufficient"),
        ("No recommendation for or against", "insufficient"),
        ("Good practice statement", "consensus"),
        ("Expert opinion (EO)", "consensus"),
        ("Strong; Weak", "strong weak"),
        ("Grade D", "other"),
        ("Grade E", "other"),
        ("Grade I", "other"),
        ("Class II", "other"),
        ("IIA", "other"),
        ("Recommendation", "other"),
        ("Context-specific", "other"),
        ("zzz", "other"),
    ],
)
def test_publishers_wordings_have_the_class_a_clinician_expects(wording: str | None, classes: str) -> None:
    assert strength_classes(wording) == {StrengthClass(name) for name in classes.split()}


@pytest.mark.parametrize(
    ("publisher", "wording", "classes"),
    [
        (USPSTF, "Grade D", "against"),
        (USPSTF, "Grade I", "insufficient"),
        (USPSTF, "D recommendation", "against"),
        (USPSTF, "Grade C", "weak"),
        (VA_DOD, "Grade C", "insufficient"),
        (VA_DOD, "Grade D", "against"),
        (VA_DOD, "Strong for", "strong"),
        ("Another Society", "Grade D", "other"),
    ],
)
def test_a_letter_is_read_as_its_publisher_means_it(publisher: str, wording: str, classes: str) -> None:
    assert strength_classes(wording, publisher) == {StrengthClass(name) for name in classes.split()}


@given(st.text(max_size=80))
def test_any_wording_has_a_class_and_case_does_not_matter(wording: str) -> None:
    found = strength_classes(wording)
    assert found
    if wording.isascii():
        assert found == strength_classes(wording.upper()) == strength_classes(f" {wording} ")


@pytest.mark.parametrize(
    ("wording", "classes"),
    [
        ("Category A", "strong"),
        ("IA", "strong"),
        ("IB", "strong"),
        ("IC", "strong"),
        ("Category IC", "strong"),
        ("Category II", "weak"),
        ("Category B", "other"),
        ("II", "other"),
    ],
)
@pytest.mark.parametrize("publisher", ["Centers for Disease Control and Prevention", "CDC"])
def test_the_categories_of_cdc_are_read_for_cdc(publisher: str, wording: str, classes: str) -> None:
    assert strength_classes(wording, publisher) == {StrengthClass(classes)}
    if wording in {"Category A", "IA", "IC"}:
        assert strength_classes(wording, "Example Institute") == {StrengthClass.OTHER}


def test_another_table_comes_with_another_payload_version() -> None:
    """Else an index keeps the old classes: give `PAYLOAD_VERSION` a new value, and then the digest here."""
    tables = [("", strength._RULES), *((names.pattern, rules) for names, rules in strength._BY_PUBLISHER)]
    plain = [[names, [[rule.pattern, [*classes]] for rule, classes in rules]] for names, rules in tables]
    digest = hashlib.sha256(json.dumps(plain).encode()).hexdigest()[:16]
    assert (PAYLOAD_VERSION, digest) == ("2", "0c8be2efec117032")
