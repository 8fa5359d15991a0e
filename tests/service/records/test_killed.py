"""A process that keeps records, killed at many moments: what it confirmed is there, and nothing is half."""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from agent import RolloutId
from service.records import ConversationId, Reason, TurnState, UnknownConversationError, open_records

from .conftest import ME, summary

ROOT = Path(__file__).parents[3]

#: Writes without end; says what is kept only after the call returned. Two threads, so that writes meet.
WRITER = """
import json, sys, threading
from pathlib import Path
from agent import RunSummary, new_rollout_id
from service.records import Feedback, OwnerId, Reason, TurnState, open_records

records = open_records(None, Path(sys.argv[1]))
template = RunSummary.model_validate_json(sys.argv[2])
me = OwnerId("a" * 64)
lock = threading.Lock()

def say(*what):
    with lock:
        sys.stdout.write(json.dumps(what) + "\\n")
        sys.stdout.flush()

def work():
    while True:
        conversation = records.create(me).id
        say("created", conversation)
        for number in range(3):
            rollout = new_rollout_id()
            records.begin_turn(me, conversation, rollout, f"Question {number} of {rollout}?")
            say("asked", conversation, rollout)
            records.finish_turn(rollout, template.model_copy(update={"rollout_id": rollout}))
            say("answered", conversation, rollout)
            records.rate(me, rollout, Feedback(thumbs="down", reasons=(Reason.WRONG,), comment=rollout))
            say("rated", conversation, rollout)
        if int(rollout[-1], 36) % 3 == 0:
            say("deleting", conversation)
            records.delete(me, conversation)
            say("deleted", conversation)

for _ in range(2):
    threading.Thread(target=work).start()
"""


def killed_after(file: Path, delay_s: float) -> list[list[str]]:
    """What the writer confirmed before it was killed, `delay_s` after its first confirmation."""
    template = summary(RolloutId("0" * 26)).model_dump_json()
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(file), template], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert child.stdout is not None
    said = [child.stdout.readline()]
    time.sleep(delay_s)
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate(timeout=30)
    lines = [*said, *rest.split("\n")[:-1]]  # a line that the kill cut off was not read by anybody
    return [json.loads(line) for line in lines]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_killed_at_a_random_moment_nothing_confirmed_is_lost(tmp_path: Path, seed: int) -> None:
    file = tmp_path / "records.sqlite"
    generator = random.Random(seed)
    confirmed: list[list[str]] = []
    for _ in range(2):  # killed, started again on what the kill left, killed again
        confirmed += killed_after(file, generator.uniform(0.02, 0.5))
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    records = open_records(None, file)
    deleted = {conversation for kind, conversation, *_ in confirmed if kind == "deleted"}
    # A deletion that was begun may have happened without having been confirmed.
    perhaps = {conversation for kind, conversation, *_ in confirmed if kind == "deleting"}
    turns = {}
    for name in {conversation for _, conversation, *_ in confirmed}:
        try:
            asked = records.get(ME, ConversationId(name)).asked
        except UnknownConversationError:
            assert name in perhaps
            continue
        assert name not in deleted
        for turn in asked:
            turns[turn.rollout_id] = turn
            # Whole, or not there at all.
            assert turn.question.endswith(f"{turn.rollout_id}?")
            assert turn.result == (summary(turn.rollout_id) if turn.state is TurnState.ANSWERED else None)
            assert turn.feedback is None or turn.feedback.comment == turn.rollout_id
    counted = 0
    for kind, conversation, *rollout in confirmed:
        if conversation in perhaps or not rollout:
            continue
        counted += 1
        turn = turns[RolloutId(rollout[0])]
        if kind in ("answered", "rated"):
            assert turn.state is TurnState.ANSWERED
        if kind == "rated":
            assert turn.feedback is not None
            assert turn.feedback.reasons == (Reason.WRONG,)
    assert counted > 5, "the writer was killed before it wrote anything worth keeping"
    # What the journal of runs is to be told was kept in the same transactions.
    told = {item.rollout_id for item in records.pending(100_000) if item.kind == "judge"}
    assert {RolloutId(rollout[0]) for kind, _, *rollout in confirmed if kind == "rated"} <= told
    records.close()
