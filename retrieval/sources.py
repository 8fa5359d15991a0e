"""What a search can be pointed at.

The description of a source stands in the model's prompt, one line each, and is all the model knows
of it; so it says what is inside, not how it is stored.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from retrieval.documents import SourceId
from retrieval.filters import SearchFilters


class Source(BaseModel):
    """One choice the agent has, with the filters that hold unless a search names its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: SourceId
    #: One line for the prompt.
    description: Annotated[str, Field(min_length=10, max_length=200, pattern=r"^[^\r\n]*$")]
    #: Default filters; empty puts no condition.
    publishers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def narrowed(self, filters: SearchFilters) -> SearchFilters:
        """`filters` limited to this source, its defaults filling what they leave open."""
        return filters.model_copy(
            update={
                "source": self.id,
                "publishers": filters.publishers or self.publishers,
                "regions": filters.regions or self.regions,
            }
        )


def offered(sources: tuple[Source, ...], held: frozenset[SourceId]) -> tuple[Source, ...]:
    """The sources that an index holds documents of; a choice that finds nothing only misleads."""
    return tuple(source for source in sources if source.id in held)


DEFAULT_SOURCES = (
    Source(
        id=SourceId("guidelines"),
        description="Clinical guideline recommendations: diagnosis, treatment, doses, monitoring, referral.",
    ),
    Source(
        id=SourceId("patient_information"),
        description="Plain-language pages for patients: what a condition or drug is, symptoms, causes, outlook.",
    ),
    Source(
        id=SourceId("codes"),
        description="Disease codes (ICD-10-CM) with their official meanings; for coding, not for care.",
    ),
)
