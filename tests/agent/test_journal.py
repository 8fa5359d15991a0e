"""Invariant 3: killing the process at any byte loses no finished record."""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from agent import Journal, JournalError, ManualClock, Rollout, read_journal, read_segment
from agent.answer import Answer, AnswerKind, StopReason
from agent.client import Message
from agent.rollout import Outcome, Policy, Provenance, new_rollout_id


def rollout(words: str = "question") -> Rollout:
    return Rollout(
        rollout_id=new_rollout_id(),
        task_key="k",
        created_at="2026-01-01T00:00:00+00:00",
        policy=Policy(
            model="m",
            engine=None,
            adapter=None,
            template_sha256=None,
            prompt_sha256="p",
            temperature=0,
            seed=None,
            search_first=False,
        ),
        messages=(Message(role="user", content=words),),
        steps=(),
        retrieval=(),
        verdicts=(),
        answer=Answer(kind=AnswerKind.DECLINED, label=None),
        outcome=Outcome(status="completed", stop_reason=StopReason.DECLINED, searches=0),
        provenance=Provenance(producer="test", question_source="test", index_version="v"),
        duration_ms=1.5,
    )


def ids(directory: Path) -> list[str]:
    return [found.rollout_id for found in read_journal(directory)]


#: Forks once per offset; the child writes records until so many bytes are written and then dies in the
#: middle of a write. It acknowledges each record on a pipe only after `append` has returned.
KILLED = """
import json, os, random, sys
from pathlib import Path
from agent import Journal, Rollout
from agent.rollout import new_rollout_id

root, template = Path(sys.argv[1]), Rollout.model_validate_json(sys.stdin.read())
generator = random.Random(20261121)
size = len(template.model_dump_json()) + 1
for number in range(40):
    offset = generator.randrange(1, 8 * size)
    directory = root / str(number)
    reading, writing = os.pipe()
    if os.fork() == 0:
        written = 0
        def write(descriptor, data):
            global written
            if written + len(data) > offset:
                os.write(descriptor, data[: offset - written])
                os._exit(9)
            written += len(data)
            return os.write(descriptor, data)
        journal = Journal(directory, write=write, segment_bytes=3 * size)
        while True:
            record = template.model_copy(update={"rollout_id": new_rollout_id()})
            journal.append(record)
            os.write(writing, record.rollout_id.encode())
    os.close(writing)
    acknowledged = b""
    while part := os.read(reading, 4096):
        acknowledged += part
    os.close(reading)
    os.wait()
    text = acknowledged.decode()
    print(json.dumps([number, [text[i : i + 26] for i in range(0, len(text), 26)]]))
"""


