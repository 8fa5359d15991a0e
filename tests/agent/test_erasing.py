"""Words taken out of recorded runs. Else a deleted conversation is still on the disk, or a kept run is lost."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent import Journal, Rollout, RolloutId, answers_citing, new_rollout_id, read_journal
from agent.answer import Answer, AnswerKind, Citation, Sentence
from agent.client import Message, Usage
from agent.erasing import erase_runs, without_words
from agent.gate import Verdict
from agent.rollout import RetrievalEntry, RetrievedPassage, RolloutStep, Timing
from retrieval import DocumentId, PassageId, PassageKind, SearchFilters, Withdrawal

from .test_journal import rollout
from .test_judgements import AT, consented

SECRET = "Mrs Exampleton"
PASSAGE = PassageId("test/fever/0")


def full(words: str = SECRET) -> Rollout:
    """A run with the words everywhere that words can be."""
    hit = RetrievedPassage(
        document_id="test/fever",
        passage_id=PASSAGE,
        key="abc",
        rank=1,
        score=1.0,
        bm25_rank=1,
        dense_rank=None,
        text_sha256="0",
    )
    citation = Citation(
        number=1,
        passage_id=PASSAGE,
        document_id=DocumentId("test/fever"),
        kind=PassageKind.RECOMMENDATION,
        condition=None,
        text="Give examplicillin.",
        strength=None,
        certainty=None,
        population=None,
        contraindications=(),
        title="Example fever",
        publisher="Test Society",
        year=None,
        region="GB",
        url=None,
        notice=None,
    )
    step = RolloutStep(
        i=0,
        kind="decide",
        prompt_messages=1,
        prompt_token_ids=(1, 2),
        token_ids=(3,),
        logprobs=None,
        finish_reason="stop",
        usage=Usage(),
        t=Timing(total_ms=1),
    )
    return consented().model_copy(
        update={
            "rollout_id": new_rollout_id(),
            "task_key": words,
            "filters": SearchFilters(publishers=(words,)),
            "messages": (Message(role="user", content=words),),
            "steps": (step,),
            "retrieval": (
                RetrievalEntry(
                    step=0, source="guidelines", queries=(words,), index_version="v", hits=(hit,), total_ms=1
                ),
            ),
            "verdicts": (Verdict(text=words, keys=("abc",), shown=True, detail=words),),
            "answer": Answer(
                kind=AnswerKind.WRITTEN,
                label=words,
                sentences=(Sentence(text=words, citations=(1,)),),
                citations=(citation,),
            ),
        }
    )


def everything(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.iterdir())


def test_no_field_of_a_record_keeps_the_words() -> None:
    erased = without_words(full())
    assert SECRET not in erased.model_dump_json()
    assert erased.erased
    assert not erased.provenance.training_consent
    assert not erased.steps, "token ids are words too"
    assert Rollout.model_validate_json(erased.model_dump_json()) == erased


def test_runs_are_erased_in_every_segment_and_the_others_stay_byte_for_byte(tmp_path: Path) -> None:
    gone = [full() for _ in range(3)]
    kept = [full("ordinary") for _ in range(6)]
    size = 2 * len(kept[0].model_dump_json())
    with Journal(tmp_path, segment_bytes=size) as journal:
        for run in (kept[0], gone[0], kept[1], kept[2], gone[1], gone[2], *kept[3:]):
            journal.append(run)
        erased = journal.erase({run.rollout_id for run in gone} | {new_rollout_id()})
        assert erased.found == {run.rollout_id for run in gone}
        assert erased.passed_over == 0
        assert SECRET.encode() not in everything(tmp_path)
        after = full("after")
        journal.append(after)  # what is written next is not lost to the change
    found = {run.rollout_id: run for run in read_journal(tmp_path)}
    assert len(found) == 10
    assert all(found[run.rollout_id] == run for run in (*kept, after))
    assert all(found[run.rollout_id] == without_words(run) for run in gone)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_who_was_shown_withdrawn_guidance_is_still_known(tmp_path: Path) -> None:
    run = full()
    with Journal(tmp_path) as journal:
        journal.append(run)
        journal.erase({run.rollout_id})
    act = Withdrawal(kind="passage", id=PASSAGE, why="the dose is wrong", who="a test", at=AT)
    assert [answer.rollout_id for answer in answers_citing(tmp_path, act)] == [run.rollout_id]


def test_a_torn_line_with_the_words_goes_and_one_of_another_run_stays(tmp_path: Path) -> None:
    whole, torn = full("ordinary"), full()
    lines = whole.model_dump_json().encode() + b"\n"
    (tmp_path / "rollouts-1.jsonl").write_bytes(lines + torn.model_dump_json().encode()[:-10])
    erase_runs(tmp_path, {torn.rollout_id})
    assert (tmp_path / "rollouts-1.jsonl").read_bytes() == lines
    (tmp_path / "rollouts-2.jsonl").write_bytes(lines + b'{"schema":"rollout.v1","roll')
    before = (tmp_path / "rollouts-2.jsonl").read_bytes()
    erase_runs(tmp_path, {torn.rollout_id})
    assert (tmp_path / "rollouts-2.jsonl").read_bytes() == before


def test_a_segment_that_another_process_writes_is_passed_over_and_told(tmp_path: Path) -> None:
    """Taking its file away would lose what that process writes next."""
    run = full()
    with Journal(tmp_path) as other:
        other.append(run)
        erased = erase_runs(tmp_path, {run.rollout_id})
        assert (erased.found, erased.passed_over) == (frozenset(), 1)
    assert erase_runs(tmp_path, {run.rollout_id}).found == {run.rollout_id}


def test_an_id_in_the_words_of_another_run_erases_nothing(tmp_path: Path) -> None:
    gone = full()
    quoting = full(f"What about {gone.rollout_id}?")
    with Journal(tmp_path) as journal:
        journal.append(quoting)
        assert journal.erase({gone.rollout_id}).found == frozenset()
    assert list(read_journal(tmp_path)) == [quoting]


def test_what_is_no_record_is_left_for_validation_to_name(tmp_path: Path) -> None:
    run = full()
    strange = f'{{"rollout_id": "{run.rollout_id}"}}\n'.encode()
    (tmp_path / "rollouts-1.jsonl").write_bytes(strange)
    assert erase_runs(tmp_path, {run.rollout_id}).found == frozenset()
    assert (tmp_path / "rollouts-1.jsonl").read_bytes() == strange


def test_runs_written_while_others_are_erased_are_all_kept(tmp_path: Path) -> None:
    gone = [full() for _ in range(20)]
    kept = [rollout(str(number)) for number in range(200)]
    with Journal(tmp_path, segment_bytes=20_000) as journal:
        for run in gone:
            journal.append(run)

        def write() -> None:
            for run in kept:
                journal.append(run)

        writer = threading.Thread(target=write)
        writer.start()
        for run in gone:
            assert journal.erase({run.rollout_id}).found == {run.rollout_id}
        writer.join()
    assert {run.rollout_id for run in read_journal(tmp_path)} == {run.rollout_id for run in (*gone, *kept)}
    assert SECRET.encode() not in everything(tmp_path)


_KILLED = """
import os, sys
from pathlib import Path
import agent.erasing as erasing
real, calls = Path.replace, 0
def replace(self, target):
    global calls
    calls += 1
    if calls == int(sys.argv[3]):
        os.kill(os.getpid(), 9)
    return real(self, target)
