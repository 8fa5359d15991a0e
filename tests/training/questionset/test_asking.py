"""If these fail, a question is not a sentence, or a search cannot be made."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from agent.actions import MAX_QUERY_CHARS
from training.questionset.asking import ask, distinct, finish, is_plural, shortened
from training.questionset.facts import Fact
from training.questionset.terms import PARTS, frames

SLOTS = {"replies_condition", "multi_hop_join"}


# Filling every wording takes longer than the deadline of one example on a busy machine.
@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 1000), phrase=st.sampled_from(["aspirin", "beta blockers", "antibiotics", "sepsis"]))
def test_every_wording_can_be_filled(seed: int, phrase: str) -> None:
    drawn = random.Random(seed)
    for name, wordings in frames().items():
        if name in SLOTS:
            continue
        for part in PARTS:
            for text in wordings.of(part):
                filled = finish(text, drawn, c="gout", p=phrase, pop="adults")
                assert "{" not in filled
                assert filled == filled.strip()


def test_the_verb_agrees() -> None:
    drawn = random.Random(1)
    text = "{is} {p} recommended for {c}?"
    assert finish(text, drawn, c="gout", p="beta blockers").startswith(("Are beta blockers", "are beta blockers"))
    assert finish(text, drawn, c="gout", p="aspirin").startswith(("Is aspirin", "is aspirin"))
    assert is_plural("antibiotics")
    assert not is_plural("dialysis")


@given(st.lists(st.text("abc ", min_size=1, max_size=200), max_size=5))
def test_searches_are_distinct_and_fit(queries: list[str]) -> None:
    made = distinct(queries)
    assert all(len(query) <= MAX_QUERY_CHARS for query in made)
    assert len({query.casefold() for query in made}) == len(made)


def test_other_names_come_from_the_table_that_the_search_knows() -> None:
    said = {shortened("chronic obstructive pulmonary disease", random.Random(seed)) for seed in range(40)}
    assert said == {"chronic obstructive pulmonary disease", "COPD"}


def test_a_case_is_described_only_where_the_fact_holds_for_any_adult() -> None:
    fact = Fact("drug_plain", "gout", (), "c", "guidelines", "CC0-1.0", "test", phrase="colchicine")
    templates = {ask(fact, "train", random.Random(seed)).template.split("/")[0] for seed in range(60)}
    assert templates == {"drug_plain"}
    adult = Fact("drug_plain", "gout", (), "c", "guidelines", "CC0-1.0", "test", phrase="colchicine", any_adult=True)
    assert "drug_vignette" in {ask(adult, "train", random.Random(seed)).template.split("/")[0] for seed in range(60)}
