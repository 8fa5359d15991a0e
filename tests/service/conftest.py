"""A service wired from scripted parts: no model server, no encoder weights, nothing on disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx2
import pytest
from tenacity import wait_none

from agent import ClinicalAgent, MemoryJournal, ScriptedModel
from agent.scripted import ByTurn, Script
from retrieval import (
    CorpusEntry,
    Document,
    DocumentId,
    HashingEncoder,
    Passage,
    PassageId,
    PassageKind,
    SourceId,
    memory_searcher,
)
from service.app import create_app
from service.container import Service
from service.records import MemoryRecords, Records
from service.settings import Settings

QUESTION = "What dose of examplicillin for an adult with example fever?"


def corpus() -> list[CorpusEntry]:
    """Two invented guidelines, so no test states medicine."""
    entries = []
    for name, drug, dose in (("example fever", "examplicillin", "250 mg"), ("sample rash", "samplomycin", "40 mg")):
        document_id = DocumentId(f"test/{name.replace(' ', '-')}")
        entries.append(
            CorpusEntry(
                document=Document(
                    id=document_id,
                    source=SourceId("guidelines"),
                    title=f"Guideline on {name}",
                    publisher="Test Society",
                    region="GB",
                    published="2024",
                    url="https://example.org/guideline",
                    notice="Invented for tests.",
                ),
                passages=(
                    Passage(
                        id=PassageId(f"{document_id}/dose"),
                        document_id=document_id,
                        kind=PassageKind.RECOMMENDATION,
                        section=(name.capitalize(), "treatment"),
                        text=f"Give adults with {name} {drug} {dose} by mouth twice daily for 5 days.",
                        strength="Strong",
                        certainty="Moderate",
                        population="Adults",
                        contraindications=(f"Allergy to {drug}",),
                    ),
                ),
            )
        )
    return entries


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is down is asked again at once; the tests of the agent hold how long it is waited for."""
    monkeypatch.setattr("agent.retry._WAIT", wait_none())


ServiceFactory = Callable[..., Service]


@pytest.fixture
def make_service(tmp_path: Path) -> ServiceFactory:
    """Builds a service around the given scripted replies."""

    def make(
        *replies: Script,
        records: Records | None = None,
        model: ScriptedModel | None = None,
        entries: list[CorpusEntry] | None = None,
        **settings: object,
    ) -> Service:
        chosen = Settings.model_validate({"data_dir": tmp_path, "encoder": "hashing", **settings})
        searcher = memory_searcher(entries or corpus(), encoder=HashingEncoder())
        model = model or ScriptedModel(replies or [ByTurn("examplicillin dose")])
        journal = MemoryJournal()
        agent = ClinicalAgent(model, searcher, journal, settings=chosen.agent_settings(trained=True))
        return Service(settings=chosen, agent=agent, records=records or MemoryRecords(), journal=journal)

    return make


@pytest.fixture
def service(make_service: ServiceFactory) -> Service:
    """A service whose model searches once and copies the first passage."""
    return make_service()


@pytest.fixture
async def http(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of that service, inside this process."""
    async with client_of(service) as client:
        yield client


def client_of(service: Service) -> httpx2.AsyncClient:
    """A client of any service, inside this process."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(create_app(service)), base_url="http://localhost")
