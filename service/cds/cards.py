"""Cards of CDS Hooks 2.0, made of recommendations found.

A card holds a recommendation whole, with everything that travels with it. Its summary says what the recommendation is
about and whom it is for, never what it says: a line of 139 characters would cut a condition off a dose. The indicator
is always "info": a search cannot know that something is urgent.
"""

from __future__ import annotations

import uuid
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from agent import Citation
from service.cds.clients import is_web_address
from service.cds.finding import Found
from service.cds.markdown import escaped, plain
from service.cds.patient import CodedPatient
from service.chat.text import web_url

#: The specification: fewer than 140.
MAX_SUMMARY_CHARS = 139
_OVERRIDE_SYSTEM = "urn:clinsearch:cds:override"
#: Why a card may be dismissed, by code: what is counted of feedback.
OVERRIDES = {
    "other-patient": "Not for this patient",
    "off-subject": "Not about this problem",
    "known": "Already done or known",
    "disagree": "I disagree with the recommendation",
}
LABEL = "Recommendation found by search for the coded record; it was not chosen by a clinician."


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class CardCoding(_Wire):
    """A code with its system."""

    system: str | None = None
    code: str
    display: str | None = None


class Source(_Wire):
    """Whose recommendation it is."""

    label: str
    url: str | None = None
    #: The code that it was looked up for.
    topic: CardCoding | None = None


class Link(_Wire):
    """The publisher's original."""

    label: str
    url: str
    type: Literal["absolute"] = "absolute"


class Card(_Wire):
    """One recommendation."""

    uuid: str
    summary: str = Field(max_length=MAX_SUMMARY_CHARS)
    #: GitHub Flavored Markdown.
    detail: str
    indicator: Literal["info"] = "info"
    source: Source
    override_reasons: tuple[CardCoding, ...]
    links: tuple[Link, ...] | None = None


class Cards(_Wire):
    """The response to a hook; empty where nothing found is on the subject."""

    cards: tuple[Card, ...]


def card(found: Found, patient: CodedPatient) -> Card:
    """The card of one recommendation."""
    citation = Citation.of(1, found.hit)
    url = web_url(citation)
    url = url if url and is_web_address(url) else None
    year = f" ({citation.year})" if citation.year else ""
    topic = found.subject.topic
    return Card(
        uuid=str(uuid.uuid4()),
        summary=_summary(found, citation),
        detail=_detail(found, citation, patient),
        source=Source(
            label=plain(f"{citation.publisher}{year}"),
            url=url,
            topic=CardCoding(system=topic.system, code=topic.code, display=topic.display)
            if topic and topic.code
            else None,
        ),
        override_reasons=tuple(
            CardCoding(system=_OVERRIDE_SYSTEM, code=code, display=display) for code, display in OVERRIDES.items()
        ),
        links=(Link(label="Open the guideline at its publisher", url=url),) if url else None,
    )


def _summary(found: Found, citation: Citation) -> str:
    """What it is about; on what is against it before that, since a client may hide the detail."""
    section = [plain(name) for name in found.hit.passage.section[:1] + found.hit.passage.section[-1:]]
    about = ", ".join(dict.fromkeys(filter(None, section))) or plain(citation.title)
    whom = plain(citation.population) if citation.population else ""
    text = f"{about}: {whom[0].lower()}{whom[1:]}" if whom else about
    if found.conflicts:
        text = f"Check the record first. {text}"
    if len(text) <= MAX_SUMMARY_CHARS:
        return text
    cut = text[: MAX_SUMMARY_CHARS - 2]
    return f"{cut.rpartition(' ')[0] or cut} …"


def _detail(found: Found, citation: Citation, patient: CodedPatient) -> str:
    against = [f"**Check against the record:** {escaped(item)}" for item in found.conflicts]
    head = f"**{escaped(citation.condition)}**" if citation.condition else ""
    rows = [
        ("Strength", citation.strength or "not stated"),
        ("Certainty", citation.certainty),
        ("For", citation.population),
        ("Contraindications", "; ".join(citation.contraindications)),
        ("Publisher", ", ".join(filter(None, (citation.publisher, citation.published, citation.region)))),
        ("Guideline", citation.title),
        ("Looked up for", found.subject.reason),
    ]
    listed = [f"- {name}: {escaped(plain(value))}" for name, value in rows if value]
    listed += [f"- **{escaped(item)}**" for item in citation.labels]
    ends = [citation.notice, f"{LABEL} {_compared(patient)}"]
    parts = [*against, head, escaped(citation.text), "\n".join(listed), *(escaped(item) for item in ends if item)]
    return "\n\n".join(part for part in parts if part)


def _compared(patient: CodedPatient) -> str:
    """What of the record was held against it, so that silence is not taken for a check."""
    held = {
        "age": patient.age is not None,
        "sex": patient.sex is not None,
        "pregnancy": patient.pregnant,
        "allergies": patient.allergies is not None,
        "eGFR": patient.egfr is not None,
    }
    compared = ", ".join(name for name, known in held.items() if known) or "nothing"
    unknown = ", ".join(name for name, known in held.items() if not known)
    rest = f" Not recorded here: {unknown}." if unknown else ""
    return f"Compared with it: {compared}.{rest} Nothing else of the record was compared."
