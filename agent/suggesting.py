"""Follow-up questions that the corpus can answer, made of what guidelines say of their own recommendations.

Nothing that anybody typed is in one, and no model writes it: condition, subject and population of a recommendation,
put as a question. It is offered only where a search with these words alone puts this recommendation first and the
recommendation can be quoted: then what is asked next rests on something. Guidance that is superseded or expired is not
suggested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice, zip_longest

from pydantic import BaseModel, ConfigDict

from agent.choosing import LOOKED_AT, evidence_of
from agent.quoting import quotable
from retrieval import (
    GuidanceStatus,
    Hit,
    HomeRegion,
    Passage,
    PassageId,
    PassageKind,
    Searcher,
    SearchFilters,
    SearchRequest,
    without_hidden,
)
from retrieval.tokens import words

MAX_SUGGESTIONS = 3
#: Searches that one set of suggestions may cost; each takes as long as a question's own.
_MOST_SEARCHES = 6
#: What fits a button on a phone in three lines.
_MAX_CHARS = 140
#: What an answer would be made of, as in a run.
_EVIDENCE = 5
#: Words and the signs of clinical text; no address, no markup, nothing that only a machine would read.
_PLAIN = re.compile(r"[\w ,.;:()'’/%+≥≤<>=–-]+")
_MACHINE = re.compile(r"https?:|www\.|<\s*[a-z/!]|:/", re.IGNORECASE)


class Suggestion(BaseModel):
    """A question that a recommendation of the corpus answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    #: The recommendation that the search finds first.
    passage_id: PassageId


def follow_ups(
    searcher: Searcher,
    answered: Sequence[PassageId],
    found: Sequence[PassageId] = (),
    *,
    filters: SearchFilters | None = None,
    home_region: HomeRegion | None = None,
) -> tuple[Suggestion, ...]:
    """At most `MAX_SUGGESTIONS` questions for after an answer, the likeliest to be wanted first.

    `answered` are the recommendations that the answer rests on, `found` what was found beside them and not used; those
    come first, then the neighbours of `answered` in their own guidelines.

    Raises:
        RetrievalError: the search or the corpus failed.
    """
    filters = filters or SearchFilters()
    asked = {question_of(hit.passage) for hit in map(searcher.hit, answered) if hit is not None}
    candidates: dict[str, Hit] = {}
    for name in _candidates(searcher, answered, found):
        hit = searcher.hit(name, home_region)
        if hit is None or hit.status is not GuidanceStatus.CURRENT:
            continue
        question = question_of(hit.passage)
        if question is not None and question not in asked:
            candidates.setdefault(question, hit)
    offered = (
        Suggestion(question=question, passage_id=hit.passage.id)
        for question, hit in islice(candidates.items(), _MOST_SEARCHES)
        if _answers(searcher, question, hit, filters, home_region)
    )
    return tuple(islice(offered, MAX_SUGGESTIONS))


def question_of(passage: Passage) -> str | None:
    """What a recommendation answers, as a question in the words of its guideline; None where that names too little."""
    if passage.kind is not PassageKind.RECOMMENDATION or not passage.section:
        return None
    about = passage.section[0]
    subject = passage.section[-1] if len(passage.section) > 1 else ""
    # What follows a semicolon is a remark on the population.
    population = (passage.population or "").split(";")[0]
    if not (subject or population):
        return None
    named, whom = _named(about), _named(population)
    if not subject or _named(subject) <= named:
        asked = about
    else:
        # "Treatment in adults with example fever" says the condition once.
        asked = subject[0].upper() + subject[1:] if named <= whom else f"{about}: {subject}"
    if population:
        asked = f"{asked} in {_within(population)}"
    question = " ".join(without_hidden(asked).split()).rstrip(".:; ") + "?"
    plain = _PLAIN.fullmatch(question[:-1]) and not _MACHINE.search(question)
    return question if plain and len(question) <= _MAX_CHARS else None


def _candidates(searcher: Searcher, answered: Sequence[PassageId], found: Sequence[PassageId]) -> Iterator[PassageId]:
    """What may be asked about next, each once and nothing that was answered; neighbours by turns."""
    rows = [searcher.beside(name) for name in answered]
    beside = (name for row in zip_longest(*rows) for name in row if name is not None)
    done = frozenset(answered)
    yield from (name for name in dict.fromkeys(chain(found, beside)) if name not in done)


def _answers(
    searcher: Searcher, question: str, hit: Hit, filters: SearchFilters, home_region: HomeRegion | None
) -> bool:
    """Whether a search for the question finds this recommendation first, and it can be quoted."""
    if not quotable(hit):
        return False
    request = SearchRequest(
        queries=(question,),
        # As the agent searches: one source at a time.
        filters=filters.model_copy(update={"source": filters.source or hit.document.source}),
        home_region=home_region,
        limit=LOOKED_AT,
    )
    evidence = evidence_of(searcher.search(request), question, _EVIDENCE)
    return bool(evidence) and evidence[0].passage.id == hit.passage.id


def _named(text: str) -> frozenset[str]:
    return frozenset(words(text))


def _within(population: str) -> str:
    """A population inside a sentence: "Adults with ..." small, "HIV-negative adults" as it is."""
    return population[0].lower() + population[1:] if population[1:2].islower() else population
