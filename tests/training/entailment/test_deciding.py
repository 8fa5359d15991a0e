"""If these fail, the scorer may overrule the gate on too little evidence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.gate import WithheldReason
from agent.gate.entailment.decision import OVERRULABLE
from training.entailment import Objected, choose_decision

WORDS, NUMBER = WithheldReason.WORDS_NOT_IN_PASSAGE, WithheldReason.NUMBER_NOT_IN_PASSAGE


def objected(log_odds: float, *why: WithheldReason, faithful: bool = False) -> Objected:
    return Objected(objections=frozenset(why), log_odds=log_odds, faithful=faithful)


def test_a_number_is_never_overruled() -> None:
    decision = choose_decision([objected(float(n), NUMBER) for n in range(100)], most_wrong=0.5)
    assert decision.overrules == {}


def test_what_few_wrong_sentences_meet_is_never_overruled() -> None:
    decision = choose_decision([objected(-5.0, WORDS)] * 19 + [objected(5.0, WORDS, faithful=True)], most_wrong=0.03)
    assert decision.overrules == {}


@given(
    st.lists(st.tuples(st.floats(-10, 10), st.sets(st.sampled_from(sorted(OVERRULABLE)), min_size=1)), min_size=1),
    st.floats(0, 0.5),
)
def test_no_more_of_the_wrong_ones_that_meet_an_objection_are_shown_than_stated(
    wrong: list[tuple[float, set[WithheldReason]]], most: float
) -> None:
    rows = [objected(log_odds, *why) for log_odds, why in wrong]
    decision = choose_decision(rows, most_wrong=most, least_wrong_pairs=1)
    for why in decision.overrules:
        met = [one for one in rows if why in one.objections]
        shown = [
            one
            for one in met
            if (needed := decision.needed(sorted(one.objections))) is not None and one.log_odds >= needed
        ]
        assert len(shown) <= most * len(met)
