"""If these fail, a dose that somebody withdrew is still shown."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import pytest
from pydantic import ValidationError

from retrieval import (
    CorpusError,
    DocumentId,
    HashingEncoder,
    PassageId,
    Withdrawal,
    Withdrawals,
    Withdrawn,
    open_searcher,
)

ROOT = Path(__file__).parents[2]


def act(
    name: str,
    what: Literal["withdraw", "restore"] = "withdraw",
    kind: Literal["document", "passage"] = "document",
    passages: tuple[str, ...] = (),
    why: str = "The dose is wrong.",
) -> Withdrawal:
    return Withdrawal(
        act=what,
        kind=kind,
        id=name,
        why=why,
        who="Example Pharmacist",
        at=datetime(2026, 5, 4, 12, tzinfo=UTC),
        passages=tuple(PassageId(item) for item in passages),
    )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "withdrawals.jsonl"


def test_nothing_is_withdrawn_where_there_is_no_file(file: Path) -> None:
    assert not Withdrawals(file).now()


def test_a_withdrawal_holds_for_the_document_and_all_its_passages(file: Path) -> None:
    Withdrawals(file).add(act("d", passages=("d#1", "d#2")))
    now = Withdrawals(file).now()
    assert now.of(PassageId("d#2")) == act("d", passages=("d#1", "d#2"))
    assert now.of(PassageId("d#9"), DocumentId("d")) is not None, "passages it got since go with it"
    assert now.of(PassageId("e#1"), DocumentId("e")) is None


def test_a_restored_document_is_back_and_everything_stays_on_record(file: Path) -> None:
    withdrawals = Withdrawals(file)
    withdrawals.add(act("d", passages=("d#1",)))
    withdrawals.add(act("p", kind="passage", passages=("p",)))
    withdrawals.add(act("d", "restore", passages=("d#1",), why="It was right after all."))
    now = withdrawals.now()
    assert now.of(PassageId("d#1"), DocumentId("d")) is None
    assert now.of(PassageId("p")) is not None
    assert [(item.act, item.id, item.who) for item in now.acts] == [
        ("withdraw", "d", "Example Pharmacist"),
        ("withdraw", "p", "Example Pharmacist"),
        ("restore", "d", "Example Pharmacist"),
    ]


def test_an_open_reader_sees_what_another_process_withdraws(file: Path) -> None:
    reader = Withdrawals(file)
    before = reader.now()
    script = (
        "import sys; from pathlib import Path; from retrieval import Withdrawal, Withdrawals\n"
        "Withdrawals(Path(sys.argv[1])).add(Withdrawal.model_validate_json(sys.argv[2]))"
    )
    for name in ("d", "e"):
        line = act(name).model_dump_json()
        subprocess.run([sys.executable, "-c", script, str(file), line], cwd=ROOT, check=True)
        assert DocumentId(name) in reader.now().documents
    assert not before
    assert reader.now() is reader.now(), "an unchanged file is not read again"


def test_a_half_written_act_counts_for_nothing_and_harms_no_other(file: Path) -> None:
    withdrawals = Withdrawals(file)
    withdrawals.add(act("d"))
    with file.open("ab") as torn:
        torn.write(act("e").model_dump_json().encode()[:40])
    assert set(withdrawals.now().documents) == {"d"}
    withdrawals.add(act("f"))
    assert set(withdrawals.now().documents) == {"d", "f"}


@pytest.mark.parametrize("damage", ["damaged", "gone"])
def test_what_cannot_be_read_stops_the_search(file: Path, damage: str) -> None:
    """Fail closed: showing what was withdrawn would be worse than not answering."""
    withdrawals = Withdrawals(file)
    withdrawals.add(act("d"))
    assert withdrawals.now()
    if damage == "gone":
        file.unlink()
    else:
        file.write_text('{"v": 1, "act": "withdraw"}\n', encoding="utf-8")
    with pytest.raises(CorpusError, match="withdrawn guidance"):
        withdrawals.now()


def test_an_act_that_cannot_be_written_is_told() -> None:
    with pytest.raises(CorpusError, match="could not write"):
        Withdrawals(Path("/proc/nowhere/withdrawals.jsonl")).add(act("d"))


@pytest.mark.parametrize("why", ["", "  ", "x", "y" * 501])
def test_a_withdrawal_without_a_reason_is_refused(why: str) -> None:
    with pytest.raises(ValidationError):
        act("d", why=why)


def test_an_empty_record_is_false() -> None:
    assert not Withdrawn(())


def test_the_name_of_the_file_is_on_disk_too_before_an_act_is_confirmed(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    Withdrawals(file).add(act("d"))
    assert synced[:2] == [file, file.parent]


def without_the_last(body: bytes) -> bytes:
    return b"".join(body.splitlines(keepends=True)[:-1])


def of_another(body: bytes) -> bytes:
    return body.replace(b'"e"', b'"f"')


@pytest.mark.parametrize("change", [None, without_the_last, of_another], ids=["gone", "older-backup", "another"])
def test_a_fresh_process_notices_lost_acts_and_takes_the_whole_file_again(
    file: Path, tmp_path: Path, change: Callable[[bytes], bytes] | None
) -> None:
    for name in ("d", "e"):
        Withdrawals(file).add(act(name))
    whole = file.read_bytes()
    file.unlink()
    if change is not None:
        file.write_bytes(change(whole))
    for use in (Withdrawals(file).now, Withdrawals(file).secure, lambda: Withdrawals(file).add(act("g"))):
        with pytest.raises(CorpusError, match=r"2 were on record.*backup.*--accept-loss"):
            use()
    with pytest.raises(CorpusError, match="backup"):
        open_searcher(tmp_path / "index", encoder=HashingEncoder(), withdrawals=Withdrawals(file))
    file.write_bytes(whole)
    assert set(Withdrawals(file).now().documents) == {"d", "e"}


def test_a_loss_is_accepted_only_when_somebody_says_so(file: Path) -> None:
    withdrawals = Withdrawals(file)
    withdrawals.add(act("d"))
    withdrawals.add(act("e"))
    file.write_bytes(without_the_last(file.read_bytes()))
    assert Withdrawals(file).accept_loss() == 1
    assert set(Withdrawals(file).now().documents) == {"d"}
    file.unlink()
    assert Withdrawals(file).accept_loss() == 1
    assert not Withdrawals(file).now()
    Withdrawals(file).add(act("g"))
    assert set(Withdrawals(file).now().documents) == {"g"}


def test_a_record_from_before_is_secured_by_the_next_build(file: Path) -> None:
    Withdrawals(file).add(act("d"))
    extent = file.with_name("withdrawals.extent.json")
    extent.unlink()
    assert set(Withdrawals(file).secure().documents) == {"d"}
    file.unlink()
    with pytest.raises(CorpusError, match="1 were on record"):
        Withdrawals(file).now()
    extent.write_text("{", encoding="utf-8")
    with pytest.raises(CorpusError, match="damaged"):
        Withdrawals(file).now()


def test_an_act_that_a_crash_left_unnoted_is_no_loss(file: Path) -> None:
    Withdrawals(file).add(act("d"))
    extent = file.with_name("withdrawals.extent.json")
    before = extent.read_bytes()
    Withdrawals(file).add(act("e"))
    extent.write_bytes(before)
    assert set(Withdrawals(file).now().documents) == {"d", "e"}
