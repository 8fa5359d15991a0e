"""GET /v1/sources: what a client may offer as a filter."""

from __future__ import annotations

import httpx2

from agent import ClinicalAgent, MemoryJournal, ScriptedModel
from retrieval import Source, SourceId, memory_searcher, with_added
from service.app import create_app
from service.container import Service
from service.settings import Settings
from tests.service.conftest import corpus


async def test_added_sources_are_listed_with_their_filters_and_typing_mistakes_are_told() -> None:
    local = Source(id=SourceId("local_formulary"), description="Drugs that our hospital stocks.", regions=("GB",))
    first, *rest = corpus()
    moved = first.model_copy(update={"document": first.document.model_copy(update={"source": local.id})})
    searcher = memory_searcher([moved, *rest], sources=with_added([local]))
    agent = ClinicalAgent(ScriptedModel(["{}"]), searcher, MemoryJournal())
    transport = httpx2.ASGITransport(create_app(Service(settings=Settings(), agent=agent)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        listed = (await client.get("/v1/sources")).json()
        wrong = await client.post("/v1/search", json={"query": "fever", "source": "local_formulery"})
    assert [source["id"] for source in listed] == ["guidelines", "local_formulary"]
    assert listed[1]["title"] == "Local formulary"
    assert listed[1]["regions"] == ["GB"]
    assert wrong.status_code == 422
    assert "Did you mean local_formulary?" in wrong.json()["detail"]
