"""`kill -9` of the service while clinicians ask and judge, and a restart: no stored message or feedback is lost."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from agent import read_journal, read_judgements

ROOT = Path(__file__).parents[3]
QUESTION = "What dose of examplicillin for an adult with example fever?"


@contextmanager
def running(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The service, killed at the end if it was not before."""
    command = [sys.executable, str(Path(__file__).parent / "service_child.py"), str(data_dir)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    try:
        yield child, f"http://localhost:{child.stdout.readline().strip()}"
    finally:
        child.kill()
        child.communicate(timeout=30)


#: What was confirmed: a question by the first event, an answer as JSON, one by `done` of its stream, and feedback.
KINDS = ("asked", "answered", "done", "judged")
Kept = list[tuple[str, str, dict[str, object]]]


async def clinician(http: httpx2.AsyncClient, number: int, kept: Kept, judging: asyncio.Event) -> None:
    """Asks, streamed or whole, and judges, until the connection breaks; notes what was confirmed, as it was."""
    try:
        conversation = (await http.post("/v1/conversations", json={})).json()["id"]
        for turn in range(1000):
            body = {"question": f"{QUESTION} {number}.{turn}", "conversation_id": conversation}
            streamed = (number + turn) % 2 == 0
            accept = "text/event-stream" if streamed else "application/json"
            async with http.stream("POST", "/v1/ask", json=body, headers={"accept": accept}) as response:
                first = True
                lines = []
                async for line in response.aiter_lines():
                    if first and streamed:
                        kept.append(("asked", conversation, body))  # something came: the question is kept
                    first = False
                    lines.append(line)
                    if line.startswith('data: {"v":1,"type":"done"'):
                        result = json.loads(line.removeprefix("data: "))["result"]
                        kept.append(("done", conversation, result))  # at once, not when the stream is over
            if not streamed:
                result = json.loads("".join(lines))
                kept.append(("answered", conversation, result))
            judged = {"thumbs": "down", "reasons": ["outdated"], "comment": result["rollout_id"]}
            said = await http.post("/v1/feedback", json={"rollout_id": result["rollout_id"], "feedback": judged})
            if said.status_code == 204:
                kept.append(("judged", conversation, {"rollout_id": result["rollout_id"]}))
                if {"answered", "done"} <= {kind for kind, _, _ in kept}:
                    judging.set()
    except (httpx2.HTTPError, ValueError, KeyError, IndexError):
        return  # killed in the middle


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2))
async def test_nothing_confirmed_is_lost(tmp_path: Path, seed: int) -> None:
    moment = random.Random(seed).uniform(0.05, 1.5)
    kept: Kept = []
    judging = asyncio.Event()
    with running(tmp_path) as (child, address):
        async with httpx2.AsyncClient(base_url=address, timeout=60) as http:
            await http.get("/")
            cookies = dict(http.cookies)
            clinicians = [asyncio.create_task(clinician(http, number, kept, judging)) for number in range(4)]
            await asyncio.wait_for(judging.wait(), 120)
            await asyncio.sleep(moment)
            child.kill()
            await asyncio.gather(*clinicians)
    with running(tmp_path) as (_, address):
        async with httpx2.AsyncClient(base_url=address, timeout=60, cookies=cookies) as http:
            found = {}
            listed = (await http.get("/v1/conversations")).json()["conversations"]
            for info in listed:
                whole = (await http.get(f"/v1/conversations/{info['id']}")).json()
                for turn in whole["asked"]:
                    found[info["id"], turn["question"]] = turn
                    found[info["id"], turn["rollout_id"]] = turn
                    assert turn["state"] in ("asked", "answered")
    for kind, conversation, said in kept:
        if kind == "asked":
            assert (conversation, said["question"]) in found
            continue
        turn = found[conversation, said["rollout_id"]]
        if kind in ("answered", "done"):
            assert turn["result"] == said
        else:
            assert turn["feedback"]["comment"] == said["rollout_id"]
    counted = {kind: sum(1 for named, _, _ in kept if named == kind) for kind in KINDS}
    assert min(counted.values()) >= 1, counted
    # Each is joined to its run, and the journal knows what was said of it.
    said_of = read_judgements(tmp_path / "rollouts")
    runs = {run.rollout_id for run in read_journal(tmp_path / "rollouts")}
    for kind, _, said in kept:
        if kind in ("answered", "done"):
            assert said["rollout_id"] in runs
        if kind == "judged":
            assert said_of[said["rollout_id"]].thumbs == "down"  # type: ignore[index]
