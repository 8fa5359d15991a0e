"""Invariant 8: traces say what happened and how long it took, and not a word of what was asked or answered."""

from __future__ import annotations

import asyncio
import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agent import ClinicalAgent, JournalError, ManualClock, MemoryJournal, Question, Rollout, ScriptedModel
from agent.errors import ModelStatusError, ModelUnavailableError
from agent.scripted import ANSWER, Reply, Script, cite_first, search
from retrieval import HybridSearcher

from .conftest import AskFunction, entries

SECRET = "Zebrafish Mrs Haddock with cystitis?"


@pytest.fixture(scope="session")
def session_exporter() -> InMemorySpanExporter:
    """OpenTelemetry takes one provider for the life of the process; add to it when another test set it."""
    exporter = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider()
        trace.set_tracer_provider(provider)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


@pytest.fixture
def exporter(session_exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    session_exporter.clear()
    yield session_exporter
    session_exporter.clear()


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name == name]


def everything(exporter: InMemorySpanExporter) -> str:
    return "\n".join(span.to_json() for span in exporter.get_finished_spans())


async def test_a_run_leaves_spans_with_genai_names(exporter: InMemorySpanExporter, ask: AskFunction) -> None:
    asked = await ask([search("cystitis"), ANSWER, cite_first])
    (run,) = named(exporter, "invoke_agent clinsearch")
    assert run.attributes is not None
    assert run.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert run.attributes["clinsearch.rollout_id"] == asked.summary.rollout_id
    assert run.attributes["clinsearch.stop_reason"] == "answered"
    decides = named(exporter, "chat decide")
    assert [span.attributes and span.attributes["clinsearch.action"] for span in decides] == ["search", "answer"]
    (found,) = named(exporter, "execute_tool search")
    assert found.attributes is not None
    assert found.attributes["gen_ai.operation.name"] == "execute_tool"
    assert found.attributes["clinsearch.search.hits"] == 5
    (answer,) = named(exporter, "chat answer")
    assert answer.attributes is not None
    assert answer.attributes["gen_ai.operation.name"] == "chat"
    assert answer.attributes["gen_ai.request.model"] == "scripted"
    (gate,) = named(exporter, "clinsearch.gate")
    assert gate.attributes is not None
    assert gate.attributes["clinsearch.gate.shown"] is True
    trace_ids = {span.context.trace_id for span in exporter.get_finished_spans() if span.context}
    assert len(trace_ids) == 1, "one question is one trace"


SCRIPTS: dict[str, list[Script]] = {
    "answered": [search("model words kingfisher"), ANSWER, cite_first],
    "withheld": [search("kingfisher"), ANSWER, "Kingfisher answer 5 mg [zzz]. Otherwise."],
    "nonsense": ["kingfisher nonsense"],
    "status": [Reply(error=ModelStatusError(400))],
    "down": [Reply(error=ModelUnavailableError("kingfisher in the message"))],
    "cut": [search("kingfisher"), ANSWER, Reply("Kingfisher text", break_after=10)],
}


@pytest.mark.parametrize("name", SCRIPTS)
async def test_no_word_of_question_passages_or_answer_is_in_a_span_invariant_8(
    exporter: InMemorySpanExporter, ask: AskFunction, name: str
) -> None:
    await ask(SCRIPTS[name], SECRET, clock=ManualClock())
    told = everything(exporter).casefold()
    assert "invoke_agent" in told
    texts = [SECRET, "kingfisher", *(p.citable_text for entry in entries() for p in entry.passages)]
    # Words that spans have names for are not from the question.
    allowed = {"first", "answer", "search", "span", "trace", "name", "status", "error"}
    words = {word for text in texts for word in re.findall(r"[a-z]{5,}", text.casefold())} - allowed
    assert len(words) > 30
    assert {word for word in words if word in told} == set()


async def test_a_failed_call_is_marked_by_its_type_only(exporter: InMemorySpanExporter, ask: AskFunction) -> None:
    await ask([Reply(error=ModelStatusError(400))])
    (span,) = named(exporter, "chat decide")
    assert span.attributes is not None
    assert span.attributes["error.type"] == "ModelStatusError"
    assert not span.status.is_ok
    assert span.status.description is None
    assert span.events == ()


async def test_a_lost_record_is_visible_to_an_operator(
    exporter: InMemorySpanExporter, searcher: HybridSearcher
) -> None:
    class FullDisk:
        def append(self, rollout: Rollout) -> None:
            raise JournalError("full")

    await ClinicalAgent(ScriptedModel([ANSWER]), searcher, FullDisk()).ask(Question(text=SECRET))
    (run,) = named(exporter, "invoke_agent clinsearch")
    assert run.attributes is not None
    assert run.attributes["clinsearch.journal.failed"] is True


async def test_a_cancelled_run_ends_its_spans(exporter: InMemorySpanExporter, searcher: HybridSearcher) -> None:
    agent = ClinicalAgent(ScriptedModel([Reply(ANSWER, delay_s=20)]), searcher, MemoryJournal())
    task = asyncio.create_task(agent.ask(Question(text=SECRET)))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    (run,) = named(exporter, "invoke_agent clinsearch")
    assert run.attributes is not None
    assert run.attributes["error.type"] == "CancelledError"


ASK_ONCE = """
import asyncio
from agent import ClinicalAgent, MemoryJournal, Question, ScriptedModel
from agent.scripted import ByTurn
from retrieval import CorpusEntry, Document, Passage, memory_searcher
document = Document(id="d", source="guidelines", title="T", publisher="P", region="GB")
passage = Passage(id="d/1", document_id="d", kind="recommendation", section=("S",), text="Give water.")
searcher = memory_searcher([CorpusEntry(document=document, passages=(passage,))])
agent = ClinicalAgent(ScriptedModel([ByTurn()]), searcher, MemoryJournal())
print(asyncio.run(agent.ask(Question(text="secret water"))).stop_reason)
from langsmith import run_helpers, utils
assert utils.tracing_is_enabled(), "the switch must be on outside, or this test proves nothing"
"""


@pytest.mark.slow
def test_langsmith_switches_in_the_environment_send_nothing() -> None:
    """LangGraph's tracing would send questions to a third party; the service must not obey the switch."""
    requests: list[str] = []

    class Collector(http.server.BaseHTTPRequestHandler):
        def _take(self) -> None:
            requests.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_GET = do_POST = do_PATCH = _take  # noqa: N815 - names the library calls

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        switches = {
            "LANGSMITH_TRACING": "true",
            "LANGCHAIN_TRACING_V2": "true",
            "LANGSMITH_API_KEY": "test",
            "LANGSMITH_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
        }
        done = subprocess.run(
            [sys.executable, "-c", ASK_ONCE],
            env={**os.environ, **switches},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            cwd=Path(__file__).parents[2],
        )
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "answered"
    assert requests == []
