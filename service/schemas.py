"""Request and response bodies of the HTTP API."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from agent import Citation, Question, Turn, clean_question
from agent.question import Printable
from retrieval import SearchFilters, SourceId

Name = Annotated[Printable, Field(min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Search only this source; see GET /v1/sources.
    source: Name | None = None
    publishers: tuple[Name, ...] = Field(default=(), max_length=50)
    #: Country codes, "EU" or "INT".
    regions: tuple[Name, ...] = Field(default=(), max_length=50)

    def filters(self) -> SearchFilters:
        """The filters as retrieval takes them."""
        return SearchFilters(
            source=SourceId(self.source) if self.source else None, publishers=self.publishers, regions=self.regions
        )


class AskBody(_Body):
    """Body of POST /v1/ask."""

    question: str
    history: tuple[Turn, ...] = Field(default=(), max_length=10)

    def to_question(self) -> Question:
        """The question as the agent takes it. Raises QuestionError."""
        return Question(text=clean_question(self.question), history=self.history, filters=self.filters())


class SearchBody(_Body):
    """Body of POST /v1/search."""

    query: str
    limit: int = Field(default=8, ge=1, le=50)


class SearchHit(BaseModel):
    """One found passage; `score` is the fused rank score, comparable within one search only."""

    model_config = ConfigDict(frozen=True)

    rank: int
    score: float
    citation: Citation


class SearchResponse(BaseModel):
    """What a search found, best first."""

    model_config = ConfigDict(frozen=True)

    hits: tuple[SearchHit, ...]
    index_version: str
    total_ms: float


class SourceInfo(BaseModel):
    """A source that can be searched."""

    model_config = ConfigDict(frozen=True)

    id: str
    description: str


class Readiness(BaseModel):
    """Whether questions can be asked. Without a model the service answers with labelled search results."""

    model_config = ConfigDict(frozen=True)

    status: str
    model: bool
    index_version: str