Path.replace = replace
erasing.erase_runs(Path(sys.argv[1]), set(sys.argv[2].split(",")))
"""


@pytest.mark.slow
@pytest.mark.parametrize("call", [1, 2])
def test_killed_between_two_segments_no_run_is_lost_and_the_next_try_ends_it(tmp_path: Path, call: int) -> None:
    gone = [full() for _ in range(2)]
    with Journal(tmp_path, segment_bytes=10) as journal:
        for run in gone:
            journal.append(run)
    ids: list[RolloutId] = [run.rollout_id for run in gone]
    done = subprocess.run(
        [sys.executable, "-c", _KILLED, str(tmp_path), ",".join(ids), str(call)],
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == -9
    assert [run.rollout_id for run in read_journal(tmp_path)] == ids
    assert SECRET.encode() in everything(tmp_path)
    erase_runs(tmp_path, ids)
    assert SECRET.encode() not in everything(tmp_path)
    assert [run.rollout_id for run in read_journal(tmp_path)] == ids


def test_the_lock_of_a_dead_writer_does_not_stand_in_the_way(tmp_path: Path) -> None:
    run = full()
    with Journal(tmp_path) as journal:
        journal.append(run)
    (segment,) = tmp_path.iterdir()
    descriptor = os.open(segment, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.close(descriptor)
    assert erase_runs(tmp_path, {run.rollout_id}).found == {run.rollout_id}
