"""The benchmark of rollouts compares equal work: the same requests, counted by what the server says it sampled."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from agent import Completion, CompletionRequest, Message, ModelIdentity, ScriptedModel
from agent.batch import BatchSettings, BatchTask, read_tasks
from agent.client import TextDelta
from agent.scripted import ByTurn
from eval.bench_rollouts import RolloutBench, RolloutLoad, run_rollout_bench
from eval.load import Load, replay, salted
from eval.paced import CHARS_PER_TOKEN, PacedModel
from retrieval import SearchRequest, memory_searcher

from ..starter import starter

REQUEST = CompletionRequest(messages=(Message(role="user", content="Which one?"),), max_tokens=50)
#: What the server below says it sampled in each call.
TOKENS = 7


class _Server(BaseHTTPRequestHandler):
    """An OpenAI-compatible server that samples as many tokens as it likes."""

    protocol_version = "HTTP/1.1"
    bodies: list[dict[str, object]]

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.bodies.append(body)
        messages = tuple(Message(role=m["role"], content=m["content"]) for m in body["messages"])
        text = ByTurn()(CompletionRequest(messages=messages, max_tokens=1, json_schema=body.get("response_format")))
        usage = {"prompt_tokens": 3, "completion_tokens": TOKENS, "total_tokens": 3 + TOKENS}
        base = {"id": "x", "created": 0, "model": body["model"]}
        if body.get("stream"):
            choice = {"index": 0, "delta": {"content": text}, "finish_reason": "length"}
            first = json.dumps({**base, "object": "chat.completion.chunk", "choices": [choice]})
            last = json.dumps({**base, "object": "chat.completion.chunk", "choices": [], "usage": usage})
            reply = f"data: {first}\n\ndata: {last}\n\ndata: [DONE]\n\n"
        else:
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            reply = json.dumps({**base, "object": "chat.completion", "choices": [choice], "usage": usage})
        data = reply.encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream" if body.get("stream") else "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    _Server.bodies = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


def paced(said: str) -> tuple[PacedModel, ScriptedModel, ScriptedModel]:
    deciding = ScriptedModel(['{"action": "decline"}'], identity=ModelIdentity(model="served"))
    writing = ScriptedModel(["something else entirely"])
    return PacedModel(ScriptedModel([said]), deciding, writing), deciding, writing


@pytest.mark.parametrize(
    "said", ["One", "A sentence that is rather longer than what the server says, and goes on [abc]."]
)
async def test_a_paced_model_says_what_the_other_says_for_as_many_tokens(said: str) -> None:
    model, _, writing = paced(said)
    items = [item async for item in model.stream(REQUEST, 5.0)]
    assert "".join(item.text for item in items if isinstance(item, TextDelta)) == said
    assert isinstance(items[-1], Completion)
    assert items[-1].text == said
    assert writing.requests[0].max_tokens == -(-len(said) // CHARS_PER_TOKEN)
    assert writing.requests[0].messages == REQUEST.messages


async def test_a_paced_decision_is_the_others_and_no_longer_than_allowed() -> None:
    model, deciding, _ = paced("x" * 1000)
    completion = await model.complete(REQUEST, 5.0)
    assert (completion.text, completion.finish_reason) == ("x" * 1000, "stop")
    assert deciding.requests[0].max_tokens == REQUEST.max_tokens
    assert model.identity.model == "served"


async def test_a_replay_sends_what_was_recorded_and_counts_what_the_server_sampled(url: str) -> None:
    message = [{"role": "user", "content": "q"}]
    recorded = [
        json.dumps({"model": "m", "messages": message, "stream": stream, "max_tokens": number}).encode()
        for number, stream in enumerate([True, False] * 5)
    ]
    load = await replay(f"{url}/chat/completions", salted(recorded, "run-1"), 3)
    assert (load.requests, load.prompt_tokens, load.completion_tokens) == (10, 30, 10 * TOKENS)
    assert load.decode_tokens_per_second == 10 * TOKENS / load.seconds
    assert sorted(str(body["max_tokens"]) for body in _Server.bodies) == [str(number) for number in range(10)]
    assert {body["cache_salt"] for body in _Server.bodies} == {"run-1"}


async def test_both_sides_ask_for_the_same_and_share_no_cache(url: str, tmp_path: Path) -> None:
    searcher = memory_searcher(starter()[:3])
    hit = searcher.search(SearchRequest(queries=("asthma",))).hits[0]
    row: dict[str, object] = {
        "id": "1",
        "kind": "answerable",
        "gold": [hit.passage.id],
        "queries": [hit.passage.text[:60]],
    }
    row |= {"question_source": "made", "licence": "CC0-1.0", "training_consent": False}
    file = tmp_path / "q.jsonl"
    lines = [json.dumps({**row, "question": f"What to give for asthma in case {number}?"}) for number in range(6)]
    file.write_text("\n".join(lines), encoding="utf-8")
    tasks = [task for task in read_tasks(file) if isinstance(task, BatchTask)]
    bench = await run_rollout_bench(url, "m", searcher, tasks, BatchSettings(concurrency=2), pairs=2)
    assert len(bench.pairs) == 2
    for pair in bench.pairs:
        assert pair.generated.requests == pair.plain.requests > 6
        assert pair.generated.completion_tokens == pair.plain.completion_tokens == pair.plain.requests * TOKENS
    assert "median ratio" in bench.table()
    salts = [str(body.pop("cache_salt")) for body in _Server.bodies]
    assert len(dict.fromkeys(salts)) == 5  # the warm-up and two pairs
    by_salt = {
        salt: sorted(json.dumps(body) for body, mine in zip(_Server.bodies, salts, strict=True) if mine == salt)
        for salt in salts
    }
    _, first_a, first_b, second_a, second_b = by_salt.values()
    assert first_a == first_b
    assert second_a == second_b


def test_the_figure_is_the_median_of_the_pairs() -> None:
    def load(seconds: float) -> Load:
        return Load(requests=1, prompt_tokens=1, completion_tokens=100, seconds=seconds, own_cpu_s=0.1)

    pairs = tuple(RolloutLoad(generated=load(seconds), plain=load(1.0)) for seconds in (1.25, 1.0, 2.0))
    assert RolloutBench(concurrency=1, pairs=pairs, load_before=0.0, cpus=2).ratio == 0.8
