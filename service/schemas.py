"""Request and response bodies of the HTTP API."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from agent import Citation, Question, Turn, clean_question
from agent.question import Printable
from retrieval import HomeRegion, PartialDate, SearchFilters, Source, SourceId, StrengthClass, dates_in_order

Name = Annotated[Printable, Field(min_length=1, max_length=200)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Search only this source; see GET /v1/sources.
    source: Name | None = None
    publishers: tuple[Name, ...] = Field(default=(), max_length=50)
    #: Country codes, "EU" or "INT".
    regions: tuple[Name, ...] = Field(default=(), max_length=50)
    #: BCP 47 tags, compared by their first subtag.
    languages: tuple[Name, ...] = Field(default=(), max_length=50)
    #: "2018", "2018-06" or "2018-06-30"; guidance without a date is left out, a date known in part may match.
    published_from: PartialDate | None = None
    published_to: PartialDate | None = None
    strengths: tuple[StrengthClass, ...] = Field(default=(), max_length=len(StrengthClass))
    #: Also find guidance that a newer version replaces; it is labelled.
    include_superseded: bool = False
    #: Where the clinician works, ISO 3166-1 alpha-2: its guidance comes first among equals.
    home_region: HomeRegion | None = None

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if not dates_in_order(self.published_from, self.published_to):
            raise ValueError("published_from is after published_to")
        return self

    def filters(self) -> SearchFilters:
        """The filters as retrieval takes them."""
        return SearchFilters(
            source=SourceId(self.source) if self.source else None,
            publishers=self.publishers,
            regions=self.regions,
            languages=self.languages,
            published_from=self.published_from,
            published_to=self.published_to,
            strengths=self.strengths,
            include_superseded=self.include_superseded,
        )


class AskBody(_Body):
    """Body of POST /v1/ask."""

    question: str
    history: tuple[Turn, ...] = Field(default=(), max_length=10)
    #: The model that answers, see GET /v1/models; the one in use if left out.
    model: Name | None = None

    def to_question(self) -> Question:
        """The question as the agent takes it. Raises QuestionError."""
        return Question(
            text=clean_question(self.question),
            history=self.history,
            filters=self.filters(),
            home_region=self.home_region,
        )


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
    #: Probability of being on the subject of the query; null where the encoder in use has no model of it.
    relevance: float | None = None
    #: Less likely than the floor; an answer would not list it.
    below_floor: bool = False


class SearchResponse(BaseModel):
    """What a search found, best first."""

    model_config = ConfigDict(frozen=True)

    hits: tuple[SearchHit, ...]
    index_version: str
    total_ms: float
    #: Passages that a date filter left out because their documents give no date; null without a date filter.
    undated_left_out: int | None = None


class SourceInfo(BaseModel):
    """A source that can be searched."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    description: str
    #: Filters that hold unless a search names its own.
    publishers: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    @classmethod
    def of(cls, source: Source) -> SourceInfo:
        """What is told of a source."""
        return cls(
            id=source.id,
            title=source.shown_title,
            description=source.description,
            publishers=source.publishers,
            regions=source.regions,
        )


class ModelInfo(BaseModel):
    """A model that a question may ask for; the first four fields are OpenAI's."""

    model_config = ConfigDict(frozen=True)

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str = "clinsearch"
    #: Answers where a question names no model.
    default: bool
    #: Trained for this project's actions; one that is not only searches, unless the deployment lets it choose.
    trained: bool


class ModelList(BaseModel):
    """The models, the one in use first."""

    model_config = ConfigDict(frozen=True)

    object: Literal["list"] = "list"
    data: tuple[ModelInfo, ...]


class Readiness(BaseModel):
    """Whether questions can be asked. Without a model the service answers with labelled search results."""

    model_config = ConfigDict(frozen=True)

    status: str
    model: bool
    index_version: str
