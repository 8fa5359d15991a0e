"""Answers: what a clinician receives, with every citation carrying the whole recommendation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from agent.disagreements import Difference, Disagreement
from agent.gate import Verdict, WithheldReason
from agent.labels import standing_labels
from agent.patient.conflict import Conflict, rules_out
from retrieval import DocumentId, GuidanceStatus, Hit, PartialDate, PassageId, PassageKind, without_hidden


class StopReason(StrEnum):
    """Why a run ended."""

    ANSWERED = "answered"
    REPLIED = "replied"
    NEEDS_CLARIFICATION = "needs_clarification"
    NO_EVIDENCE = "no_evidence"
    DECLINED = "declined"
    BUDGET_EXHAUSTED = "budget_exhausted"
    MODEL_FAILED = "model_failed"


class AnswerKind(StrEnum):
    """What the answer is made of."""

    #: Sentences the model wrote and the gate let through.
    WRITTEN = "written"
    #: The retrieved recommendations themselves, labelled; the model's words are not used.
    RECOMMENDATIONS = "recommendations"
    #: A question back to the clinician, from a template.
    CLARIFICATION = "clarification"
    #: A refusal, from the policy file or a template.
    DECLINED = "declined"
    #: Thanks, what this service is, or the last answer reworded (and gated again).
    REPLY = "reply"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Citation(_Record):
    """A numbered source: the whole passage with its grade, and where it comes from."""

    number: int
    passage_id: PassageId
    document_id: DocumentId
    kind: PassageKind
    condition: str | None
    text: str
    strength: str | None
    certainty: str | None
    population: str | None
    contraindications: tuple[str, ...]
    title: str
    publisher: str
    year: int | None
    region: str
    url: str | None
    notice: str | None
    #: As precisely as the publisher states it; `year` is its year.
    published: PartialDate | None = None
    review_by: PartialDate | None = None
    version: str | None = None
    status: GuidanceStatus = GuidanceStatus.CURRENT
    #: The newest version of a superseded document; None where that one is withdrawn, as the labels then say.
    superseded_by: DocumentId | None = None
    #: From another region than the home region and the bodies that it belongs to.
    from_elsewhere: bool = False
    #: Sentences to show beside it: why it is not for the patient, then superseded, expired, from another region.
    labels: tuple[str, ...] = ()
    #: What it says that the patient of the question does not fit; the headline of each is among the labels.
    conflicts: tuple[Conflict, ...] = ()

    @classmethod
    def of(cls, number: int, hit: Hit, conflicts: tuple[Conflict, ...] = ()) -> Citation:
        """The citation of a hit under a display number, without characters that nobody can see."""
        passage, document = hit.passage, hit.document
        return cls(
            number=number,
            passage_id=passage.id,
            document_id=document.id,
            kind=passage.kind,
            condition=_seen(passage.section[0]) if passage.section else None,
            text=without_hidden(passage.text),
            strength=_seen(passage.strength),
            certainty=_seen(passage.certainty),
            population=_seen(passage.population),
            contraindications=tuple(without_hidden(item) for item in passage.contraindications),
            title=without_hidden(document.title),
            publisher=without_hidden(document.publisher),
            year=int(document.published[:4]) if document.published else None,
            region=document.region,
            url=_seen(document.url),
            notice=_seen(document.notice),
            published=document.published,
            review_by=document.review_by,
            version=_seen(document.version),
            status=hit.status,
            superseded_by=hit.superseded_by,
            from_elsewhere=hit.from_elsewhere,
            labels=(*(conflict.headline for conflict in conflicts), *standing_labels(hit)),
            conflicts=conflicts,
        )

    @property
    def is_ruled_out(self) -> bool:
        """Whether all or part of it is not for the patient of the question."""
        return rules_out(self.conflicts)

    def without_patient(self) -> Citation:
        """The citation with nothing in it that the question said of a patient."""
        headlines = {conflict.headline for conflict in self.conflicts}
        return self.model_copy(
            update={"conflicts": (), "labels": tuple(label for label in self.labels if label not in headlines)}
        )


def _seen(text: str | None) -> str | None:
    return None if text is None else without_hidden(text)


class Sentence(_Record):
    """One shown sentence with the display numbers of its citations."""

    text: str
    citations: tuple[int, ...]


class Notice(_Record):
    """What the organisation's policy says before an answer: where to get help at once. `rule` is why."""

    rule: str
    text: str


class Answer(_Record):
    """The outcome of a run as shown. `label` says what the clinician is looking at when it is not a full answer."""

    kind: AnswerKind
    #: To be shown before everything else, beside the answer and never instead of it.
    notices: tuple[Notice, ...] = ()
    label: str | None = None
    sentences: tuple[Sentence, ...] = ()
    citations: tuple[Citation, ...] = ()
    #: Sentences the gate withheld, by reason; empty when the model wrote none.
    withheld: dict[WithheldReason, int] = {}
    #: Citations of different publishers or regions that disagree on one point, to be shown side by side.
    disagreements: tuple[Disagreement, ...] = ()
    #: Sentences of the policy that must stand with the answer wherever it is shown.
    disclaimers: tuple[str, ...] = ()

    @property
    def used(self) -> tuple[Citation, ...]:
        """The citations that a sentence rests on; the others were found and are listed beside the answer."""
        numbers = {number for sentence in self.sentences for number in sentence.citations}
        return tuple(citation for citation in self.citations if citation.number in numbers)

    def sides(self, disagreement: Disagreement, of: Difference) -> tuple[tuple[Citation, str], tuple[Citation, str]]:
        """The two citations of a disagreement of this answer, each with its own words on one difference."""
        by_number = {citation.number: citation for citation in self.citations}
        return (by_number[disagreement.first], of.first), (by_number[disagreement.second], of.second)

    def without(self, gone: Collection[int], label: str) -> Answer:
        """The answer without these citations and every sentence that rests on one, under a label that says so."""
        return self.model_copy(
            update={
                "citations": tuple(item for item in self.citations if item.number not in gone),
                "sentences": tuple(item for item in self.sentences if not set(item.citations) & set(gone)),
                "disagreements": tuple(
                    item for item in self.disagreements if not {item.first, item.second} & set(gone)
                ),
                "label": label,
            }
        )

    @property
    def text(self) -> str:
        """The answer as plain text: label, sentences with their numbers."""
        body = " ".join(
            sentence.text + "".join(f" [{number}]" for number in sentence.citations) for sentence in self.sentences
        )
        return "\n\n".join(part for part in (body, self.label) if part)


def withheld_counts(verdicts: Iterable[Verdict]) -> dict[WithheldReason, int]:
    """How many sentences were withheld, by reason."""
    return dict(Counter(v.reason for v in verdicts if v.reason is not None))
