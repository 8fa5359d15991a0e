"""`clinsearch mcp --http` as a process of its own: the same tools, and who may reach them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from mcp import MCPError

from service.middleware import MAX_BODY_BYTES

from ..cli.invoking import run
from ..cli.scripted_server import ScriptedHandler
from .serving import KEY, MODES, QUESTION, Told, connected, eventually, runs, structured

JSON = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
SIGNED = {**JSON, "authorization": f"Bearer {KEY}"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.mark.parametrize("mode", MODES)
async def test_every_tool_works_and_clients_are_served_side_by_side(url: str, data_dir: Path, mode: str) -> None:
    before = len(runs(data_dir))
    told = Told()

    async def one(number: int) -> str:
        async with connected(url, mode) as client:
            found = structured(await client.call_tool("search_guidelines", {"query": "nitrofurantoin", "limit": 1}))
            await client.call_tool("get_recommendation", {"id": found["recommendations"][0]["id"]})
            answer = await client.call_tool("ask", {"question": f"{QUESTION} {number}"}, progress_callback=told)
            assert structured(answer)["kind"] == "answer"
            return str(structured(answer)["rollout_id"])

    assert len(set(await asyncio.gather(*(one(number) for number in range(4))))) == 4
    assert "A sentence was verified." in told.messages
    assert sorted(runs(data_dir)[before:]) == ["completed"] * 4


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("slow_model")
async def test_a_call_that_is_given_up_stops_its_run(url: str, data_dir: Path, mode: str) -> None:
    before = len(runs(data_dir))
    async with connected(url, mode) as client:
        with pytest.raises(MCPError):
            await client.call_tool("ask", {"question": QUESTION}, read_timeout_seconds=0.5)
        assert await eventually(lambda: runs(data_dir)[before:] == ["aborted"])
        assert structured(await client.call_tool("search_guidelines", {"query": "asthma", "limit": 1}))


async def test_new_clients_get_no_session_and_old_ones_do(url: str) -> None:
    opening = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    async with httpx2.AsyncClient(headers=SIGNED) as http:
        first = await http.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": opening})
        assert first.status_code == 200
        session = first.headers["mcp-session-id"]
        ended = await http.delete(url, headers={"mcp-session-id": session})
        assert ended.status_code == 200
        gone = await http.post(url, json=LIST, headers={"mcp-session-id": session})
        assert gone.status_code == 404
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        alone = await http.post(
            url,
            json={**LIST, "params": {"_meta": meta}},
            headers={"mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list"},
        )
    assert alone.status_code == 200, alone.text
    assert len(alone.json()["result"]["tools"]) == 3
    assert "mcp-session-id" not in alone.headers


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        (JSON, 401, "key_needed"),
        ({**JSON, "authorization": "Bearer of another key that is long"}, 401, "key_needed"),
        ({**JSON, "authorization": KEY}, 401, "key_needed"),
        ({**SIGNED, "origin": "https://evil.example"}, 403, "origin_not_allowed"),
        ({**SIGNED, "origin": "http://localhost:3000"}, 403, "origin_not_allowed"),
        ({**SIGNED, "origin": "null"}, 403, "origin_not_allowed"),
        ({**SIGNED, "host": "rebound.example"}, 421, "host_not_allowed"),
    ],
    ids=["no key", "another key", "no scheme", "origin", "local page", "opaque page", "rebound name"],
)
async def test_who_may_not_is_told_so(url: str, headers: dict[str, str], status: int, code: str) -> None:
    async with httpx2.AsyncClient() as http:
        refused = await http.post(url, json=LIST, headers=headers)
        allowed = await http.options(url, headers={**headers, "access-control-request-method": "POST"})
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert refused.headers["content-type"] == "application/problem+json"
    assert (refused.headers.get("www-authenticate") == "Bearer") == (status == 401)
    for response in (refused, allowed):
        assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_the_official_client_without_the_key_gets_nowhere(url: str) -> None:
    with pytest.raises(BaseExceptionGroup) as refused:  # the SDK's tasks end together
        async with connected(url, "legacy", key="another key that is long"):
            pass
    assert refused.group_contains(MCPError)


async def test_bodies_that_are_none_are_refused_and_the_server_goes_on(url: str) -> None:
    async with httpx2.AsyncClient(headers=SIGNED) as http:
        for content in (b"", b"{", b"[]", b"\xff\xfe", b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":7}'):
            refused = await http.post(url, content=content)
            assert 400 <= refused.status_code < 500, (content, refused.text)
            assert "Traceback" not in refused.text
        large = await http.post(url, content=b" " * (MAX_BODY_BYTES + 1))
        assert (large.status_code, large.json()["code"]) == (413, "request_too_large")

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(MAX_BODY_BYTES // 65_536 + 1):
                yield b" " * 65_536

        assert (await http.post(url, content=pieces())).status_code == 413
    async with connected(url, "auto") as client:
        assert len((await client.list_tools()).tools) == 3


async def test_log_and_metrics_know_what_happened_and_nothing_that_was_asked(
    url: str, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connected(url, "auto") as client:
        structured(await client.call_tool("ask", {"question": "Mrs Example, lower urinary tract infection?"}))
        monkeypatch.setattr(ScriptedHandler, "delay_s", 8.0)
        with pytest.raises(MCPError):
            await client.call_tool("ask", {"question": "Mrs Example again?"}, read_timeout_seconds=0.5)
    async with httpx2.AsyncClient() as http:
        await http.post(url, json=LIST, headers=JSON)
        metrics = (await http.get(url.removesuffix("/mcp") + "/metrics")).text
    for status in (200, 401, 499):
        assert f'clinsearch_http_requests_total{{method="POST",route="/mcp",status="{status}"}}' in metrics
    said = lines(log)
    for line in ("ask ok", "ask cancelled", "POST /mcp 200", "POST /mcp 401", "POST /mcp 499"):
        assert line in said
    # A call that was given up is no failure.
    for word in ("Example", "urinary", KEY, "Traceback", "ERROR", "/mcp 500"):
        assert word not in said


def lines(log: Path) -> str:
    return log.read_text()


def test_beyond_this_machine_it_needs_a_key(environment: dict[str, str]) -> None:
    refused = run(environment, "mcp", "--http", "--host", "0.0.0.0")  # noqa: S104 - it is refused
    assert refused.exit_code == 1
    assert "CLINSEARCH_MCP_KEY" in refused.output
    short = run({**environment, "CLINSEARCH_MCP_KEY": "short"}, "mcp", "--http")
    assert short.exit_code == 1
    assert "CLINSEARCH_MCP_KEY is wrong" in short.output
    assert "short" not in short.output
