"""The number checker: an altered dose that it overlooks would be called verified."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.answers.number_check import Standing, check_numbers

from ...starter import starter

PASSAGE = (
    "Offer nitrofurantoin 100 mg modified-release twice a day for 3 days. If it is unsuitable, offer trimethoprim "
    "200 mg twice a day for 3 days. Avoid nitrofurantoin if eGFR is below 45 ml/min/1.73 m2. Population: Women aged "
    "16 years or over."
)
TEXTS = [passage.citable_text for entry in starter() for passage in entry.passages]


def standings(sentence: str, *passages: str) -> list[Standing]:
    return [number.standing for number in check_numbers(sentence, passages or (PASSAGE,))]


HELD, MOVED, ALTERED = Standing.HELD, Standing.MOVED, Standing.ALTERED


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Offer nitrofurantoin 100 mg modified-release twice a day for 3 days", [HELD, HELD, HELD]),
        ("Nitrofurantoin 0.1 g BD for three days is offered.", [HELD, HELD, HELD]),
        ("Nitrofurantoin 100 mg for 72 hours", [HELD, HELD]),
        ("Offer nitrofurantoin 1000 mg modified-release twice a day for 3 days", [ALTERED, HELD, HELD]),
        ("Offer nitrofurantoin 100 micrograms modified-release", [ALTERED]),
        ("Offer nitrofurantoin 100 mg three times a day for 3 days", [HELD, ALTERED, HELD]),
        ("Offer nitrofurantoin 100 mg twice a week for 3 days", [HELD, ALTERED, HELD]),
        ("Offer nitrofurantoin 100 mg twice a day for 3 weeks", [HELD, HELD, ALTERED]),
        ("Offer nitrofurantoin 200 mg modified-release twice a day for 3 days", [MOVED, HELD, HELD]),
        ("Avoid nitrofurantoin if eGFR is above 45 ml/min/1.73 m2", [ALTERED]),
        ("Avoid nitrofurantoin if eGFR is 45 ml/min/1.73 m2 or less", [HELD]),
        ("Women under 16 years", [ALTERED]),
        ("Ask for help.", []),
    ],
)
def test_by_hand(sentence: str, expected: list[Standing]) -> None:
    assert standings(sentence)[: len(expected)] == expected
    assert len(standings(sentence)) >= len(expected)


def test_without_a_passage_every_number_is_altered() -> None:
    assert [number.standing for number in check_numbers("Give 5 mg for 3 days.", ())] == [ALTERED, ALTERED]


def test_a_number_of_any_cited_passage_is_held() -> None:
    assert standings("Give 5 mg.", "Give 7 mg.", "Give 5 mg.") == [HELD]


@settings(deadline=None)
@given(st.sampled_from(TEXTS))
def test_a_passage_bears_out_each_of_its_own_statements(text: str) -> None:
    for part in text.split(". "):
        assert set(standings(part, text)) <= {HELD}


@settings(deadline=None)
@given(st.sampled_from(TEXTS), st.data())
def test_a_changed_number_is_never_held(text: str, data: st.DataObject) -> None:
    found = check_numbers(text, [text])
    plain = [number.text for number in found if number.text.split(" ")[0].isdigit()]
    if not plain:
        return
    wrong = data.draw(st.integers(100_001, 999_983))
    unit = data.draw(st.sampled_from(plain)).partition(" ")[2]
    sentence = f"{text} Then {wrong} {unit}"
    assert next(n for n in check_numbers(sentence, [text]) if str(wrong) in n.text).standing is ALTERED


@settings(deadline=None)
@given(st.sampled_from(TEXTS), st.sampled_from(TEXTS))
def test_more_passages_never_make_a_number_altered(text: str, other: str) -> None:
    before, after = standings(text, text), standings(text, text, other)
    assert all(later is not ALTERED for earlier, later in zip(before, after, strict=True) if earlier is not ALTERED)


@settings(deadline=None)
@given(st.integers(1, 5000))
def test_grams_and_milligrams_of_the_same_are_held(milligrams: int) -> None:
    grams = Fraction(milligrams, 1000)
    written = f"{float(grams):.3f} g"
    assert standings(f"Give {written}.", f"Give {milligrams} mg.") == [HELD]
    assert standings(f"Give {milligrams} micrograms.", f"Give {milligrams} mg.") == [ALTERED]


def test_the_checker_shares_no_code_with_the_gate_it_counts_the_slips_of() -> None:
    """Loading it must load nothing of `agent` or `retrieval`, directly or through another module."""
    program = (
        "import sys, json, importlib.util as u, types, pathlib\n"
        "package = pathlib.Path(u.find_spec('eval').submodule_search_locations[0]) / 'answers'\n"
        "shell = types.ModuleType('eval.answers'); shell.__path__ = [str(package)]\n"
        "sys.modules['eval.answers'] = shell\n"  # without what the package's __init__ loads
        "import eval.answers.number_check\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert "eval.answers.numbers" in loaded
    assert not [name for name in loaded if name.split(".")[0] in ("agent", "retrieval", "service", "training")]
