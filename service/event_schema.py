"""The events of a stream as JSON Schema: a document of its own, and components of the API's description.

Clients generate their types from either. Both are made of the models that the service sends (`agent/events.py`), whose
field `v` is the version.
"""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from agent import Event

SCHEMA_ID = "urn:clinsearch:events:1"
#: The component that is any event.
COMPONENT = "StreamEvent"
_ABOUT = (
    "The `data` of one server-sent event of POST /v1/ask. Its `type` is the event's name, and the last one of a stream "
    "is `done` or `error`. Ids count from 1 without gaps; a citation's evidence comes before the sentence that uses it."
)
#: One item of an event stream, in OpenAPI.
ITEM: dict[str, Any] = {
    "type": "object",
    "required": ["data", "event", "id"],
    "properties": {
        "id": {"type": "string", "description": "Counts from 1; what Last-Event-ID takes."},
        "event": {"type": "string", "description": "The `type` of the data."},
        "data": {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": f"#/components/schemas/{COMPONENT}"},
        },
    },
}
_EVENTS: TypeAdapter[Event] = TypeAdapter(Event)


def event_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of an event, by itself."""
    schema = _EVENTS.json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": COMPONENT,
        "description": _ABOUT,
        **schema,
    }


def event_components() -> dict[str, Any]:
    """The same as components of an OpenAPI document, by their names."""
    schema = _EVENTS.json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs")
    return {**parts, COMPONENT: {"title": COMPONENT, "description": _ABOUT, **schema}}
