"""What the tools take: the bodies of the HTTP API, with schemas that small models read easily too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.question import Printable
from retrieval import HomeRegion, Source
from service.problems import ProblemError, what_is_wrong
from service.searching import MAX_ID_CHARS

Body = TypeVar("Body", bound=BaseModel)
Schema = dict[str, Any]


class RecommendationBody(BaseModel):
    """Names one passage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Printable = Field(
        min_length=1, max_length=MAX_ID_CHARS, description="The id that a search result or a piece of evidence has."
    )
    home_region: HomeRegion | None = Field(
        default=None, description='Where the clinician works, a country code such as "GB"; decides from_elsewhere.'
    )


def taken(body: type[Body], arguments: Mapping[str, object]) -> Body:
    """The arguments of a call. Raises ProblemError; the values sent are not repeated, they may be a patient's."""
    try:
        return body.model_validate(arguments)
    except ValidationError as error:
        wrong = what_is_wrong(error.errors(include_input=False, include_url=False))
        raise ProblemError(422, "invalid_arguments", f"The arguments do not fit the tool's schema. {wrong}.") from error


def schema_of(body: type[BaseModel], sources: Sequence[Source]) -> Schema:
    """The JSON Schema of a tool's arguments.

    Definitions stand where they are used, an optional field is one that may be left out (null is taken too), and
    `source` names the sources there are: not every client resolves references, and a model reads each line.
    """
    made = body.model_json_schema()
    defined = made.pop("$defs", {})
    schema = _plain(made, defined)
    schema.pop("description", None)
    if "source" in schema["properties"]:
        schema["properties"]["source"]["enum"] = [source.id for source in sources]
        told = " ".join(f"{source.id}: {source.description}" for source in sources)
        schema["properties"]["source"]["description"] += f" {told}"
    return schema


def _plain(schema: Schema, defined: Mapping[str, Schema]) -> Schema:
    """The schema without references, titles and the alternative null."""
    if "$ref" in schema:
        target = defined[schema["$ref"].rsplit("/", 1)[-1]]
        schema = {**target, **{name: value for name, value in schema.items() if name != "$ref"}}
        schema.pop("description", None)  # what a definition says of itself is for readers of the code
    if "anyOf" in schema:
        (only,) = [item for item in schema["anyOf"] if item.get("type") != "null"]
        schema = {
            **{name: value for name, value in schema.items() if name not in ("anyOf", "default")},
            **_plain(only, defined),
        }
    plain = {name: value for name, value in schema.items() if name != "title"}
    if "properties" in plain:
        plain["properties"] = {name: _plain(item, defined) for name, item in plain["properties"].items()}
    if "items" in plain:
        plain["items"] = _plain(plain["items"], defined)
    return plain
