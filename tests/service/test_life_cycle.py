"""Filters, home region, standing and withdrawal over HTTP. If these fail, clients see guidance they must not use."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from retrieval import HashingEncoder, Withdrawal, Withdrawals, build_index
from service.container import build_service
from service.settings import Settings

from .conftest import client_of, corpus

PASSAGE = "test/example-fever/dose"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index on disk, to be copied."""
    entries = corpus()
    old = entries[1].document.model_copy(update={"review_by": "2020", "region": "US", "published": "2018-03"})
    entries[1] = entries[1].model_copy(update={"document": old})
    directory = tmp_path_factory.mktemp("built") / "index"
    build_index(entries, directory, HashingEncoder())
    return directory


@pytest.fixture
async def http(tmp_path: Path, index: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """The real wiring over an index on disk; no model answers at its address."""
    shutil.copytree(index, tmp_path / "index")
    settings = Settings.model_validate(
        {"data_dir": tmp_path, "encoder": "hashing", "model_url": "http://127.0.0.1:9/v1", "home_region": "GB"}
    )
    service = build_service(settings)
    async with client_of(service) as client:
        yield client
    await service.close()


async def ids(http: httpx2.AsyncClient, **body: object) -> list[str]:
    response = await http.post("/v1/search", json={"query": "mouth twice daily", **body})
    assert response.status_code == 200, response.text
    return [hit["citation"]["document_id"] for hit in response.json()["hits"]]


FEVER, RASH = "test/example-fever", "test/sample-rash"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, [FEVER, RASH]),
        ({"regions": ["US"]}, [RASH]),
        ({"regions": ["united  states"]}, [RASH]),
        ({"regions": ["UK"]}, [FEVER]),
        ({"languages": ["en-GB"]}, [FEVER, RASH]),
        ({"languages": ["fr"]}, []),
        ({"published_from": "2020"}, [FEVER]),
        ({"published_to": "2018-03-01"}, [RASH]),
        ({"strengths": ["strong"]}, [FEVER, RASH]),
        ({"strengths": ["against", "weak"]}, []),
        ({"include_superseded": True}, [FEVER, RASH]),
    ],
    ids=str,
)
async def test_filters_of_a_request_hold(
    http: httpx2.AsyncClient, body: dict[str, object], expected: list[str]
) -> None:
    assert sorted(await ids(http, **body)) == sorted(expected)


@pytest.mark.parametrize(
    "body",
    [
        {"published_from": "2018-13"},
        {"published_from": "last year"},
        {"published_from": "2021", "published_to": "2020-12"},
        {"strengths": ["firm"]},
        {"home_region": "Narnia"},
        {"home_region": "gb"},
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/v1/search", "/v1/ask"])
async def test_wrong_filters_are_refused_with_the_field(
    http: httpx2.AsyncClient, path: str, body: dict[str, object]
) -> None:
    field = "query" if path == "/v1/search" else "question"
    response = await http.post(path, json={field: "dose?", **body})
    assert response.status_code == 422
    assert next(iter(body)) in response.json()["detail"]


async def test_the_home_region_comes_first_and_the_other_is_labelled(http: httpx2.AsyncClient) -> None:
    assert await ids(http) == [FEVER, RASH]
    assert await ids(http, home_region="US") == [RASH, FEVER]
    asked = await http.post("/v1/ask", json={"question": "Sample rash dose?", "home_region": "GB"})
    by_region = {item["region"]: item for item in asked.json()["answer"]["citations"]}
    assert by_region["GB"]["labels"] == []
    assert by_region["US"]["from_elsewhere"] is True
    assert by_region["US"]["status"] == "expired"
    assert by_region["US"]["labels"] == ["Expired: its review date (2020) has passed.", "From another region."]
    assert (by_region["US"]["published"], by_region["US"]["year"]) == ("2018-03", 2018)


async def test_a_home_region_may_be_given_by_its_common_name(http: httpx2.AsyncClient) -> None:
    assert await ids(http, home_region="USA") == await ids(http, home_region="US") == [RASH, FEVER]


async def test_an_answer_that_a_filter_shut_out_names_the_filter(http: httpx2.AsyncClient) -> None:
    body = {"question": "Sample rash dose?", "publishers": ["Exampel"], "published_from": "2001"}
    answer = (await http.post("/v1/ask", json=body)).json()["answer"]
    assert answer["citations"] == []
    assert "within these filters: publisher Exampel, published from 2001." in answer["label"]
    assert "no date" in answer["label"]


async def test_a_damaged_record_of_withdrawals_opens_nothing(http: httpx2.AsyncClient, tmp_path: Path) -> None:
    (tmp_path / "withdrawals.jsonl").write_text("{}\n", encoding="utf-8")
    for response in (await http.get(f"/v1/passages/{PASSAGE}"), await http.post("/v1/search", json={"query": "dose"})):
        assert (response.status_code, response.json()["code"]) == (503, "corpus_error")


async def test_a_running_service_stops_showing_what_is_withdrawn(http: httpx2.AsyncClient, tmp_path: Path) -> None:
    assert (await http.get(f"/v1/passages/{PASSAGE}")).status_code == 200
    Withdrawals(tmp_path / "withdrawals.jsonl").add(
        Withdrawal(
            kind="document",
            id=FEVER,
            why="The dose is ten times too high.",
            who="x",
            at=datetime(2026, 5, 4, tzinfo=UTC),
        )
    )
    assert await ids(http) == [RASH]
    gone = await http.get(f"/v1/passages/{PASSAGE}")
    assert (gone.status_code, gone.json()["code"]) == (410, "passage_withdrawn")
    assert "2026-05-04" in gone.json()["detail"]
    assert "The dose is ten times too high." in gone.json()["detail"]
    body = (await http.post("/v1/ask", json={"question": "What dose of examplicillin for example fever?"})).json()
    assert [citation["document_id"] for citation in body["answer"]["citations"]] == [RASH]
