"""Which side of a disease is asked for. If these fail, "Is it inherited?" is answered with how common it is."""

from __future__ import annotations

import pytest

from agent.facets import Facet, facet_of, right_side_first
from retrieval import Hit

from .conftest import hit


def page(place: int, heading: str, text: str, disease: str = "Alport syndrome") -> Hit:
    made = hit(text)
    update = {"id": f"pages#{place}", "section": (disease, heading), "synonyms": ()}
    document = made.document.model_copy(update={"title": disease})
    return made.model_copy(
        update={"passage": made.passage.model_copy(update=update), "document": document, "rank": place}
    )


COMMON = page(1, "How many people are affected by Alport syndrome ?", "Alport syndrome occurs in 1 in 50,000 newborns.")
WHAT = page(2, "What is (are) Alport syndrome ?", "Alport syndrome damages the kidneys.")
INHERITED = page(3, "Is Alport syndrome inherited ?", "Alport syndrome is mostly X-linked.")
OTHER = page(4, "Is Fabry disease inherited ?", "Fabry disease is X-linked.", "Fabry disease")


@pytest.mark.parametrize(
    ("text", "facet"),
    [
        ("Is Alport syndrome inherited ?", Facet.INHERITANCE),
        ("Does Alport syndrome run in families?", Facet.INHERITANCE),
        ("What are the genetic changes related to familial hyperuricemia ?", Facet.GENES),
        ("What are the treatments for Alport syndrome ?", Facet.TREATMENT),
        ("Alport syndrome prognosis", Facet.OUTLOOK),
        ("What are the symptoms of Alport syndrome ?", Facet.SYMPTOMS),
        ("What causes Alport syndrome ?", Facet.CAUSES),
        ("How to diagnose Alport syndrome ?", Facet.DIAGNOSIS),
        ("What is (are) Alport syndrome ?", Facet.MEANING),
        ("Ramipril 5 mg daily", None),
    ],
)
def test_the_side_that_is_asked_is_read(text: str, facet: Facet | None) -> None:
    assert facet_of(text) is facet


def test_a_passage_under_the_heading_that_asks_the_same_comes_first() -> None:
    ordered = right_side_first([COMMON, WHAT, INHERITED], "Does Alport syndrome run in families?", 2)
    assert ordered == (INHERITED, COMMON, WHAT)


def test_another_disease_never_moves_before_the_one_that_was_asked_for() -> None:
    assert right_side_first([COMMON, WHAT, OTHER], "Is Alport syndrome inherited?", 3) == (COMMON, WHAT, OTHER)


def test_the_order_stays_where_headings_are_no_questions_or_nothing_is_asked_of_a_side() -> None:
    parts = [page(place, "Drug treatment", "Give ramipril for Alport syndrome.") for place in (1, 2)]
    assert right_side_first(parts, "How is Alport syndrome treated?", 2) == tuple(parts)
    assert right_side_first([COMMON, WHAT], "Alport syndrome, ramipril", 2) == (COMMON, WHAT)
    assert right_side_first([], "Is it inherited?", 2) == ()
