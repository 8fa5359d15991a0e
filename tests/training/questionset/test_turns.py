"""If these fail, a question that should need its history, or an answer of the clinician, needs neither."""

from __future__ import annotations

import random

import pytest

from agent.actions import ReplyKind
from retrieval import PassageId
from retrieval.tokens import tokenise
from training.questionset import LibraryWords
from training.questionset.facts import Fact, FactFinder
from training.questionset.terms import PARTS, frames, replies
from training.questionset.turns import follow_ups, multi_hop, no_search, underspecified


@pytest.fixture(scope="module")
def facts(finder: FactFinder) -> list[Fact]:
    return [*finder.recommendation_facts(), *finder.screening_facts()]


def _text_of(library: LibraryWords):  # type: ignore[no-untyped-def]
    def text_of(id: PassageId) -> str:
        number = library.number(id)
        assert number is not None
        return library.located[number].passage.text

    return text_of


def test_a_follow_up_leaves_the_condition_to_the_turn_before(facts: list[Fact], library: LibraryWords) -> None:
    made = list(follow_ups(facts, "train", random.Random(0), _text_of(library)))
    assert len(made) > 50
    for one in made:
        assert len(one.history) == 1
        assert one.history[0].passage_ids
        assert one.gold
        assert len(tokenise(one.question)) < 12


def test_an_underspecified_question_lacks_what_its_case_gives(facts: list[Fact]) -> None:
    made = list(underspecified(facts, facts, "train", random.Random(0)))
    assert made
    for one in made:
        assert one.missing is not None
        told = set(tokenise(one.case[one.missing])) - set(
            tokenise("It is for. The patient has. This is about. years old she he")
        )
        assert not told <= set(tokenise(one.question))


def test_two_needs_have_a_passage_and_a_search_each(facts: list[Fact]) -> None:
    made = list(multi_hop(facts, "train", random.Random(0)))
    assert made
    for one in made:
        assert len(set(one.gold)) == len(one.queries) == 2
        assert len(set(one.clusters)) == 2


def test_to_reword_or_shorten_there_is_an_answer_to_say_again(facts: list[Fact], library: LibraryWords) -> None:
    made = list(no_search(facts, "train", random.Random(0), _text_of(library), 40))
    assert {one.reply for one in made} == set(ReplyKind)
    for one in made:
        if one.reply in (ReplyKind.REWORD, ReplyKind.SHORTEN):
            assert one.history[0].passage_ids == one.gold


def test_no_wording_stands_in_two_parts() -> None:
    for wordings in (*frames().values(), *replies().values()):
        said = [text.casefold() for part in PARTS for text in wordings.of(part)]
        assert len(set(said)) == len(said)
