"""Which documents of a corpus a newer version replaces.

A document is superseded when another one in the corpus names it in `supersedes`, or when the corpus holds a
newer edition: a document with recommendations of the same source, publisher, title, region and language that
appeared wholly later and has recommendations on every condition of the older one. The edition rule asks for all
of that because publishers repeat titles ("Foreword", "Appendix A"), one guideline may be digested by condition,
and what a newer edition leaves out may still be the only advice there is. Titles of fewer than three words,
documents without a date and those with a recommendation whose condition is not known (no heading, or only the
title) never count; version strings are not compared, since no order of them is safe. What is stated goes before
what dates suggest. Documents that name each other in a circle supersede nobody: the data is wrong, so all are
shown. Chains are followed: the newest version is named. This module decides; `retrieval.index` records it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from retrieval.dates import first_day, last_day
from retrieval.documents import CorpusEntry, Document, DocumentId, PassageKind
from retrieval.filters import filter_key, language_key

_LEAST_TITLE_WORDS = 3
_Series = tuple[str, str, str, str, str]
_Replaced = dict[DocumentId, DocumentId]


@dataclass(frozen=True, slots=True)
class _Edition:
    document: Document
    conditions: frozenset[str]
    #: Whether every recommendation says its condition; if not, another can cover it all only by chance.
    known: bool


def superseded_by(entries: Iterable[CorpusEntry]) -> _Replaced:
    """Each superseded document of a corpus with the newest version of it there."""
    documents: dict[DocumentId, Document] = {}
    series: dict[_Series, list[_Edition]] = defaultdict(list)
    for entry in entries:
        documents[entry.document.id] = entry.document
        if (key := _series(entry.document)) is not None:
            series[key].append(_edition(entry))
    newer: _Replaced = {}
    for document in documents.values():
        old = document.supersedes
        if old is not None and old in documents and old != document.id:
            known = newer.get(old)
            if known is None or _age(documents[known]) < _age(document):
                newer[old] = document.id
    for editions in series.values():
        _order_editions(editions, newer)
    return _newest(newer)


def _series(document: Document) -> _Series | None:
    title = _words(document.title)
    if document.published is None or len(title.split()) < _LEAST_TITLE_WORDS:
        return None
    return (
        str(document.source),
        filter_key(document.publisher),
        title,
        filter_key(document.region),
        language_key(document.language),
    )


def _edition(entry: CorpusEntry) -> _Edition:
    title = _words(entry.document.title)
    headings = {
        _words(passage.section[0]) if passage.section else title
        for passage in entry.passages
        if passage.kind is PassageKind.RECOMMENDATION
    }
    conditions = frozenset(headings - {title})
    return _Edition(entry.document, conditions, known=conditions == headings and bool(conditions))


def _order_editions(editions: list[_Edition], newer: _Replaced) -> None:
    """Add the editions of one series to what is stated; an edition that would close a circle is passed over."""
    ordered = sorted(editions, key=lambda edition: _age(edition.document), reverse=True)
    for at, old in enumerate(ordered):
        if not old.known or old.document.id in newer:
            continue
        for new in ordered[:at]:
            if (
                _wholly_before(old.document, new.document)
                and old.conditions <= new.conditions
                and not _leads_to(new.document.id, old.document.id, newer)
            ):
                newer[old.document.id] = new.document.id
                break


def _wholly_before(old: Document, new: Document) -> bool:
    assert old.published is not None
    assert new.published is not None
    return last_day(old.published) < first_day(new.published)


def _leads_to(start: DocumentId, end: DocumentId, newer: Mapping[DocumentId, DocumentId]) -> bool:
    seen = {start}
    at = start
    while at != end and at in newer and newer[at] not in seen:
        at = newer[at]
        seen.add(at)
    return at == end


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _age(document: Document) -> tuple[int, str]:
    """Sorts older before newer; undated first, equals by id."""
    return (first_day(document.published) if document.published else 0, str(document.id))


def _newest(newer: Mapping[DocumentId, DocumentId]) -> _Replaced:
    found: _Replaced = {}
    for old in newer:
        seen, at = {old}, newer[old]
        while at not in seen and at in newer:
            seen.add(at)
            at = newer[at]
        if at not in seen:
            found[old] = at
    return found
