"""Which documents of a corpus a newer version replaces.

A document is superseded when another one in the corpus names it in `supersedes`, or when the corpus holds a
newer edition: a document with recommendations of the same source, publisher, title, region and language, with a
recommendation on the same condition, that appeared wholly later. The edition rule asks for all of that because
publishers repeat titles ("Foreword", "Appendix A") and one guideline may be digested by condition. Titles of
fewer than three words and documents without a date never count; version strings are not compared, since no order
of them is safe. Documents that name each other in a circle supersede nobody: the data is wrong, so all are shown.
Chains are followed: the newest version is named. This module decides; `retrieval.index` records it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from retrieval.dates import first_day, last_day
from retrieval.documents import CorpusEntry, Document, DocumentId, PassageKind
from retrieval.filters import filter_key, language_key

_LEAST_TITLE_WORDS = 3
_Edition = tuple[str, str, str, str, str, str]


def superseded_by(entries: Iterable[CorpusEntry]) -> dict[DocumentId, DocumentId]:
    """Each superseded document of a corpus with the newest version of it there."""
    documents: dict[DocumentId, Document] = {}
    editions: dict[_Edition, set[DocumentId]] = defaultdict(set)
    for entry in entries:
        documents[entry.document.id] = entry.document
        for edition in _editions(entry):
            editions[edition].add(entry.document.id)
    newer: dict[DocumentId, DocumentId] = {}
    for ids in editions.values():
        _order_editions([documents[name] for name in ids], newer)
    stated: dict[DocumentId, DocumentId] = {}
    for document in documents.values():
        old = document.supersedes
        if old is not None and old in documents and old != document.id:
            known = stated.get(old)
            if known is None or _age(documents[known]) < _age(document):
                stated[old] = document.id
    # What a publisher states of its own documents goes before what their dates suggest.
    return _newest(newer | stated)


def _editions(entry: CorpusEntry) -> set[_Edition]:
    document = entry.document
    title = " ".join(re.findall(r"\w+", document.title.casefold()))
    if document.published is None or len(title.split()) < _LEAST_TITLE_WORDS:
        return set()
    common = (
        str(document.source),
        filter_key(document.publisher),
        title,
        filter_key(document.region),
        language_key(document.language),
    )
    conditions = {
        filter_key(passage.section[0])
        for passage in entry.passages
        if passage.kind is PassageKind.RECOMMENDATION and passage.section
    }
    return {(*common, condition) for condition in conditions}


def _order_editions(editions: list[Document], newer: dict[DocumentId, DocumentId]) -> None:
    newest = max(editions, key=_age)
    assert newest.published is not None
    for document in editions:
        assert document.published is not None
        if last_day(document.published) < first_day(newest.published):
            newer[document.id] = newest.id


def _age(document: Document) -> tuple[int, str]:
    """Sorts older before newer; undated first, equals by id."""
    return (first_day(document.published) if document.published else 0, str(document.id))


def _newest(newer: Mapping[DocumentId, DocumentId]) -> dict[DocumentId, DocumentId]:
    found = {}
    for old in newer:
        seen, at = {old}, newer[old]
        while at not in seen and at in newer:
            seen.add(at)
            at = newer[at]
        if at not in seen:
            found[old] = at
    return found
