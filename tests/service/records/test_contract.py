"""The contract of the records, on the database and in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from agent import ManualClock, RolloutId, new_rollout_id
from service.records import (
    ConversationId,
    Feedback,
    Reason,
    Records,
    RecordsFullError,
    TurnState,
    UnknownConversationError,
    UnknownRunError,
)
from service.records.models import CONSENT_VERSION, MAX_TURNS_KEPT

from .conftest import ME, MOST, OTHER, answer, summary

NOBODYS = ConversationId("0" * 26)
DOWN = Feedback(thumbs="down", reasons=(Reason.WRONG, Reason.OUTDATED), comment="The dose is old.")


def asked(
    records: Records, question: str, words: str = "Give examplicillin 250 mg."
) -> tuple[ConversationId, RolloutId]:
    """A conversation with one answered turn."""
    conversation, rollout = records.create(ME).id, new_rollout_id()
    records.begin_turn(ME, conversation, rollout, question)
    assert records.finish_turn(rollout, summary(rollout, words))
    return conversation, rollout


def titles(records: Records, query: str = "") -> list[str | None]:
    return [info.title for info in records.page(ME, query=query).conversations]


def test_a_turn_comes_back_as_it_was_answered(records: Records, clock: ManualClock) -> None:
    conversation, rollout = asked(records, "What dose, ‘exactly’?\nFor an adult 🤒")
    clock.advance(5)
    whole = records.get(ME, conversation)
    assert (whole.title, whole.turns) == ("What dose, ‘exactly’? For an adult 🤒", 1)
    (turn,) = whole.asked
    assert turn.question == "What dose, ‘exactly’?\nFor an adult 🤒"
    assert turn.result == summary(rollout)
    assert (turn.state, turn.rollout_id, turn.feedback) == (TurnState.ANSWERED, rollout, None)
    assert turn.asked_at == clock.now() - timedelta(seconds=5)


def test_history_is_the_answered_turns_before(records: Records) -> None:
    conversation, first = asked(records, "First?")
    stopped = new_rollout_id()
    assert [turn.question for turn in records.begin_turn(ME, conversation, stopped, "Second?").earlier] == ["First?"]
    records.end_turn(stopped, TurnState.STOPPED, answer())
    begun = records.begin_turn(ME, conversation, new_rollout_id(), "Third?")
    assert [turn.rollout_id for turn in begun.earlier] == [first]
    assert begun.earlier[0].result == summary(first)
    assert not begun.training_consent


def test_history_is_bounded_to_the_last_ten(records: Records) -> None:
    conversation = records.create(ME).id
    for number in range(12):
        rollout = new_rollout_id()
        records.begin_turn(ME, conversation, rollout, f"Question {number}?")
        records.finish_turn(rollout, summary(rollout))
    begun = records.begin_turn(ME, conversation, new_rollout_id(), "Last?")
    assert [turn.question for turn in begun.earlier] == [f"Question {number}?" for number in range(2, 12)]


def test_what_was_shown_of_a_stopped_answer_is_kept_until_the_run_ends_after_all(records: Records) -> None:
    conversation, rollout = records.create(ME).id, new_rollout_id()
    records.begin_turn(ME, conversation, rollout, "Dose?")
    assert records.end_turn(rollout, TurnState.STOPPED, answer("Give 250 mg.", 3))
    (turn,) = records.get(ME, conversation).asked
    assert (turn.state, turn.shown, turn.result) == (TurnState.STOPPED, answer("Give 250 mg.", 3), None)
    assert records.finish_turn(rollout, summary(rollout))
    (turn,) = records.get(ME, conversation).asked
    assert (turn.state, turn.shown, turn.result) == (TurnState.ANSWERED, None, summary(rollout))


def test_an_answer_is_not_undone_by_a_late_stop(records: Records) -> None:
    conversation, rollout = asked(records, "Dose?")
    assert records.end_turn(rollout, TurnState.STOPPED)
    assert records.get(ME, conversation).asked[0].result == summary(rollout)


def test_a_question_asked_again_after_a_failure_stands_once(records: Records) -> None:
    conversation, failed, again = records.create(ME).id, new_rollout_id(), new_rollout_id()
    records.begin_turn(ME, conversation, failed, "Dose?")
    records.end_turn(failed, TurnState.FAILED)
    records.begin_turn(ME, conversation, again, "Dose?")
    records.finish_turn(again, summary(again))
    assert [turn.rollout_id for turn in records.get(ME, conversation).asked] == [again]
    records.begin_turn(ME, conversation, new_rollout_id(), "Dose?")  # after an answer it is a question of its own
    assert records.get(ME, conversation).turns == 2


def test_a_conversation_belongs_to_whoever_began_it(records: Records) -> None:
    conversation, rollout = asked(records, "Mine?")
    for call in (
        lambda: records.get(OTHER, conversation),
        lambda: records.rename(OTHER, conversation, "Theirs"),
        lambda: records.delete(OTHER, conversation),
        lambda: records.begin_turn(OTHER, conversation, new_rollout_id(), "Theirs?"),
        lambda: records.get(ME, NOBODYS),
    ):
        with pytest.raises(UnknownConversationError):
            call()
    with pytest.raises(UnknownRunError):
        records.rate(OTHER, rollout, DOWN)
    assert records.page(OTHER).conversations == ()
    assert records.get(ME, conversation).title == "Mine?"
    assert records.pending() == ()


def test_the_list_is_by_last_use_and_leaves_out_what_is_empty(records: Records, clock: ManualClock) -> None:
    records.create(ME)
    first, _ = asked(records, "First?")
    clock.advance(1)
    asked(records, "Second?")
    assert titles(records) == ["Second?", "First?"]
    clock.advance(1)
    records.begin_turn(ME, first, new_rollout_id(), "More?")
    assert titles(records) == ["First?", "Second?"]
    clock.advance(1)
    records.rename(ME, first, "Named")  # naming is not using
    assert titles(records) == ["Named", "Second?"]


@pytest.mark.parametrize("together", [True, False], ids=["at one moment", "one after another"])
def test_pages_hold_every_conversation_once(records: Records, clock: ManualClock, together: bool) -> None:
    for number in range(7):
        asked(records, f"Question {number}?")
        clock.advance(0 if together else 1)
    seen: list[str] = []
    cursor = None
    for length in (3, 3, 1):
        page = records.page(ME, limit=3, cursor=cursor)
        assert len(page.conversations) == length
        seen += [info.id for info in page.conversations]
        cursor = page.next_cursor
    assert cursor is None
    assert len(set(seen)) == 7
    assert seen == [info.id for info in records.page(ME).conversations]


@pytest.mark.parametrize("cursor", ["", "x", "0-1", "fffffffffffffff-01ARZ3NDEKTSV4RRFFQ69G5FAV"])
def test_a_cursor_that_no_page_gave_is_refused(records: Records, cursor: str) -> None:
    with pytest.raises(ValueError, match="cursor"):
        records.page(ME, cursor=cursor)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("examplicillin", True),
        ("EXAMPLICILLIN", True),
        ("licill", True),
        ("fever samplomycin", True),
        ("fever otherword", False),
        ("ÉCLAIR", True),
        ("e\u0301clair", True),
        ("100%", True),
        ("1000", False),
        ("a_b", True),
        ("axb", False),
        ("straße", True),
        ("STRASSE", True),
        ("named", True),
    ],
)
def test_a_search_finds_every_word_wherever_it_was_said(records: Records, query: str, found: bool) -> None:
    conversation, _ = asked(records, "Fever: éclair 100% a_b Straße?", "Give examplicillin, then samplomycin.")
    records.rename(ME, conversation, "Named by me")
    assert bool(titles(records, query)) is found


def test_deleting_leaves_nothing_and_has_the_runs_erased(records: Records) -> None:
    conversation, rollout = asked(records, "Dose?")
    retried = [new_rollout_id(), new_rollout_id()]
    for again in retried:
        records.begin_turn(ME, conversation, again, "Again?")
        records.end_turn(again, TurnState.FAILED)
    records.rate(ME, rollout, DOWN)
    records.settle([item.id for item in records.pending()])
    records.delete(ME, conversation)
    with pytest.raises(UnknownConversationError):
        records.get(ME, conversation)
    with pytest.raises(UnknownRunError):
        records.rate(ME, rollout, DOWN)
    assert titles(records) == []
    assert {(item.kind, item.rollout_id) for item in records.pending()} == {
        ("erase", run) for run in (rollout, *retried)
    }


def test_a_run_whose_conversation_is_gone_is_told_so(records: Records) -> None:
    conversation, rollout = records.create(ME).id, new_rollout_id()
    records.begin_turn(ME, conversation, rollout, "Dose?")
    records.delete(ME, conversation)
    assert not records.finish_turn(rollout, summary(rollout))
    assert not records.end_turn(rollout, TurnState.STOPPED)


def test_feedback_is_kept_replaced_taken_back_and_told(records: Records) -> None:
    conversation, rollout = asked(records, "Dose?")
    records.rate(ME, rollout, DOWN)
    assert records.get(ME, conversation).asked[0].feedback == DOWN
    up = Feedback(thumbs="up", reasons=(Reason.CLEAR,))
    records.rate(ME, rollout, up)
    assert records.get(ME, conversation).asked[0].feedback == up
    records.rate(ME, rollout, None)
    assert records.get(ME, conversation).asked[0].feedback is None
    told = [item.judgement for item in records.pending()]
    assert [item.thumbs for item in told if item] == ["down", "up", None]
    assert told[0] is not None
    assert told[0].reasons == ("clinically_wrong", "outdated")
    assert "old" not in told[0].model_dump_json(), "a comment stays where conversations are kept"


def test_only_a_finished_answer_can_be_judged(records: Records) -> None:
    conversation, rollout = records.create(ME).id, new_rollout_id()
    records.begin_turn(ME, conversation, rollout, "Dose?")
    for unknown in (rollout, new_rollout_id()):
        with pytest.raises(UnknownRunError):
            records.rate(ME, unknown, DOWN)


@pytest.mark.parametrize(
    "feedback",
    [
        {"thumbs": "up", "reasons": ["clinically_wrong"]},
        {"thumbs": "down", "reasons": ["clear"]},
        {"thumbs": "down", "reasons": ["outdated", "outdated"]},
        {"thumbs": "down", "comment": "x" * 2_001},
        {"thumbs": "sideways"},
    ],
)
def test_feedback_that_contradicts_itself_is_no_feedback(feedback: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Feedback.model_validate(feedback)


def test_consent_is_off_until_given_and_covers_only_what_is_asked_under_it(records: Records) -> None:
    assert records.consent(ME) is None
    conversation, before = asked(records, "Before?")
    decided = records.decide(ME, training=True, version=CONSENT_VERSION)
    assert records.consent(ME) == decided
    assert records.consent(OTHER) is None
    under = new_rollout_id()
    assert records.begin_turn(ME, conversation, under, "Under it?").training_consent
    theirs = records.create(OTHER).id
    assert not records.begin_turn(OTHER, theirs, new_rollout_id(), "Theirs?").training_consent
    records.decide(ME, training=False, version=CONSENT_VERSION)
    assert not records.begin_turn(ME, conversation, new_rollout_id(), "After?").training_consent
    (told,) = records.pending()
    assert told.judgement is not None
    assert (told.rollout_id, told.judgement.kind) == (under, "consent_withdrawn")
    assert before != under


def test_consent_to_another_wording_does_not_count(records: Records) -> None:
    records.decide(ME, training=True, version="0")
    conversation = records.create(ME).id
    assert not records.begin_turn(ME, conversation, new_rollout_id(), "Under it?").training_consent


def test_what_was_told_is_not_told_again(records: Records) -> None:
    _, rollout = asked(records, "Dose?")
    for thumbs in ("up", "down", "up"):
        records.rate(ME, rollout, Feedback(thumbs=thumbs))
    first, second, _ = records.pending()
    assert records.pending(limit=1) == (first,)
    records.settle([first.id, second.id])
    assert [item.judgement.thumbs for item in records.pending() if item.judgement] == ["up"]
    records.settle([])


def test_limits_are_refused_with_what_to_do(records: Records) -> None:
    conversation, _ = asked(records, "Question?")
    for _ in range(MOST - 1):
        records.create(ME)
    with pytest.raises(RecordsFullError, match="Delete some"):
        records.create(ME)
    records.create(OTHER)
    for number in range(MAX_TURNS_KEPT - 1):
        records.begin_turn(ME, conversation, new_rollout_id(), f"Question {number}?")
    with pytest.raises(RecordsFullError, match="Begin a new one"):
        records.begin_turn(ME, conversation, new_rollout_id(), "One more?")


def test_empty_conversations_of_yesterday_make_room(records: Records, clock: ManualClock) -> None:
    empty = records.create(ME).id
    kept, _ = asked(records, "Question?")
    clock.advance(86_401)
    records.create(ME)
    with pytest.raises(UnknownConversationError):
        records.get(ME, empty)
    assert records.get(ME, kept).turns == 1


def test_a_long_question_makes_a_short_title(records: Records) -> None:
    asked(records, "word " * 100)
    asked(records, "x" * 300)
    one, other = sorted(title or "" for title in titles(records))
    assert one.endswith("word…")
    assert len(one) <= 81
    assert other == "x" * 80 + "…"
