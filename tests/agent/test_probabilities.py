"""If probabilities are read from the wrong token, the calibration of search decisions is noise."""

from __future__ import annotations

import math

import pytest

from agent.actions import ActionKind
from agent.client import TokenLogprob
from agent.probabilities import action_probabilities

PERMITTED = (ActionKind.SEARCH, ActionKind.ANSWER, ActionKind.DECLINE)


def tokens(pieces: list[str], at: int, alternatives: dict[str, float]) -> list[TokenLogprob]:
    """Sampled pieces; the one at `at` has these alternatives with these probabilities."""
    made = [TokenLogprob(token=piece, logprob=-0.01) for piece in pieces]
    top = tuple((text, math.log(p)) for text, p in alternatives.items())
    made[at] = TokenLogprob(token=pieces[at], logprob=math.log(alternatives[pieces[at]]), top=top)
    return made


@pytest.mark.parametrize(
    ("pieces", "at", "alternatives"),
    [
        (['{"', "action", '":', ' "', "search", '",'], 4, {"search": 0.7, "answer": 0.2, "decline": 0.05}),
        (['{"action": "', "se", "arch"], 1, {"se": 0.7, "an": 0.2, "dec": 0.05}),
        (['{"action":', ' "search', '"'], 1, {' "search': 0.7, ' "answer': 0.2, ' "decline': 0.05}),
        (["{", '"action"', ":", '"search"', ","], 3, {'"search"': 0.7, '"answer"': 0.2, '"decline"': 0.05}),
        (["```json\n", '{ "action" : "', "search"], 2, {"search": 0.7, 'answer"}': 0.2, "decline": 0.05}),
        (["\n\n", '{"action": "', "sear", "ch"], 2, {"sear": 0.7, "answ": 0.2, "d": 0.05}),
    ],
)
def test_probabilities_are_read_however_the_text_is_cut_into_tokens(
    pieces: list[str], at: int, alternatives: dict[str, float]
) -> None:
    found = action_probabilities(tokens(pieces, at, alternatives), PERMITTED)
    assert found is not None
    assert found.raw[ActionKind.SEARCH] == pytest.approx(0.7)
    assert found.raw[ActionKind.ANSWER] == pytest.approx(0.2)
    assert found.raw[ActionKind.DECLINE] == pytest.approx(0.05)
    assert found.raw[ActionKind.REPLY] == 0
    assert found.normalised is not None
    assert found.normalised[ActionKind.SEARCH] == pytest.approx(0.7 / 0.95)
    assert sum(found.normalised.values()) == pytest.approx(1)
    assert set(found.normalised) == set(PERMITTED)


def test_several_spellings_of_one_action_are_added() -> None:
    made = tokens(['{"action": "', "search"], 1, {"search": 0.5, "sea": 0.25, "answer": 0.25})
    found = action_probabilities(made, PERMITTED)
    assert found is not None
    assert found.raw[ActionKind.SEARCH] == pytest.approx(0.75)


def test_a_piece_that_fits_two_actions_counts_for_neither() -> None:
    made = tokens(['{"action": "', "search"], 1, {"search": 0.5, "a": 0.4})
    found = action_probabilities(made, (ActionKind.SEARCH, ActionKind.ANSWER, ActionKind.ASK))
    assert found is not None
    assert found.raw[ActionKind.ANSWER] == found.raw[ActionKind.ASK] == 0
    assert found.normalised is not None
    assert found.normalised[ActionKind.SEARCH] == pytest.approx(1)


def test_missing_is_none_never_zero_invariant_6() -> None:
    """A server without log-probabilities must not look like a model that is sure of nothing."""
    assert action_probabilities(None, PERMITTED) is None
    assert action_probabilities([], PERMITTED) is None
    assert action_probabilities([TokenLogprob(token="I would search", logprob=0.0)], PERMITTED) is None
    made = tokens(['{"action": "', "fly"], 1, {"fly": 0.9})
    found = action_probabilities(made, PERMITTED)
    assert found is not None
    assert found.normalised is None
