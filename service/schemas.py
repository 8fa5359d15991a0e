"""Request and response bodies of the HTTP API."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool, StrictInt, model_validator

from agent import MAX_QUESTION_CHARS, Audience, Citation, Question, Turn, clean_question
from agent.question import MAX_TURNS, Printable
from agent.suggesting import Suggestion
from retrieval import HomeRegion, PartialDate, PassageId, SearchFilters, Source, SourceId, StrengthClass, dates_in_order
from service.records import Consent, Feedback
from service.records.models import CONSENT_VERSION, CONSENT_WORDING, Title

Name = Annotated[Printable, Field(min_length=1, max_length=200)]
#: Conversations and runs have ULIDs.
Ulid = Annotated[str, Field(pattern=r"^[0-9A-HJKMNP-TV-Z]{26}$")]


class _Body(BaseModel):
    """What narrows a search. The descriptions are read by people in the API's reference and by models over MCP."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: Name | None = Field(default=None, description="Search only this source, by its id; left out: all of them.")
    publishers: tuple[Name, ...] = Field(
        default=(), max_length=50, description="Only guidance of these publishers, by their names as results give them."
    )
    regions: tuple[Name, ...] = Field(
        default=(),
        max_length=50,
        description='Only guidance of these regions: country codes such as "GB" or "US", "EU", or "INT".',
    )
    languages: tuple[Name, ...] = Field(
        default=(),
        max_length=50,
        description='Only guidance in these languages: BCP 47 tags such as "en", compared by their first subtag.',
    )
    published_from: PartialDate | None = Field(
        default=None,
        description="Published on or after 2018, 2018-06 or 2018-06-30. Guidance without a date is left out; a date "
        "known in part may match.",
    )
    published_to: PartialDate | None = Field(
        default=None, description="Published on or before 2018, 2018-06 or 2018-06-30, as published_from."
    )
    strengths: tuple[StrengthClass, ...] = Field(
        default=(), max_length=len(StrengthClass), description="Only recommendations of these classes of strength."
    )
    include_superseded: StrictBool = Field(
        default=False, description="Also find guidance that a newer version replaces; it is labelled."
    )
    home_region: HomeRegion | None = Field(
        default=None,
        description='Where the clinician works, a country code such as "GB": its guidance comes first among equals, '
        "the rest is labelled as from another region.",
    )
    audience: Audience | None = Field(
        default=None,
        description="Whom it is for, where that is narrower than this deployment: the policy says what is searched and "
        "told for it. A wider one is refused.",
    )

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


class QuestionBody(_Body):
    """A question with what narrows the searches for it."""

    question: str = Field(
        description=f"One clinical question in words, at most {MAX_QUESTION_CHARS:,} characters. Say what decides the "
        "answer (age, pregnancy, allergy, renal function, severity); leave out what identifies the patient."
    )
    history: tuple[Turn, ...] = Field(
        default=(),
        max_length=MAX_TURNS,
        description="Earlier questions of the same conversation with the answers shown, oldest first: for a follow-up "
        "that does not stand alone.",
    )

    def to_question(self) -> Question:
        """The question as the agent takes it. Raises QuestionError."""
        return Question(
            text=clean_question(self.question),
            history=self.history,
            filters=self.filters(),
            home_region=self.home_region,
            audience=self.audience,
        )


class AskBody(QuestionBody):
    """Body of POST /v1/ask."""

    conversation_id: Ulid | None = Field(
        default=None,
        description="Ask in this conversation of yours: the question and its answer are kept there, and what was asked "
        "there before is the history, so that none is given here.",
    )
    model: Name | None = Field(
        default=None, description="The model that answers, see GET /v1/models; left out: the one in use."
    )
    resumable: bool = Field(
        default=False,
        description="Of a streamed answer: the run goes on for a while (X-Resume-Seconds) after the connection is "
        "lost, and its events can be had again from GET /v1/ask/{rollout_id}/events. Whoever wants it no more says so "
        "with DELETE /v1/ask/{rollout_id}. Otherwise a lost connection ends the run.",
    )

    @model_validator(mode="after")
    def _one_history(self) -> Self:
        if self.conversation_id is not None and self.history:
            raise ValueError("history is given and a conversation_id too; the conversation is the history")
        return self


class NewConversationBody(BaseModel):
    """Body of POST /v1/conversations."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title | None = Field(default=None, description="Left out: the first question makes one.")


class TitleBody(BaseModel):
    """Body of PATCH /v1/conversations/{id}."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title


class FeedbackBody(BaseModel):
    """Body of POST /v1/feedback: what is thought of one answer, in place of what was said before."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rollout_id: Ulid = Field(description="Of the answer that is judged, as it came with it.")
    feedback: Feedback | None = Field(description="null takes back what was said.")


class ConsentBody(BaseModel):
    """Body of PUT /v1/consent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    training: StrictBool = Field(
        description="Whether what is asked from now on may be trained on; "
        "false also takes back what was agreed to before."
    )
    version: str = Field(
        min_length=1, max_length=16, description="Of the wording that was shown, as GET /v1/consent gives it."
    )


class ConsentInfo(BaseModel):
    """What was decided on training, and what people are asked."""

    model_config = ConfigDict(frozen=True)

    training: bool = Field(description="Off until somebody says yes.")
    asked: bool = Field(description="Whether you decided on the wording in force; if not, you may be asked once.")
    decided_at: AwareDatetime | None = Field(default=None, description="When you decided last; null: never.")
    version: str = Field(description="Of the wording in force.")
    wording: str = Field(description="What people are asked.")

    @classmethod
    def of(cls, consent: Consent | None) -> ConsentInfo:
        """What is told of a decision."""
        return cls(
            training=consent is not None and consent.agreed,
            asked=consent is not None and consent.stands,
            decided_at=consent.decided_at if consent is not None else None,
            version=CONSENT_VERSION,
            wording=CONSENT_WORDING,
        )


class SearchBody(_Body):
    """Body of POST /v1/search."""

    query: str = Field(description="What to look for, in words: condition, drug, patient, setting.")
    limit: StrictInt = Field(default=8, ge=1, le=50, description="Most results that are returned.")


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


class SuggestionsBody(_Body):
    """Body of POST /v1/suggestions."""

    passage_ids: tuple[PassageId, ...] = Field(
        min_length=1, max_length=20, description="Ids of the recommendations that the answer rests on."
    )
    found_ids: tuple[PassageId, ...] = Field(
        default=(), max_length=20, description="Ids of what was found beside them and not used."
    )


class Suggestions(BaseModel):
    """Questions that may be asked next; each is answered by a recommendation that a search for it finds first."""

    model_config = ConfigDict(frozen=True)

    suggestions: tuple[Suggestion, ...]


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
    #: SHA-256 of the policy file in force.
    policy_sha256: str
