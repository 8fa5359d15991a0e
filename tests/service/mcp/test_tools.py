"""The contract of each tool, with the official client inside this process: what a client's model reads and gets."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from mcp_types import INVALID_PARAMS

from agent import ScriptedModel
from agent.errors import ModelUnavailableError
from agent.scripted import ANSWER, ByTurn, Reply, Script, search
from retrieval import HashingEncoder, RetrievalError, Withdrawal, Withdrawals, build_index
from service.container import Service, build_service
from service.mcp.server import build_server
from service.settings import Settings

from ..chat.serving import with_model
from ..conftest import QUESTION, ServiceFactory, client_of, corpus
from .serving import MODES, Told, structured, text_of

FEVER = "test/example-fever/dose"


def fields(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field of an object's schema, those inside included."""
    for name, field in schema.get("properties", {}).items():
        yield name, field
        yield from fields(field.get("items", {}))


@pytest.mark.parametrize("mode", MODES)
async def test_the_tools_say_what_they_take_and_that_they_change_nothing(service: Service, mode: str) -> None:
    async with Client(build_server(service), mode=mode) as client:
        tools = (await client.list_tools()).tools
        assert "do not reword doses" in (client.instructions or "")
    assert [tool.name for tool in tools] == ["search_guidelines", "get_recommendation", "ask"]
    for tool in tools:
        hints = tool.annotations
        assert hints is not None
        assert (hints.read_only_hint, hints.destructive_hint, hints.open_world_hint) == (True, False, False)
        written = json.dumps(tool.input_schema)
        assert "$ref" not in written
        assert "null" not in written
        own = tool.input_schema["properties"]
        assert all(field["description"] for field in own.values())
        assert tool.input_schema["additionalProperties"] is False
        assert tool.output_schema is not None
        assert "Show it as it stands" in json.dumps(tool.output_schema) or tool.name != "ask"
    taken = {tool.name: dict(fields(tool.input_schema)) for tool in tools}
    assert taken["ask"]["source"]["enum"] == ["guidelines"]
    assert "first-line treatment" in taken["ask"]["source"]["description"]
    assert (taken["search_guidelines"]["limit"]["maximum"], taken["ask"]["history"]["maxItems"]) == (50, 10)
    assert {"regions", "publishers", "published_from", "published_to"} <= set(taken["search_guidelines"])
    assert "passage_ids" in taken["ask"]


async def test_a_search_returns_what_the_http_api_returns(service: Service) -> None:
    asked = {"query": "samplomycin rash", "limit": 1, "regions": ["UK"]}
    async with Client(build_server(service)) as client:
        result = await client.call_tool("search_guidelines", asked)
        (found,) = structured(result)["recommendations"]
        opened = await client.call_tool("get_recommendation", {"id": found["id"]})
        nothing = await client.call_tool("search_guidelines", {**asked, "regions": ["US"]})
    async with client_of(service) as http:
        (hit,) = (await http.post("/v1/search", json=asked)).json()["hits"]
    same = {"passage_id": "id"}
    citation = {
        same.get(name, name): value for name, value in hit["citation"].items() if name not in ("number", "year")
    }
    assert {name: found[name] for name in citation} == citation
    assert (found["rank"], found["relevance"], found["below_floor"]) == (1, hit["relevance"], hit["below_floor"])
    assert (found["strength"], found["contraindications"]) == ("Strong", ["Allergy to samplomycin"])
    assert json.loads(text_of(result)) == result.structured_content, "clients that read the text get the same"
    assert structured(opened) == {name: found[name] for name in structured(opened)}
    assert structured(nothing)["recommendations"] == []


