"""The published description of events. If these fail, a client's generated types do not fit what it is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from agent.errors import ModelUnavailableError
from agent.scripted import ANSWER, ByTurn, Reply, Script, search
from service.app import create_app
from service.event_schema import COMPONENT, event_schema

from .conftest import QUESTION, ServiceFactory, client_of

GOLDEN = Path(__file__).parent / "events.v1.schema.json"
TO_RENEW = (
    "The events changed. What old clients can still read (a new optional field is not: they may forbid it) keeps v 1; "
    "else raise `v` in agent/events.py and SCHEMA_ID. Then write event_schema() to this file."
)


def bug(_: object) -> str:
    raise RuntimeError


#: Replies of a model, and kinds of events that they bring about.
SCRIPTS: dict[str, tuple[list[Script], set[str]]] = {
    "answered": ([ByTurn("examplicillin dose")], {"step", "evidence", "sentence", "notices", "done"}),
    "withheld": (
        [search("examplicillin"), ANSWER, "Give 900 mg. Rest."],
        {"step", "evidence", "withheld", "notices", "done"},
    ),
    "down": ([Reply(error=ModelUnavailableError("down"))], {"step", "evidence", "notices", "done"}),
    "asks": ([json.dumps({"action": "ask_clinician", "missing": "allergy"})], {"step", "notices", "done"}),
    "fails": ([bug], {"notices", "error"}),
}


async def stream(make_service: ServiceFactory, replies: list[Script]) -> list[tuple[str, Any]]:
    """Name and data of each event."""
    async with client_of(make_service(*replies)) as http:
        response = await http.post("/v1/ask", json={"question": QUESTION}, headers={"accept": "text/event-stream"})
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in response.text.strip().split("\n\n")]
    return [(block["event"], json.loads(block["data"])) for block in blocks]


@pytest.mark.parametrize("name", SCRIPTS)
async def test_what_is_sent_fits_what_is_published(make_service: ServiceFactory, name: str) -> None:
    replies, kinds = SCRIPTS[name]
    async with client_of(make_service()) as http:
        published = await http.get("/v1/events/schema")
    assert published.headers["content-type"].startswith("application/schema+json")
    validator = jsonschema.Draft202012Validator(published.json())
    events = await stream(make_service, replies)
    assert {event for event, _ in events} == kinds
    for event, data in events:
        validator.validate(data)
        assert event == data["type"]


async def test_what_does_not_fit_is_told(make_service: ServiceFactory) -> None:
    """Otherwise the schema says nothing."""
    validator = jsonschema.Draft202012Validator(event_schema())
    for _, data in await stream(make_service, [ByTurn("examplicillin dose")]):
        for wrong in (
            {**data, "v": 2},
            {**data, "type": "other"},
            {**data, "more": 1},
            {name: value for name, value in data.items() if name == "type"},
        ):
            assert not validator.is_valid(wrong), wrong


def test_the_schema_is_one_and_changes_only_on_purpose() -> None:
    jsonschema.Draft202012Validator.check_schema(event_schema())
    assert event_schema() == json.loads(GOLDEN.read_text(encoding="utf-8")), TO_RENEW


async def test_the_description_of_the_api_names_them_as_a_component(make_service: ServiceFactory) -> None:
    app = create_app(make_service())
    document = app.openapi()
    assert app.openapi() is document
    schemas = document["components"]["schemas"]
    names = [part["$ref"].rsplit("/", 1)[-1] for part in schemas[COMPONENT]["oneOf"]]
    assert names == [
        f"{kind}Event" for kind in ("Notices", "Step", "Evidence", "Sentence", "Withheld", "Done", "Error")
    ]
    for route, method in (("/v1/ask", "post"), ("/v1/ask/{rollout_id}/events", "get")):
        content = document["paths"][route][method]["responses"]["200"]["content"]["text/event-stream"]
        data = content["schema"]["properties"]["data"]
        assert data["contentSchema"] == {"$ref": f"#/components/schemas/{COMPONENT}"}
    # Every reference leads somewhere, and the component says what the document by itself says.
    whole = {**document["components"], "$ref": f"#/schemas/{COMPONENT}"}
    resolved = json.loads(json.dumps(whole).replace("#/components/schemas/", "#/schemas/"))
    validator = jsonschema.Draft202012Validator(resolved)
    for _, data in await stream(make_service, [ByTurn("examplicillin dose")]):
        validator.validate(data)
        assert not validator.is_valid({**data, "more": 1})
    text = json.dumps(document)
    for name in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in schemas
