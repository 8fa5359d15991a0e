"""Another drug's dose is never read first where one drug's dose was asked for."""

from __future__ import annotations

import pytest

from agent.asked_dose import drug_of_dose, right_drug_first, states_amount

from .conftest import hit

PREDNISOLONE = hit("Where colchicine is unsuitable, treat a flare with prednisolone 30 to 35 mg by mouth daily.")
COLCHICINE = hit("In an acute flare, colchicine 500 micrograms by mouth 2 to 4 times daily can be given.")
NO_AMOUNT = hit("Offer colchicine for a flare.")


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("What is the dose of colchicine in a flare?", True),
        ("colchicine dosage, eGFR 50", True),
        ("How much colchicine for a flare?", True),
        ("Colchicine or prednisolone: what dose?", False),
        ("Is colchicine safe in a flare?", False),
        ("What dose for a flare?", False),
        ("IV steroid dose for a flare?", False),
        ("What statin dose for him?", False),
    ],
)
def test_the_drug_whose_dose_is_asked_for(question: str, asked: bool) -> None:
    assert (drug_of_dose(question) is not None) == asked


@pytest.mark.parametrize(
    ("text", "states"),
    [
        ("Give colchicine 500 micrograms twice daily.", True),
        ("Colchicine can be given at a dose of up to 1.5 mg.", True),
        ("Give 500 micrograms of colchicine.", True),
        ("Colchicine - Adult: initially 500 micrograms orally every 8 hours.", True),
        ("Where colchicine is unsuitable, give prednisolone 30 mg.", False),
        ("Give prednisolone 30 mg or colchicine.", False),
        ("Give prednisolone 30 mg. Colchicine is an alternative.", False),
        ("Give colchicine for 3 to 5 days.", False),
        ("Colchicine is contraindicated when eGFR is below 30 ml/min/1.73 m2.", False),
    ],
)
def test_an_amount_of_a_drug_is_told_from_other_numbers(text: str, states: bool) -> None:
    drug = drug_of_dose("Dose of colchicine?")
    assert drug is not None
    assert states_amount(hit(text), drug) == states


def test_what_states_the_drugs_own_amount_comes_first_and_nothing_else_moves() -> None:
    hits = [PREDNISOLONE, NO_AMOUNT, COLCHICINE]
    assert right_drug_first(hits, "What is the dose of colchicine in a flare?") == (
        COLCHICINE,
        PREDNISOLONE,
        NO_AMOUNT,
    )
    for question in ("Treat a flare?", "What dose of paracetamol?"):
        assert right_drug_first(hits, question) == tuple(hits)
