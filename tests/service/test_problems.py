"""Bad input ends in problem+json with a stable code, never in a trace, and the service goes on."""

from __future__ import annotations

import httpx2
import pytest

from service.app import create_app
from service.container import Service
from service.problems import CLIENT_CLOSED, ProblemError

from .conftest import QUESTION, ServiceFactory, client_of

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b'{"question": ""}', 422, "question_empty"),
        (b'{"question": "  \\n\\t  "}', 422, "question_empty"),
        (b'{"question": "' + b"a" * 200_000 + b'"}', 422, "question_too_long"),
        (b'{"question": "' + b"a" * 2_000_000 + b'"}', 413, "request_too_large"),
        (b'{"question": "dose\\u0000 of"}', 422, "question_control_characters"),
        (b'{"question": "dose\\u0007 of"}', 422, "question_control_characters"),
        (b'{"question": "half a \\ud83d pair"}', 422, "question_control_characters"),
        (b'{"question": ', 400, "invalid_json"),
        (b"", 422, "invalid_request"),
        (b"\xff\xfe\x00", 400, "invalid_json"),
        (b"[]", 422, "invalid_request"),
        (b"{}", 422, "invalid_request"),
        (b'{"question": 7}', 422, "invalid_request"),
        (b'{"question": ["a"]}', 422, "invalid_request"),
        (b'{"question": "dose?", "colour": "red"}', 422, "invalid_request"),
        (b'{"question": "dose?", "source": "nowhere"}', 422, "unknown_source"),
        (b'{"question": "dose?", "regions": "GB"}', 422, "invalid_request"),
        (b'{"question": "dose?", "publishers": ["a\\u0000"]}', 422, "invalid_request"),
        (b'{"question": "dose?", "history": [{"question": "half \\ud83d", "answer": "a"}]}', 422, "invalid_request"),
        (
            b'{"question": "dose?", "history": [{"question": "a", "answer": "b", "passage_ids": ["half \\ud83d"]}]}',
            422,
            "invalid_request",
        ),
        (b'{"question": "dose?", "include_superseded": "yes"}', 422, "invalid_request"),
        ('{"question": "dose?", "published_from": "２０１８"}'.encode(), 422, "invalid_request"),
    ],
)
async def test_bad_questions(http: httpx2.AsyncClient, content: bytes, status: int, code: str) -> None:
    response = await http.post("/v1/ask", content=content, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["request_id"] == response.headers["x-request-id"]
    assert problem["detail"]
    assert "Traceback" not in response.text
    # Without the request's id, whose random digits may be any.
    assert "aaaa" not in response.text.replace(problem["request_id"], ""), "what was typed is not repeated"
    assert (await http.post("/v1/ask", json={"question": QUESTION})).status_code == 200


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"query": " "}', "query_empty"),
        (b'{"query": "x", "limit": 0}', "invalid_request"),
        (b'{"query": "x", "limit": "7"}', "invalid_request"),
        (b'{"query": "x", "limit": true}', "invalid_request"),
    ],
)
async def test_bad_searches(http: httpx2.AsyncClient, content: bytes, code: str) -> None:
    response = await http.post("/v1/search", content=content, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (422, code)


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "not_found"),
        ("DELETE", "/v1/ask", 405, "method_not_allowed"),
        ("POST", "/v1/ask/", 404, "not_found"),
        ("GET", "/v1/passages/none", 404, "passage_not_found"),
    ],
)
async def test_wrong_addresses(http: httpx2.AsyncClient, method: str, path: str, status: int, code: str) -> None:
    response = await http.request(method, path)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/problem+json"


async def test_another_host_name_is_refused(http: httpx2.AsyncClient) -> None:
    """DNS rebinding: a page on another name must not reach a service on this machine."""
    response = await http.get("/v1/sources", headers={"host": "evil.example:8000"})
    assert (response.status_code, response.json()["code"]) == (421, "host_not_allowed")


async def test_a_bug_is_a_500_without_its_message(
    make_service: ServiceFactory, caplog: pytest.LogCaptureFixture
) -> None:
    def bug(_: object) -> str:
        raise RuntimeError("secret words of a clinician")

    async with client_of(make_service(bug)) as http:
        response = await http.post("/v1/ask", json={"question": QUESTION})
    assert (response.status_code, response.json()["code"]) == (500, "internal_error")
    assert "secret" not in response.text
    assert "secret" not in caplog.text
    assert "RuntimeError" in caplog.text


async def test_a_client_that_went_away_is_no_failure_of_the_service(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """Its status is not a registered one: the response that only the log and the metrics see must still be made."""
    app = create_app(service)

    async def gone() -> None:
        raise ProblemError(CLIENT_CLOSED, "client_closed_request", "The client closed the connection.")

    app.add_api_route("/gone", gone)
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as http:
        response = await http.get("/gone")
    assert (response.status_code, response.json()["title"]) == (499, "Client Closed Request")
    assert "ERROR" not in caplog.text
