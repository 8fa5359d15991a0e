"""Search, passages, health, metrics, reference page and headers."""

from __future__ import annotations

import logging

import httpx2
import pytest

from .conftest import QUESTION


async def test_search_returns_whole_recommendations_best_first(http: httpx2.AsyncClient) -> None:
    body = (await http.post("/v1/search", json={"query": "samplomycin rash", "limit": 1})).json()
    assert len(body["hits"]) == 1
    citation = body["hits"][0]["citation"]
    assert citation["condition"] == "Sample rash"
    assert citation["strength"] == "Strong"
    opened = (await http.get(f"/v1/passages/{citation['passage_id']}")).json()
    assert opened["text"] == citation["text"]


async def test_filters_exclude(http: httpx2.AsyncClient) -> None:
    body = (await http.post("/v1/search", json={"query": "samplomycin rash", "regions": ["US"]})).json()
    assert body["hits"] == []


async def test_health_and_readiness(http: httpx2.AsyncClient) -> None:
    assert (await http.get("/healthz")).json() == {"status": "ok"}
    ready = (await http.get("/readyz")).json()
    assert (ready["status"], ready["model"]) == ("ready", True)


async def test_no_client_makes_a_series_of_the_metrics_with_a_word_of_its_own(http: httpx2.AsyncClient) -> None:
    await http.request("EXAMPLE", "/v1/ask")
    text = (await http.get("/metrics")).text
    assert "EXAMPLE" not in text
    assert 'method="other"' in text


async def test_metrics_count_runs_without_their_words(http: httpx2.AsyncClient) -> None:
    await http.post("/v1/ask", json={"question": QUESTION})
    text = (await http.get("/metrics")).text
    assert 'clinsearch_runs_total{answer="written",stop_reason="answered"} 1.0' in text
    assert "examplicillin" not in text


async def test_log_lines_hold_no_question(http: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    """Invariant 8: no patient text in telemetry or logs."""
    with caplog.at_level(logging.DEBUG):
        await http.post("/v1/ask", json={"question": QUESTION})
        await http.get("/v1/passages/a patient's name")
    assert "POST /v1/ask 200" in caplog.text
    assert "examplicillin" not in caplog.text
    assert "patient's name" not in caplog.text


async def test_reference_page_needs_nothing_from_outside(http: httpx2.AsyncClient) -> None:
    page = await http.get("/docs")
    assert page.status_code == 200
    assert "POST /v1/ask" in page.text
    assert "<script" not in page.text
    assert "//" not in page.text.replace("http://localhost", "").split("</head>")[0]


async def test_every_response_forbids_foreign_content(http: httpx2.AsyncClient) -> None:
    for path in ("/healthz", "/docs", "/nothing"):
        headers = (await http.get(path, headers={"origin": "https://evil.example"})).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers
