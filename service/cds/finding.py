"""Looks subjects up by the product's own search, without the model, and keeps what is plainly about them.

Nobody asked for a card, so one that is off the subject is worse than none: beyond the floor that holds for every
result (`retrieval.relevance`), a recommendation must hold most words of the problem, by any of its names, and name the
medicine.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from agent.choosing import LOOKED_AT, evidence_of
from agent.sufficiency import AskedWords, Match
from retrieval import Hit, PassageKind, RetrievalError, SearchFilters, SearchRequest, SourceId
from retrieval.readers.base import CODES
from retrieval.routing import GUIDELINES
from retrieval.tokens import words
from service.cds.fitting import conflicts
from service.cds.patient import CodedPatient
from service.cds.subjects import Subject
from service.container import Service
from service.problems import ProblemError
from service.searching import unavailable

#: Cards of one response.
MAX_CARDS = 4
#: Recommendations considered for one subject.
_CONSIDERED = 8
#: Seconds after which a response would come too late to be read.
DEADLINE_S = 10.0
#: What a coded name says of the kind of a problem and its guideline may not say.
_ANY_KIND = re.compile(r"\b(?:acute|essential|primary|uncomplicated)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Found:
    """A recommendation with what it was looked up for, and what in the record is against it."""

    hit: Hit
    subject: Subject
    conflicts: tuple[str, ...]


async def find(
    service: Service, subjects: Sequence[Subject], patient: CodedPatient, deadline_s: float = DEADLINE_S
) -> tuple[Found, ...]:
    """The recommendations to show, at most `MAX_CARDS`: the subjects in turn, those without a conflict first.

    Those that were found by the deadline are returned without those that were not.

    Raises:
        ProblemError: the guidelines cannot be searched, or none of them in time.
    """
    if GUIDELINES not in {source.id for source in service.agent.searcher.sources}:
        return ()
    searches = [asyncio.ensure_future(asyncio.to_thread(_of_one, service, item, patient)) for item in subjects]
    if not searches:
        return ()
    done, late = await asyncio.wait(searches, timeout=deadline_s)
    for search in late:
        search.cancel()
    if not done:
        raise ProblemError(
            503, "search_too_slow", "The search did not end in time. Try again in a moment.", retry_after_s=5
        )
    try:
        # In the order of the subjects; what was late is left out, as what was not looked up is.
        lists = [search.result() for search in searches if search in done]
    except RetrievalError as error:
        raise unavailable(error) from error
    in_turn = [item for row in zip_longest(*lists) for item in row if item is not None]
    once = {item.hit.passage.id: item for item in reversed(in_turn)}
    ordered = [item for item in in_turn if once[item.hit.passage.id] is item]
    return tuple(sorted(ordered, key=lambda item: bool(item.conflicts))[:MAX_CARDS])


def name_of_code(service: Service, code: str) -> str | None:
    """The meaning of an ICD-10 code, where the deployment's `codes` source has it.

    Raises:
        RetrievalError: the search failed.
    """
    searcher = service.agent.searcher
    if CODES not in {source.id for source in searcher.sources}:
        return None
    dotted = code if "." in code or len(code) < 4 else f"{code[:3]}.{code[3:]}"
    request = SearchRequest(queries=(dotted,), filters=SearchFilters(source=CODES), limit=20)
    for hit in searcher.search(request).hits:
        fields = dict(part.split(": ", 1) for part in hit.passage.text.replace("\n", "; ").split("; ") if ": " in part)
        if fields.get("Code") == dotted:
            return fields.get("Meaning")
    return None


def _of_one(service: Service, subject: Subject, patient: CodedPatient) -> list[Found]:
    queries = [subject.query, *_worded(subject, patient)]
    request = SearchRequest(queries=tuple(queries), filters=SearchFilters(source=SourceId(GUIDELINES)), limit=LOOKED_AT)
    hits = evidence_of(
        service.agent.searcher.search(request),
        subject.query,
        _CONSIDERED,
        fits=lambda passage: not conflicts(passage, patient),
    )
    asked = AskedWords(_ANY_KIND.sub(" ", subject.condition)) if subject.condition else None
    return [
        Found(hit, subject, conflicts(hit.passage, patient))
        for hit in hits
        if hit.passage.kind is PassageKind.RECOMMENDATION and _about(hit, subject, asked)
    ]


def _about(hit: Hit, subject: Subject, asked: AskedWords | None) -> bool:
    if asked is not None and asked.match(hit) not in (Match.ALL, Match.MOST):
        return False
    held = set(words(f"{hit.passage.text} {' '.join(hit.passage.contraindications)}"))
    return not subject.drugs or any(set(words(" ".join(way))) <= held for way in subject.drugs)


def _worded(subject: Subject, patient: CodedPatient) -> list[str]:
    """The same need with what of the patient decides which recommendation applies."""
    group = []
    if patient.pregnant:
        group.append("in pregnancy")
    if patient.age is not None and patient.age[1] < 16:
        group.append("in children")
    if patient.allergies:
        group.append(f"with {patient.allergies[0]} allergy")
    return [f"{subject.query} {' '.join(group)}"[:400]] if group else []
