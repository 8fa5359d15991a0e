"""The OpenAPI document that clients are generated from: valid, and every operation says what it is and answers."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from schemathesis.openapi import from_dict

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
OPENAI_ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/OpenAIError"}}}
Operations = list[tuple[str, dict[str, Any]]]


@pytest.fixture
async def document(http: httpx2.AsyncClient) -> dict[str, Any]:
    return dict((await http.get("/openapi.json")).json())


@pytest.fixture
def operations(document: dict[str, Any]) -> Operations:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


async def test_it_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    from_dict(document).validate()


async def test_every_operation_says_what_it_is(operations: Operations) -> None:
    assert len(operations) > 15
    for name, operation in operations:
        assert operation["tags"], name
        assert operation["description"], name
        assert operation["description"].startswith(operation["summary"]), name
    assert len({operation["summary"] for _, operation in operations}) == len(operations)


async def test_every_error_has_one_shape(operations: Operations) -> None:
    """A client that switches on `code` must find it in every error, under the type that is sent."""
    for name, operation in operations:
        expected = OPENAI_ERROR if name == "POST /v1/chat/completions" else PROBLEM
        errors = {status: response for status, response in operation["responses"].items() if status[0] in "45"}
        assert {status[0] for status in errors} == {"4", "5"}, name
        for status, response in errors.items():
            assert response["content"] == expected, f"{name} {status}"
            assert response["description"], f"{name} {status}"


async def test_what_the_layer_around_the_routes_answers_is_listed(operations: Operations) -> None:
    for name, operation in operations:
        if name != "POST /v1/chat/completions":
            assert {"413", "421", "500"} <= set(operation["responses"]), name


async def test_asking_for_it_twice_gives_the_same(http: httpx2.AsyncClient, document: dict[str, Any]) -> None:
    assert (await http.get("/openapi.json")).json() == document