async def test_standing_is_told_and_what_was_withdrawn_is_not_shown(tmp_path: Path) -> None:
    entries = corpus()
    old = entries[1].document.model_copy(
        update={"review_by": "2020", "region": "US", "published": "2018-03", "url": "javascript:alert(1)"}
    )
    entries[1] = entries[1].model_copy(update={"document": old})
    newer = entries[0].document.model_copy(update={"id": "test/new", "supersedes": entries[0].document.id})
    passage = entries[0].passages[0].model_copy(update={"id": "test/new/dose", "document_id": "test/new"})
    entries.append(entries[0].model_copy(update={"document": newer, "passages": (passage,)}))
    build_index(entries, tmp_path / "index", HashingEncoder())
    values = {"data_dir": tmp_path, "encoder": "hashing", "model_url": "http://127.0.0.1:9/v1", "home_region": "GB"}
    settings = Settings.model_validate(values)
    service = build_service(settings)
    asked = {"query": "mouth twice daily", "include_superseded": True}
    async with Client(build_server(service)) as client:
        found = structured(await client.call_tool("search_guidelines", asked))["recommendations"]
        standing = {item["document_id"]: item for item in found}
        Withdrawals(settings.withdrawals_file).add(
            Withdrawal(kind="passage", id=FEVER, why="the dose is wrong", who="pharmacy", at=datetime.now(UTC))
        )
        gone = await client.call_tool("get_recommendation", {"id": FEVER})
        left = structured(await client.call_tool("search_guidelines", asked))["recommendations"]
        undated = structured(await client.call_tool("search_guidelines", {**asked, "published_from": "2020"}))
    await service.close()
    rash, fever = standing["test/sample-rash"], standing["test/example-fever"]
    assert (rash["status"], rash["from_elsewhere"], rash["published"]) == ("expired", True, "2018-03")
    assert rash["labels"] == ["Expired: its review date (2020) has passed.", "From another region."]
    assert rash["url"] is None, "only an address of the web is one"
    assert (fever["status"], fever["superseded_by"]) == ("superseded", "test/new")
    assert fever["labels"]
    assert gone.is_error
    assert "withdrawn" in text_of(gone)
    assert "the dose is wrong" in text_of(gone)
    assert "250 mg" not in text_of(gone)
    assert FEVER not in {item["id"] for item in left}
    assert undated["undated_left_out"] == 0


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ([ByTurn("examplicillin dose")], "answer"),
        ([Reply(error=ModelUnavailableError("down"))], "search_results"),
        ([search("dose"), ANSWER, "Nothing of this can be verified."], "search_results"),
        (['{"action": "ask_clinician", "missing": "allergy"}'], "clarification"),
        ([search("dose"), '{"action": "decline", "reason": "not_in_corpus"}'], "no_evidence"),
        (['{"action": "decline", "reason": "policy"}'], "declined"),
        (['{"action": "reply", "kind": "thanks"}'], "reply"),
    ],
    ids=["answer", "model down", "nothing verified", "ask back", "not found", "declined", "thanks"],
)
async def test_an_answer_says_what_kind_it_is_and_brings_its_evidence(
    make_service: ServiceFactory, script: list[Script], kind: str
) -> None:
    service, journal = with_model(make_service(), ScriptedModel(script))
    async with Client(build_server(service)) as client:
        result = structured(await client.call_tool("ask", {"question": QUESTION}))
    assert result["kind"] == kind
    assert result["rollout_id"] == journal.rollouts[0].rollout_id
    numbers = {item["number"] for item in result["evidence"]}
    cited = {number for sentence in result["sentences"] for number in sentence["citations"]}
    assert cited == {item["number"] for item in result["evidence"] if item["cited"]}
    assert cited <= numbers
    assert bool(result["sentences"]) == (kind == "answer")
    assert result["label"] or kind == "answer"
    if kind in ("answer", "search_results", "no_evidence"):
        first = result["evidence"][0]
        assert (first["strength"], first["certainty"], first["publisher"]) == ("Strong", "Moderate", "Test Society")
        assert first["text"].startswith("Give adults")


