"""The measurement of event streams, small: every stream opens, cancelling frees the model, memory has a bound."""

from __future__ import annotations

import asyncio
import math

import httpx2
import pytest

from eval.bench_streams import StreamBench, run_stream_bench
from eval.held_model import HeldModelServer

BODY = {"model": "clinsearch", "messages": [{"role": "user", "content": "Which one?"}]}


@pytest.mark.slow
@pytest.mark.parametrize("arrivals_per_s", [20, math.inf])
def test_streams_open_together_and_those_cancelled_free_their_model_calls(arrivals_per_s: float) -> None:
    """Times are not looked at: the machine that tests has other things to do."""
    bench = run_stream_bench(streams=24, cancel=10, arrivals_per_s=arrivals_per_s)
    assert bench.errors == 0
    assert (bench.cancelled, bench.finished) == (10, 14)
    assert bench.freed_s is not None, "calls of readers that left stayed open"
    # A stream holds at most 0.5 MB for its reader; the rest is the run, and what any process allocates ahead.
    assert bench.growth_mb < 4
    assert "24 open at once on one process" in bench.table()
    assert ("all asked in one instant" in bench.table()) is math.isinf(arrivals_per_s)


async def test_the_model_holds_answers_and_knows_who_hung_up() -> None:
    """Otherwise the measurement says that calls are gone which are not, or waits for ever."""
    model = HeldModelServer()
    url = await model.start()
    async with httpx2.AsyncClient(base_url=url, timeout=30) as http:
        assert (await http.get("/models")).json()["data"][0]["id"] == "clinsearch"
        assert (await http.post("/tokenize", json={})).status_code == 404
        decided = await http.post("/chat/completions", json={**BODY, "response_format": {}})
        assert '"action": "search"' in decided.json()["choices"][0]["message"]["content"]
        async with http.stream("POST", "/chat/completions", json={**BODY, "stream": True}) as first:
            pieces = first.aiter_bytes()  # held: a stream that nobody holds is closed
            await anext(pieces)
            answer = asyncio.create_task(http.post("/chat/completions", json={**BODY, "stream": True}))
            await _until(model, 2)
        await _until(model, 1)
        model.go.set()
        assert "[DONE]" in (await answer).text
    await model.close()
    assert model.open_answers == 0


async def _until(model: HeldModelServer, count: int) -> None:
    async with asyncio.timeout(30):
        while model.open_answers != count:  # noqa: ASYNC110 - what is waited for is in the server
            await asyncio.sleep(0.01)


def test_the_table_says_when_the_machine_was_busy() -> None:
    """Otherwise a figure of a busy machine is taken for one of the service."""
    bench = StreamBench(
        streams=500,
        arrivals_per_s=50,
        errors=0,
        finished=300,
        cancelled=200,
        freed_s=None,
        first_event_p50_ms=10,
        first_event_p95_ms=20,
        before_mb=100,
        most_mb=350,
        service_cpu_s=9.5,
        load_per_core=3,
        cpus=2,
    )
    assert bench.growth_mb == 0.5
    assert "busy" in bench.table()
    assert "gone after never" in bench.table()
    assert "busy" not in bench.model_copy(update={"load_per_core": 0.1}).table()
