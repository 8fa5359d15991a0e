"""What people say of runs later: joined by id, lost by no crash. Else training learns from what was called wrong."""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent import Journal, JournalError, Judgement, MemoryJournal, Rollout, read_judgements
from agent.judgements import JUDGEMENTS_FILE, Standing, append_judgements, judged, standings

from .test_journal import rollout

AT = datetime(2026, 1, 1, tzinfo=UTC)


def thumb(run: Rollout, thumbs: str | None, seconds: float = 0) -> Judgement:
    return Judgement.model_validate(
        {"rollout_id": run.rollout_id, "at": AT + timedelta(seconds=seconds), "kind": "thumbs", "thumbs": thumbs}
    )


def withdrawn(run: Rollout) -> Judgement:
    return Judgement(rollout_id=run.rollout_id, at=AT, kind="consent_withdrawn")


def consented() -> Rollout:
    run = rollout()
    return run.model_copy(update={"provenance": run.provenance.model_copy(update={"training_consent": True})})


def test_runs_are_read_with_what_was_said_of_them(tmp_path: Path) -> None:
    up, changed, back, untouched = (consented() for _ in range(4))
    with Journal(tmp_path) as journal:
        journal.judge([thumb(up, "up"), thumb(changed, "up"), thumb(back, "down")])
        journal.judge([thumb(changed, "down", 1), thumb(back, None, 1), withdrawn(changed)])
    runs = list(judged([up, changed, back, untouched], read_judgements(tmp_path)))
    assert [run.labels.thumbs for run in runs] == ["up", "down", None, None]
    assert [run.provenance.training_consent for run in runs] == [True, False, True, True]
    assert runs[3] == untouched


def test_the_later_word_holds_in_whatever_order_it_was_written(tmp_path: Path) -> None:
    """What was told twice after a crash, or by two processes, must not bring an old thumb back."""
    run = rollout()
    said = [thumb(run, "up", 1), thumb(run, "down", 2), thumb(run, "up", 1)]
    assert standings(said) == {run.rollout_id: Standing("down", False)}
    memory = MemoryJournal()
    memory.judge(said)
    assert standings(memory.judgements) == standings(said)


def test_agreement_to_train_is_never_brought_back_by_a_judgement() -> None:
    run = rollout()
    assert not next(judged([run], standings([thumb(run, "up")]))).provenance.training_consent


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_a_half_line_was_never_confirmed_and_gives_way(tmp_path: Path, cut: int) -> None:
    first, lost, later = (rollout() for _ in range(3))
    append_judgements(tmp_path, [thumb(first, "up"), thumb(lost, "down")])
    file = tmp_path / JUDGEMENTS_FILE
    file.write_bytes(file.read_bytes()[:-cut])
    assert set(read_judgements(tmp_path)) == {first.rollout_id}
    append_judgements(tmp_path, [thumb(later, "up")])
    assert set(read_judgements(tmp_path)) == {first.rollout_id, later.rollout_id}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_where_nobody_said_anything_nothing_is_known(tmp_path: Path) -> None:
    assert read_judgements(tmp_path) == {}
    assert read_judgements(tmp_path / "nowhere") == {}


def test_a_damaged_file_is_named_and_not_guessed_at(tmp_path: Path) -> None:
    append_judgements(tmp_path, [thumb(rollout(), "up")])
    with (tmp_path / JUDGEMENTS_FILE).open("ab") as file:
        file.write(b'{"thumbs": "sideways"}\n')
    with pytest.raises(JournalError, match=r"judgements\.jsonl line 2"):
        read_judgements(tmp_path)


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / JUDGEMENTS_FILE).mkdir()
    with pytest.raises(JournalError, match="cannot be written"):
        append_judgements(tmp_path, [thumb(rollout(), "up")])