async def test_history_and_filters_reach_the_run(make_service: ServiceFactory) -> None:
    service, journal = with_model(make_service(), ScriptedModel([ByTurn("examplicillin dose")]))
    async with Client(build_server(service)) as client:
        await client.call_tool(
            "ask",
            {
                "question": "And for a child?",
                "history": [{"question": QUESTION, "answer": "250 mg.", "passage_ids": [FEVER]}],
                "regions": ["GB"],
                "published_from": "2020",
                "home_region": "GB",
            },
        )
    (run,) = journal.rollouts
    assert (run.filters.regions, run.filters.published_from, run.home_region) == (("GB",), "2020", "GB")
    assert [message.content for message in run.messages[1:4]] == [QUESTION, "250 mg.", "And for a child?"]


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("search_guidelines", {}, "query: Field required"),
        ("search_guidelines", {"query": " "}, "query is empty"),
        ("search_guidelines", {"query": "dose", "limit": 51}, "limit: "),
        ("search_guidelines", {"query": "dose", "published_from": "2018-13"}, "published_from: month must be in 1..12"),
        ("search_guidelines", {"query": "dose", "regions": ["x"] * 51}, "regions: "),
        ("search_guidelines", {"query": "dose", "source": "nowhere"}, "Sources: guidelines"),
        ("get_recommendation", {"id": "no/such"}, "no such passage"),
        ("get_recommendation", {"id": "a" * 501}, "id: "),
        ("ask", {"question": "a" * 4_001}, "limit is 4,000"),
        ("ask", {"question": QUESTION, "model": "gpt"}, "model: "),
        ("ask", {"question": QUESTION, "history": [{"question": "a"}]}, "history.0.answer: Field required"),
    ],
    ids=str,
)
async def test_what_cannot_be_done_is_said_in_a_sentence(
    service: Service, tool: str, arguments: dict[str, object], told: str
) -> None:
    async with Client(build_server(service)) as client:
        result = await client.call_tool(tool, arguments)
    assert result.is_error
    assert told in text_of(result)
    assert text_of(result).endswith(".")
    assert "aaaa" not in text_of(result), "what was sent is not repeated"


async def test_an_unknown_tool_is_an_error_of_the_protocol(service: Service) -> None:
    async with Client(build_server(service)) as client:
        with pytest.raises(MCPError) as refused:
            await client.call_tool("prescribe", {})
    assert refused.value.code == INVALID_PARAMS
    assert "search_guidelines, get_recommendation, ask" in str(refused.value)


async def test_a_bug_is_a_sentence_without_its_message(
    make_service: ServiceFactory, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def bug(*_: object) -> str:
        raise RuntimeError("secret words")

    def unreadable(*_: object) -> None:
        raise RetrievalError("secret words")

    service = make_service(bug)
    async with Client(build_server(service)) as client:
        failed = await client.call_tool("ask", {"question": QUESTION})
        monkeypatch.setattr(service.agent.searcher, "search", unreadable)
        searched = await client.call_tool("search_guidelines", {"query": "dose"})
        monkeypatch.setattr(service.agent.searcher, "hit", bug)
        opened = await client.call_tool("get_recommendation", {"id": FEVER})
    assert text_of(failed) == "The service failed on this question. Ask it again."
    assert text_of(searched) == "The guidelines could not be searched just now. Try again in a moment."
    assert text_of(opened) == "The service failed on this call. Try again."
    assert all(result.is_error for result in (failed, searched, opened))
    assert "RuntimeError at test_tools.py" in caplog.text
    assert "secret" not in caplog.text


async def test_no_more_runs_than_the_deployment_allows(make_service: ServiceFactory) -> None:
    service = make_service(max_concurrent_runs=1)
    async with Client(build_server(service)) as client, service.slots:
        busy = await client.call_tool("ask", {"question": QUESTION})
        found = await client.call_tool("search_guidelines", {"query": "dose"})
    assert busy.is_error
    assert "Try again in a few seconds" in text_of(busy)
    assert structured(found)


async def test_a_client_that_asks_for_it_is_told_how_the_run_goes(service: Service) -> None:
    told = Told()
    async with Client(build_server(service)) as client:
        await client.call_tool("ask", {"question": QUESTION}, progress_callback=told)
    assert told.progress == list(range(1, len(told.progress) + 1))
    assert "A sentence was verified." in told.messages
    assert any("recommendations found" in (message or "") for message in told.messages)


async def test_metrics_and_logs_hold_no_question(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    """Invariant 8: no patient text in telemetry or logs."""
    async with Client(build_server(service)) as client:
        caplog.set_level(logging.INFO)
        await client.call_tool("ask", {"question": QUESTION})
        await client.call_tool("get_recommendation", {"id": "a patient's name"})
    assert "ask ok" in caplog.text
    assert "get_recommendation passage_not_found" in caplog.text
    assert "examplicillin" not in caplog.text
    assert "patient's name" not in caplog.text
    metrics = service.metrics.render().decode()
    assert 'clinsearch_runs_total{answer="written",stop_reason="answered"} 1.0' in metrics
