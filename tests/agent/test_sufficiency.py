"""What the evidence says of itself. If these fail, a model answers about a drug that no passage names."""

from __future__ import annotations

import pytest

from agent.evidence import Evidence
from agent.prompts import AS_ABOVE, NONE_MISSING_LINE, evidence_message
from agent.sufficiency import AskedWords, Match, Nearness, nearest, nearness

from .conftest import hit

GENTAMICIN = hit("Give gentamicin 5 mg/kg once daily for 3 days.")


@pytest.mark.parametrize(
    ("question", "match", "missing"),
    [
        ("What dose of gentamicin once daily?", Match.ALL, ()),
        ("Is gentamicin OK with furosemide?", Match.SOME, ("ok", "furosemide")),
        ("gentamicin daily, probenecid, colchicine", Match.SOME, ("probenecid", "colchicine")),
        ("Is rivaroxaban safe?", Match.FEW, ("rivaroxaban",)),
        ("What should I do for him?", Match.FEW, ()),
        ("A 54-year-old man: gentamicin?", Match.ALL, ()),
    ],
    ids=["all", "half", "a-third-left", "none", "names-nothing", "age-is-not-named"],
)
def test_the_words_a_passage_holds_are_told_from_those_it_lacks(
    question: str, match: Match, missing: tuple[str, ...]
) -> None:
    asked = AskedWords(question)
    assert asked.match(GENTAMICIN) is match
    assert asked.missing([GENTAMICIN]) == missing


@pytest.mark.parametrize(
    ("typed", "missing"), [("gentmaicin", ()), ("gentamycin", ("gentamycin",)), ("dialy gentamicin", ("dialy",))]
)
def test_two_letters_the_wrong_way_round_are_a_slip_and_another_letter_is_another_drug(
    typed: str, missing: tuple[str, ...]
) -> None:
    assert AskedWords(f"Dose of {typed}?").missing([GENTAMICIN]) == missing


def test_an_abbreviation_is_held_by_its_long_form() -> None:
    made = hit("Offer low molecular weight heparin.")
    assert AskedWords("LMWH?").missing([made]) == ()
    assert AskedWords("LMWH?").match(made) is Match.ALL


def test_what_is_missing_is_said_of_all_evidence_so_far() -> None:
    first, second = Evidence("bcd", GENTAMICIN), Evidence("fgh", hit("Avoid furosemide."))
    asked = AskedWords("gentamicin with furosemide")
    assert evidence_message([first], asked=asked).content.endswith("no evidence holds: furosemide.")
    assert evidence_message([second], asked=asked, so_far=[first, second]).content.endswith(NONE_MISSING_LINE)


def test_a_population_that_a_whole_guideline_shares_is_said_once() -> None:
    made = [hit("Give fluids."), hit("Give oxygen.")]
    shared = {"population": "Adults in hospital", "contraindications": ("none known",)}
    said = [
        Evidence(key, item.model_copy(update={"passage": item.passage.model_copy(update=shared)}))
        for key, item in zip(("bcd", "fgh"), made, strict=True)
    ]
    first, second = evidence_message(said).content.splitlines()[1:]
    assert "Population: Adults in hospital." in first
    assert f"Population: {AS_ABOVE}. Contraindications: {AS_ABOVE}." in second
    other = said[1].hit.model_copy(
        update={"passage": said[1].hit.passage.model_copy(update={"population": "Children"})}
    )
    assert "Population: Children." in evidence_message([said[0], Evidence("jkl", other)]).content


@pytest.mark.parametrize(
    ("cosine", "relevance", "step"),
    [
        (0.9, 0.5, Nearness.CLOSE),
        (0.6, 0.5, Nearness.NEAR),
        (0.5, 0.5, Nearness.LOOSE),
        (0.1, 0.5, Nearness.FAR),
        (0.9, None, None),
        (None, 0.5, None),
    ],
    ids=["close", "near", "loose", "far", "an-encoder-not-known", "no-cosine"],
)
def test_how_near_a_passage_is_is_said_in_steps_where_the_cosines_are_known(
    cosine: float | None, relevance: float | None, step: Nearness | None
) -> None:
    made = GENTAMICIN.model_copy(update={"cosine": cosine, "relevance": relevance})
    assert nearness(made) is step
    assert nearest([GENTAMICIN, made]) is step
    said = evidence_message([Evidence("bcd", made)], asked=AskedWords("gentamicin?")).content
    assert (f"words: all, sense: {step}" in said) is (step is not None)
    assert said.endswith(f"Nearest sense: {step}." if step else NONE_MISSING_LINE)
