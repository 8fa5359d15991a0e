"""`clinsearch mcp` as a client starts it: a process of its own, spoken to over its standard input and output."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from mcp import MCPError

from ..cli.invoking import run
from ..cli.scripted_server import ScriptedHandler
from .serving import COMMAND, MODES, QUESTION, Told, eventually, runs, started, structured

pytestmark = pytest.mark.slow

OPENING: dict[str, object] = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


@pytest.mark.parametrize("mode", MODES)
async def test_the_tools_work_side_by_side_and_a_call_that_is_given_up_stops_its_run(
    environment: dict[str, str], data_dir: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = len(runs(data_dir))
    told = Told()

    async with started(environment, mode) as client:
        found = structured(await client.call_tool("search_guidelines", {"query": "nitrofurantoin", "limit": 1}))
        (first,) = found["recommendations"]
        opened = structured(await client.call_tool("get_recommendation", {"id": first["id"]}))
        answers = await asyncio.gather(
            *(client.call_tool("ask", {"question": f"{QUESTION} {n}"}, progress_callback=told) for n in range(6)),
            client.call_tool("search_guidelines", {"query": "asthma"}),
        )
        assert sorted(runs(data_dir)[before:]) == ["completed"] * 6
        monkeypatch.setattr(ScriptedHandler, "delay_s", 8.0)
        with pytest.raises(MCPError):
            await client.call_tool("ask", {"question": QUESTION}, read_timeout_seconds=0.5)
        assert await eventually(lambda: runs(data_dir)[before + 6 :] == ["aborted"])
        # The server goes on.
        assert structured(await client.call_tool("search_guidelines", {"query": "asthma", "limit": 1}))
    assert opened["text"] == first["text"]
    assert opened["url"].startswith("https://")
    assert "not for patient care" in opened["notice"].lower()
    results = [structured(answer) for answer in answers[:6]]
    assert {result["kind"] for result in results} == {"answer"}
    assert len({result["rollout_id"] for result in results}) == 6
    assert "A sentence was verified." in told.messages


@pytest.mark.usefixtures("slow_model")
def test_nothing_but_the_protocol_is_written_and_nothing_asked_is_logged(
    environment: dict[str, str], data_dir: Path
) -> None:
    """Also: a run in progress ends with its client."""
    before = len(runs(data_dir))
    asked = {"name": "ask", "arguments": {"question": "Mrs Example, a rash?"}}
    searched = {"name": "search_guidelines", "arguments": {"query": "Mrs Example", "limit": "many"}}
    messages: list[dict[str, object]] = [
        OPENING,
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": searched},
        {"jsonrpc": "2.0", "id": 3, "method": "tools/call", "params": asked},
    ]
    lines = [*(json.dumps(message) for message in messages), "Mrs Example is not JSON", ""]
    ScriptedHandler.asked.clear()
    pipe = subprocess.PIPE
    with subprocess.Popen(
        COMMAND, env={**os.environ, **environment}, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as server:
        assert server.stdin
        server.stdin.write("\n".join(lines))
        server.stdin.flush()
        assert asyncio.run(eventually(lambda: bool(ScriptedHandler.asked), within_s=30))
        written, logged = server.communicate(timeout=30)
    assert server.returncode == 0, logged
    replies = [json.loads(line) for line in written.splitlines()]
    assert all(reply["jsonrpc"] == "2.0" for reply in replies)
    by_id = {reply.get("id"): reply for reply in replies}
    assert by_id[1]["result"]["serverInfo"]["name"] == "clinsearch"
    assert by_id[2]["result"]["isError"] is True
    assert "limit: Input should be a valid integer" in by_id[2]["result"]["content"][0]["text"]
    assert "search_guidelines invalid_arguments" in logged
    assert "Example" not in logged
    assert "Traceback" not in logged
    assert runs(data_dir)[before:] == ["aborted"]


def test_ctrl_c_ends_it(environment: dict[str, str]) -> None:
    values, pipe = {**os.environ, **environment}, subprocess.PIPE
    with subprocess.Popen(COMMAND, env=values, stdin=pipe, stdout=pipe, stderr=pipe) as server:
        assert server.stdin
        assert server.stdout
        assert server.stderr
        server.stdin.write(json.dumps(OPENING).encode() + b"\n")
        server.stdin.flush()
        assert json.loads(server.stdout.readline())["id"] == 1
        server.send_signal(signal.SIGINT)
        try:
            server.wait(10)
        finally:
            server.kill()
        assert b"Traceback" not in server.stderr.read()


def test_without_an_index_it_says_what_to_do_on_standard_error(tmp_path: Path) -> None:
    result = run({"CLINSEARCH_DATA_DIR": str(tmp_path), "CLINSEARCH_ENCODER": "hashing"}, "mcp")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "index build" in result.stderr
