"""What the tools return. The descriptions are read by the models of other people's software, so they say what must not
get lost on the way to a clinician.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from agent import AnswerKind, Citation, RunSummary, StopReason
from agent.disagreements import Disagreement
from agent.gate import WithheldReason
from agent.patient import Conflict
from retrieval import GuidanceStatus, Hit, PassageKind, SearchResult
from service.chat.text import web_url

ResultKind = Literal["answer", "reply", "clarification", "no_evidence", "search_results", "declined"]

_KINDS: dict[AnswerKind, ResultKind] = {
    AnswerKind.WRITTEN: "answer",
    AnswerKind.RECOMMENDATIONS: "search_results",
    AnswerKind.CLARIFICATION: "clarification",
    AnswerKind.DECLINED: "declined",
    AnswerKind.REPLY: "reply",
}


class _Result(BaseModel):
    model_config = ConfigDict(frozen=True)


class Recommendation(_Result):
    """A whole passage of a guideline with its grade, its limits and where it stands."""

    id: str = Field(description="Opens it again with get_recommendation.")
    document_id: str = Field(description="The guideline it is part of.")
    kind: PassageKind = Field(description="A recommendation, a row of a table, or the text around them.")
    condition: str | None = Field(description="What it is about.")
    text: str = Field(description="Word for word and whole. Do not shorten a dose, a condition or a negation.")
    strength: str | None = Field(description="In the publisher's words; null where it states none.")
    certainty: str | None = Field(description="Certainty of the evidence, in the publisher's words.")
    population: str | None = Field(description="Whom it is for; say it with the recommendation.")
    contraindications: tuple[str, ...] = Field(description="When it must not be followed; say it too.")
    title: str = Field(description="Title of the guideline.")
    publisher: str
    published: str | None = Field(description="Date of publication, as precisely as it is stated.")
    review_by: str | None = Field(description="Date after which it counts as expired.")
    version: str | None
    region: str = Field(description='Country code, "EU" or "INT".')
    url: str | None = Field(description="The publisher's original.")
    notice: str | None = Field(description="What the reader must be told of this text as a whole.")
    status: GuidanceStatus = Field(description="Whether it is current, superseded by a newer version, or expired.")
    superseded_by: str | None = Field(description="Id of the newest version, where that one still stands.")
    from_elsewhere: bool = Field(description="From another region than the clinician's.")
    labels: tuple[str, ...] = Field(
        description="Sentences that must be shown beside it: does not apply to this patient, superseded, expired, ..."
    )
    conflicts: tuple[Conflict, ...] = Field(
        description="What it states against the patient of the question; weight whole or part: it is not for them. "
        "Empty is no approval."
    )

    @classmethod
    def of(cls, citation: Citation) -> Self:
        """What is told of a citation."""
        return cls.model_validate(_told(citation))


class FoundRecommendation(Recommendation):
    """A search result."""

    rank: int = Field(description="From 1, best first.")
    relevance: float | None = Field(description="Probability of being on the subject; null where it is not known.")
    below_floor: bool = Field(description="Probably off the subject: an answer would not list it.")


class Evidence(Recommendation):
    """What an answer rests on, or what was found beside it."""

    number: int = Field(description="The number that sentences cite it by.")
    cited: bool = Field(description="Whether a sentence rests on it; the others were found and are listed.")


class SourcedSentence(_Result):
    """One sentence that passed the checks."""

    text: str = Field(description="Show it as it stands: it was checked word for word.")
    citations: tuple[int, ...] = Field(description="Numbers of the evidence it rests on; show them with it.")


class SearchResults(_Result):
    """What a search found."""

    recommendations: tuple[FoundRecommendation, ...] = Field(description="Best first; empty where nothing was found.")
    undated_left_out: int | None = Field(
        description="Passages that a date filter left out because they give no date; null without such a filter."
    )
    index_version: str

    @classmethod
    def of(cls, result: SearchResult) -> SearchResults:
        """What is told of a search."""
        return cls(
            recommendations=tuple(_found(hit) for hit in result.hits),
            undated_left_out=result.undated_left_out,
            index_version=result.index_version,
        )


class AskResult(_Result):
    """The outcome of a question."""

    kind: ResultKind = Field(
        description="answer: verified sentences. clarification: a question back, in label. no_evidence: the guidelines "
        "hold no answer. search_results: recommendations found, without an answer of the model's. declined: not a "
        "question for this service. reply: about the service or the last answer."
    )
    notices: tuple[str, ...] = Field(description="Must be shown first, before the answer and not in its place.")
    label: str | None = Field(description="What the clinician must be told about this result, or is asked.")
    sentences: tuple[SourcedSentence, ...]
    evidence: tuple[Evidence, ...] = Field(description="Every recommendation cited or listed, whole.")
    disagreements: tuple[Disagreement, ...] = Field(
        description="Evidence of different publishers or regions, by number, that disagrees, in the words of both: "
        "show both sides, and blend nothing."
    )
    withheld: dict[WithheldReason, int] = Field(
        description="Sentences that could not be verified and are not shown, by reason."
    )
    disclaimers: tuple[str, ...] = Field(description="Must be shown with the answer, word for word.")
    failures: tuple[str, ...] = Field(description="What went wrong and was handled.")
    stop_reason: StopReason
    rollout_id: str = Field(description="Id of the record of this run, for whoever runs the service.")
    model: str
    index_version: str

    @classmethod
    def of(cls, result: RunSummary) -> AskResult:
        """What is told of a finished run."""
        answer = result.answer
        used = answer.used
        none = result.stop_reason is StopReason.NO_EVIDENCE
        return cls(
            kind="no_evidence" if none else _KINDS[answer.kind],
            notices=tuple(notice.text for notice in answer.notices),
            label=answer.label,
            sentences=tuple(SourcedSentence(text=item.text, citations=item.citations) for item in answer.sentences),
            evidence=tuple(
                Evidence.model_validate({**_told(item), "number": item.number, "cited": item in used})
                for item in answer.citations
            ),
            disagreements=answer.disagreements,
            withheld=answer.withheld,
            disclaimers=answer.disclaimers,
            failures=tuple(failure.message for failure in result.failures),
            stop_reason=result.stop_reason,
            rollout_id=result.rollout_id,
            model=result.model,
            index_version=result.index_version,
        )


def _found(hit: Hit) -> FoundRecommendation:
    told = _told(Citation.of(hit.rank, hit))
    return FoundRecommendation.model_validate(
        {**told, "rank": hit.rank, "relevance": hit.relevance, "below_floor": hit.below_floor}
    )


def _told(citation: Citation) -> dict[str, object]:
    """The fields of a recommendation; an address that is not one of the web is left out."""
    fields = {name: getattr(citation, name) for name in Recommendation.model_fields if name not in ("id", "url")}
    return {**fields, "id": citation.passage_id, "url": web_url(citation)}