@pytest.mark.slow
def test_killed_at_random_bytes_every_acknowledged_record_is_read_back(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)],
        input=rollout("x" * 500).model_dump_json(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(runs) == 40
    assert sum(len(acknowledged) for _, acknowledged in runs) > 60
    torn = 0
    for number, acknowledged in runs:
        directory = tmp_path / str(number)
        # All that was acknowledged; never half a record, and nothing else.
        assert sorted(ids(directory)) == sorted(acknowledged)
        segments = sorted(directory.glob("*.jsonl"))
        torn += not segments[-1].read_bytes().endswith(b"\n")
        with Journal(directory) as journal:  # life goes on after the crash
            kept = rollout()
            journal.append(kept)
        assert sorted(ids(directory)) == sorted([*acknowledged, kept.rollout_id])
    assert torn > 20, "the test must have torn lines"


def test_a_file_cut_at_every_byte_reads_as_its_whole_lines(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        written = [rollout("ä 🤒\n\u2028 end"), rollout()]
        for record in written:
            journal.append(record)
    (segment,) = tmp_path.glob("*.jsonl")
    data = segment.read_bytes()
    first = data.index(b"\n") + 1
    cut = tmp_path / "cut"
    for size in [*range(0, len(data), 7), first - 1, first, first + 1, len(data) - 1, len(data)]:
        cut.write_bytes(data[:size])
        whole = 2 if size == len(data) else 1 if size >= first else 0
        assert list(read_segment(cut)) == written[:whole]


def test_segments_rotate_by_size_and_are_read_in_order(tmp_path: Path) -> None:
    records = [rollout(f"{i}") for i in range(9)]
    size = len(records[0].model_dump_json()) + 1
    with Journal(tmp_path, segment_bytes=2 * size) as journal:
        for record in records:
            journal.append(record)
    segments = list(tmp_path.glob("*.jsonl"))
    assert len(segments) == 5
    assert all(path.stat().st_size <= 2 * size for path in segments)
    assert sorted(ids(tmp_path)) == sorted(record.rollout_id for record in records)


def test_records_are_read_in_the_order_they_were_written_however_quickly_segments_follow(tmp_path: Path) -> None:
    records = [rollout(f"{i}") for i in range(60)]
    with Journal(tmp_path, segment_bytes=1) as journal:
        for record in records:
            journal.append(record)
    assert ids(tmp_path) == [record.rollout_id for record in records]


def test_a_record_larger_than_a_segment_is_kept(tmp_path: Path) -> None:
    with Journal(tmp_path, segment_bytes=10) as journal:
        journal.append(rollout("a"))
        journal.append(rollout("b" * 1000))
    assert len(ids(tmp_path)) == 2


class Failing:
    """A disk that fails at one write."""

    def __init__(self, at: int, fail: Callable[[int, bytes], int]) -> None:
        self._at = at
        self._fail = fail
        self.calls = 0

    def __call__(self, descriptor: int, data: bytes) -> int:
        self.calls += 1
        return self._fail(descriptor, data) if self.calls == self._at else os.write(descriptor, data)


def no_space(descriptor: int, data: bytes) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def half(descriptor: int, data: bytes) -> int:
    return os.write(descriptor, data[: len(data) // 2])


def nothing(descriptor: int, data: bytes) -> int:
    return 0


@pytest.mark.parametrize("fail", [no_space, half, nothing])
def test_a_full_disk_is_told_and_what_follows_is_kept(tmp_path: Path, fail: Callable[[int, bytes], int]) -> None:
    with Journal(tmp_path, write=Failing(2, fail)) as journal:
        first, lost, after = rollout("first"), rollout("secret"), rollout("after")
        journal.append(first)
        with pytest.raises(JournalError) as caught:
            journal.append(lost)
        assert "secret" not in str(caught.value)
        journal.append(after)
        journal.append(rollout("more"))
    found = ids(tmp_path)
    assert len(found) == 3
    assert first.rollout_id in found
    assert after.rollout_id in found


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(JournalError, match="rollouts"):
        Journal(tmp_path / "file" / "rollouts").append(rollout())


def test_text_no_file_can_hold_is_told_and_what_follows_is_kept(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        with pytest.raises(JournalError):
            journal.append(rollout("half a pair: \ud800"))
        journal.append(rollout())
    assert len(ids(tmp_path)) == 1


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    wanted: list[str] = []

    def work() -> None:
        with Journal(tmp_path, segment_bytes=20_000) as journal:
            for _ in range(60):
                record = rollout("y" * 200)
                journal.append(record)
                wanted.append(record.rollout_id)

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(ids(tmp_path)) == sorted(wanted)
    assert len(wanted) == 120


def test_an_unknown_schema_version_is_a_clear_error(tmp_path: Path) -> None:
    line = rollout("secret").model_dump_json().replace("rollout.v1", "rollout.v9")
    path = tmp_path / "rollouts-A.jsonl"
    path.write_text(rollout().model_dump_json() + "\n" + line + "\n")
    reading = read_journal(tmp_path)
    next(reading)
    with pytest.raises(JournalError, match=r"rollouts-A\.jsonl line 2: schema.*rollout\.v1") as caught:
        next(reading)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("line", [b"{}\n", b"\n", b"not json\n", b"\xff\xfe\n", b"[]\n"])
def test_a_whole_line_that_is_no_record_names_file_and_line(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "rollouts-B.jsonl").write_bytes(line)
    with pytest.raises(JournalError, match=r"rollouts-B\.jsonl line 1"):
        list(read_journal(tmp_path))


def test_only_the_owner_can_read_what_a_clinician_typed_invariant_8(tmp_path: Path) -> None:
    with Journal(tmp_path / "rollouts") as journal:
        journal.append(rollout())
    (path,) = (tmp_path / "rollouts").glob("*.jsonl")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_records_are_readable_before_the_journal_is_closed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, clock=ManualClock())
    journal.append(rollout())
    assert len(ids(tmp_path)) == 1
    journal.close()
    journal.close()


def test_an_empty_or_missing_directory_holds_no_records(tmp_path: Path) -> None:
    assert ids(tmp_path) == []
    assert ids(tmp_path / "none") == []
