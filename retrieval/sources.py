"""What a search can be pointed at.

The description of a source stands in the model's prompt, one line each, and is all the model knows
of it; so it says what is inside, not how it is stored. An operator adds sources in settings, or gives a
built-in one another description and other default filters.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from retrieval.documents import SourceId
from retrieval.errors import UnknownSourceError
from retrieval.filters import SearchFilters

#: Sources that can be offered at once: each is a line of every prompt.
MAX_SOURCES = 20
_MAX_NAME_SHOWN = 80

_ID = re.compile(r"[a-z][a-z0-9_]{0,39}")
_Line = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\r\n]*$")]


class Source(BaseModel):
    """One choice the agent has, with the filters that hold unless a search names its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Lower-case letters, digits and underscores: it stands in prompts, addresses and commands.
    id: SourceId
    #: One line for the prompt.
    description: Annotated[_Line, Field(min_length=10, max_length=200)]
    #: What people are shown; the id in words where it is left out.
    title: Annotated[_Line, Field(min_length=1, max_length=60)] | None = None
    #: Default filters; empty puts no condition.
    publishers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    @field_validator("id")
    @classmethod
    def _plain_id(cls, value: SourceId) -> SourceId:
        if not _ID.fullmatch(value):
            raise ValueError("an id has up to 40 lower-case letters, digits and underscores, a letter first")
        return value

    @field_validator("regions")
    @classmethod
    def _with_codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return SearchFilters(regions=value).regions

    @property
    def shown_title(self) -> str:
        """The title, or the id in words: "local_formulary" -> "Local formulary"."""
        return self.title or self.id.replace("_", " ").capitalize()

    def narrowed(self, filters: SearchFilters) -> SearchFilters:
        """`filters` limited to this source, its defaults filling what they leave open."""
        return filters.model_copy(
            update={
                "source": self.id,
                "publishers": filters.publishers or self.publishers,
                "regions": filters.regions or self.regions,
            }
        )


def with_added(added: Iterable[Source], built_in: Sequence[Source] | None = None) -> tuple[Source, ...]:
    """The built-in sources, then the added ones; an added one with the id of a built-in one takes its place.

    The order is fixed by the settings alone, so that the same settings always make the same prompt.

    Raises:
        ValueError: an id stands twice, or there are more than `MAX_SOURCES`.
    """
    chosen = {source.id: source for source in (DEFAULT_SOURCES if built_in is None else built_in)}
    seen: set[SourceId] = set()
    for source in added:
        if source.id in seen:
            raise ValueError(f"the source {source.id} stands twice")
        seen.add(source.id)
        chosen[source.id] = source
    if len(chosen) > MAX_SOURCES:
        raise ValueError(f"there are {len(chosen)} sources; at most {MAX_SOURCES} fit into a prompt")
    return tuple(chosen.values())


def offered(sources: tuple[Source, ...], held: frozenset[SourceId]) -> tuple[Source, ...]:
    """The sources that an index holds documents of; a choice that finds nothing only misleads."""
    return tuple(source for source in sources if source.id in held)


def source_named(name: str, sources: Iterable[Source]) -> Source:
    """The source of this id.

    Raises:
        UnknownSourceError: there is none; the message names those there are, and the nearest.
    """
    held = {str(source.id): source for source in sources}
    if name in held:
        return held[name]
    near = difflib.get_close_matches(name, held, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise UnknownSourceError(f"There is no source {name[:_MAX_NAME_SHOWN]!r}.{meant} Sources: {', '.join(held)}.")


DEFAULT_SOURCES = (
    Source(
        id=SourceId("guidelines"),
        description="Recommendations on patient care: first-line treatment, drug doses and duration, screening, tests, "
        "monitoring, referral.",
    ),
    Source(
        id=SourceId("patient_information"),
        description="What is this disease? Plain-language pages for patients: symptoms, causes, inheritance, "
        "complications, outlook.",
    ),
    Source(
        id=SourceId("public_health_reports"),
        description="Surveillance reports: case counts, rates, prevalence and trends in the population, outbreaks, "
        "deaths, survey results.",
    ),
    Source(
        id=SourceId("codes"),
        description="Disease codes (ICD-10-CM) with their official meanings; for coding, not for care.",
    ),
)
