"""Each measure on runs whose right score is plain to see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from agent.scripted import ANSWER, search
from eval.agent.episodes import episodes
from eval.agent.questions import AgentQuestion
from eval.agent.scoring import graded, score, succeeded
from retrieval import Passage

from .conftest import DECLINE, GOOD, LIE, QUERY, THANKS, MakeRun, ask_for, made_row, row

Ask = Callable[[dict[str, Any]], AgentQuestion]
#: Decisions that never search for what is asked.
OFF = "colour blindness test plates"


def share(scores: Any, name: str) -> float | None:
    return None if name not in scores else scores[name].over / scores[name].of


def test_a_good_answer(run: MakeRun, gold: Passage, question: Ask) -> None:
    asked = question(made_row("answerable", gold=[gold.id]))
    scores = score((run(*GOOD),), asked)
    expected = {
        "valid_actions": 1.0,
        "right_action": 1.0,
        "gold_retrieved": 1.0,
        "gold_cited": 1.0,
        "gold_shown": 1.0,
        "unsupported": 0.0,
        "withheld": 0.0,
        "verbatim": 1.0,
        "abstained_wrong": 0.0,
        "clarified_wrong": 0.0,
        "searches": 1.0,
        "over_search": 0.0,
        "under_search": 0.0,
        "not_searched": 0.0,
        "failed": 0.0,
    }
    assert {name: share(scores, name) for name in expected} == expected
    assert not {"abstained_right", "clarified_right", "must_have", "searched_needlessly", "tokens"} & set(scores)


def test_what_is_not_known_leaves_its_measures_out(run: MakeRun, question: Ask) -> None:
    scores = score((run(*GOOD),), question(row()))
    assert {"valid_actions", "withheld", "searches", "failed"} <= set(scores)
    unknown = {"right_action", "gold_retrieved", "gold_cited", "abstained_right", "abstained_wrong", "must_have"}
    assert not unknown & set(scores)


def test_a_repaired_decision_was_not_valid(run: MakeRun, question: Ask) -> None:
    assert share(score((run("nonsense", *GOOD),), question(row())), "valid_actions") == pytest.approx(1 / 2)


def test_withheld_sentences_are_counted_by_reason(run: MakeRun, gold: Passage, question: Ask) -> None:
    asked = question(made_row("answerable", gold=[gold.id]))
    scores = score((run(search(QUERY), ANSWER, LIE),), asked)
    assert share(scores, "withheld") == share(scores, "withheld:no_citation") == 1
    assert share(scores, "withheld:words_not_in_passage") == 0
    assert "unsupported" not in scores, "it cites nothing that could support it"
    assert share(scores, "gold_cited") == 0
    assert share(scores, "gold_shown") == 1, "the recommendations are listed instead"
    assert share(scores, "failed") == 1


def test_abstaining_is_right_or_wrong_by_the_question(run: MakeRun, gold: Passage, question: Ask) -> None:
    declined = run(search(QUERY), DECLINE)
    unanswerable = score((declined,), question(made_row("unanswerable")))
    assert share(unanswerable, "abstained_right") == share(unanswerable, "right_action") == 1
    answerable = score((declined,), question(row(answerable=True, gold=[gold.id])))
    assert share(answerable, "abstained_wrong") == 1
    assert share(answerable, "right_action") == 0
    assert share(score((run(*GOOD),), question(row(answerable=False))), "abstained_right") == 0


def test_a_clarification_is_right_only_for_what_is_missing(run: MakeRun, gold: Passage, question: Ask) -> None:
    case: dict[str, Any] = {"missing": "pregnancy", "case": {"pregnancy": "She is not pregnant."}, "gold": [gold.id]}
    underspecified = question(made_row("underspecified", **case))
    first = run(ask_for("pregnancy"))
    second = run(*GOOD, words="She is not pregnant.", first=first)
    scores = score((first, second), underspecified)
    assert share(scores, "clarified_right") == share(scores, "right_action") == share(scores, "gold_cited") == 1
    assert share(scores, "clarified_wrong") == 0
    other = score((run(ask_for("age")),), underspecified)
    assert (share(other, "clarified_right"), share(other, "clarified_wrong")) == (0, 1)
    silent = score((run(*GOOD),), underspecified)
    assert (share(silent, "clarified_right"), share(silent, "clarified_wrong")) == (0, 0)
    needless = score((first,), question(made_row("answerable", gold=[gold.id])))
    assert share(needless, "clarified_wrong") == 1


def test_searches_beyond_the_need_and_answers_without_the_gold(run: MakeRun, gold: Passage, question: Ask) -> None:
    asked = question(made_row("answerable", gold=[gold.id]))
    twice = score((run(search(QUERY), search("cystitis"), *GOOD[1:]),), asked)
    assert share(twice, "over_search") == pytest.approx(1 / 2)
    assert share(twice, "searches") == 2
    elsewhere = question(made_row("answerable", gold=["not/there"]))
    missed = score((run(*GOOD),), elsewhere)
    assert share(missed, "under_search") == 1
    assert share(missed, "over_search") == 0, "what was needed had not been found yet"
    thanks = question(made_row("no_search", words="Thank you", reply="thanks"))
    assert share(score((run(THANKS),), thanks), "right_action") == 1
    assert "over_search" not in score((run(THANKS),), thanks)
    reworded = question(made_row("no_search", words="Shorter please", reply="shorten", gold=[gold.id]))
    assert "gold_cited" not in score((run(THANKS),), reworded), "there is nothing to cite anew"
    searched = score((run(*GOOD),), thanks)
    assert share(searched, "over_search") == share(searched, "searched_needlessly") == 1


def test_both_passages_of_a_multi_hop_question_are_needed(run: MakeRun, gold: Passage, question: Ask) -> None:
    asked = question(made_row("multi_hop", gold=[gold.id, "other"], queries=["a", "b"]))
    assert share(score((run(*GOOD),), asked), "gold_cited") == 0


def test_the_product_without_an_adapter_shows_the_gold_but_writes_nothing(
    run: MakeRun, gold: Passage, question: Ask
) -> None:
    asked = question(made_row("answerable", gold=[gold.id], must_have=[gold.text.split()[1]]))
    scores = score((run(search(QUERY), search_first=True),), asked)
    assert (share(scores, "gold_cited"), share(scores, "gold_shown")) == (0, 1)
    assert "withheld" not in scores


def test_stated_words_are_looked_for_in_what_was_shown(run: MakeRun, gold: Passage, question: Ask) -> None:
    asked = question(row(must_have=["nitrofurantoin", "surgery"]))
    assert share(score((run(*GOOD),), asked), "must_have") == pytest.approx(1 / 2)


def test_success_is_gold_cited_and_nothing_withheld(run: MakeRun, gold: Passage, question: Ask) -> None:
    asked = question(made_row("answerable", gold=[gold.id]))
    good, declined = (run(*GOOD),), (run(search(QUERY), DECLINE),)
    cite = GOOD[2]
    assert callable(cite)
    partly = (run(search(QUERY), ANSWER, lambda request: f"{cite(request)} {LIE}"),)
    assert [succeeded(episode, asked) for episode in (good, partly, declined)] == [True, False, False]
    assert [graded(episode, asked) for episode in (good, partly, declined)] == [1.0, 0.5, 0.0]


def test_an_episode_is_its_turns_in_order_without_what_a_kill_left(run: MakeRun) -> None:
    first = run(ask_for("pregnancy"))
    second = run(*GOOD, words="She is not pregnant.", first=first)
    found = episodes([second, first, run(*GOOD, rep=1)])
    assert [item.rollout_id for item in found[first.task_key][0]] == [first.rollout_id, second.rollout_id]
    assert len(found[first.task_key][1]) == 1
    again = run(*GOOD)
    assert again.task_key == first.task_key
    assert [item.rollout_id for item in episodes([second, again])[again.task_key][0]] == [again.rollout_id]
    assert dict(episodes([second])) == {}, "its first turn is owed"
    assert second.task_key != first.task_key
