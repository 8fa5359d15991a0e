"""A question set: passages, queries and graded judgements that say which passage serves which query.

The same three parts as a TREC or BEIR test collection. `assembled` checks them; the readers in
`eval.retrieval.sets` make them from what publishers ship. Question and passage texts stay in memory: nothing
here may log or write them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from eval.retrieval.errors import SetInvalidError
from eval.retrieval.measures import Grades, relevant_passages
from retrieval import CorpusEntry, Document, DocumentId, Passage, PassageId, PassageKind, SourceId
from retrieval.documents import sha256_of


@dataclass(frozen=True, slots=True)
class Query:
    """A question with its judgements."""

    id: str
    text: str
    grades: Grades


@dataclass(frozen=True)
class QuestionSet:
    """What systems are measured on."""

    name: str
    #: One or two sentences: what a good figure on this set shows, and what it does not.
    measures_what: str
    entries: tuple[CorpusEntry, ...]
    #: Every one has a passage of at least `relevant_from`.
    queries: tuple[Query, ...]
    #: Lowest grade that recall and MRR count as relevant; nDCG uses the grades themselves.
    relevant_from: int = 1
    #: What was left out of the publisher's files, and how many: never silently.
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def passages(self) -> int:
        """How many passages are searched."""
        return sum(len(entry.passages) for entry in self.entries)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) of passages, queries and judgements: two runs with one hash measured on the same thing."""
        return sha256_of(
            [
                sorted(p.content_hash for entry in self.entries for p in entry.passages),
                sorted([query.id, query.text, sorted(query.grades.items())] for query in self.queries),
                self.relevant_from,
            ]
        )

    def first(self, count: int) -> QuestionSet:
        """The same passages with only the first `count` queries, for a quick look."""
        return replace(self, queries=self.queries[:count])


def assembled(
    name: str,
    *,
    measures_what: str,
    entries: Iterable[CorpusEntry],
    queries: Iterable[tuple[str, str]],
    grades: Mapping[str, Mapping[str, int]],
    relevant_from: int = 1,
    left_out: Mapping[str, int] | None = None,
) -> QuestionSet:
    """Put a set together, leaving out (and counting) queries that nothing can be measured on.

    A query with no relevant passage has no recall and no ideal ranking: it is excluded, never scored 0. A judgement
    of a passage that is not in the collection stays, as in trec_eval, because a system should have found it; it is
    counted. Two queries with the same words are one query, judged by the better of both grades.

    Args:
        queries: ids and texts.
        grades: by query id, then passage id.

    Raises:
        SetInvalidError: an id stands twice, or no query is left.
    """
    held = tuple(entries)
    passage_ids = [passage.id for entry in held for passage in entry.passages]
    known: set[str] = set(passage_ids)
    if len(known) != len(passage_ids):
        raise SetInvalidError(f"In the set {name} a passage id stands twice.")
    counts: defaultdict[str, int] = defaultdict(int, left_out or {})
    merged: dict[str, tuple[str, str, dict[str, int]]] = {}
    seen: set[str] = set()
    for query_id, text in queries:
        if query_id in seen:
            raise SetInvalidError(f"In the set {name} the query id {query_id[:40]!r} stands twice.")
        seen.add(query_id)
        words = " ".join(text.split())
        if not words:
            counts["queries without words"] += 1
            continue
        if words.casefold() in merged:
            counts["queries merged with one of the same words"] += 1
        _, _, own = merged.setdefault(words.casefold(), (query_id, words, {}))
        for passage_id, grade in grades.get(query_id, {}).items():
            own[passage_id] = max(grade, own.get(passage_id, grade))
    kept = []
    for query_id, words, own in merged.values():
        if not relevant_passages(own, relevant_from):
            counts["queries without a relevant passage"] += 1
            continue
        counts["judgements of passages not in the collection (kept, as never found)"] += len(own.keys() - known)
        kept.append(Query(query_id, words, own))
    unknown = sum(len(judged) for query_id, judged in grades.items() if query_id not in seen)
    counts["judgements of queries that are not there"] += unknown
    if not kept:
        raise SetInvalidError(f"The set {name} holds no query with a relevant passage.")
    shown = {what: count for what, count in counts.items() if count}
    return QuestionSet(name, measures_what, held, tuple(kept), relevant_from, shown)


def plain_entry(passage_id: str, text: str, *, title: str = "", publisher: str = "") -> CorpusEntry:
    """A benchmark's passage as a document of its own; a title is searched once, before the text."""
    document = Document(
        id=DocumentId(passage_id), source=SourceId("benchmark"), title="", publisher=publisher, region="INT"
    )
    passage = Passage(
        id=PassageId(passage_id),
        document_id=document.id,
        kind=PassageKind.NARRATIVE,
        section=(title,) if title else (),
        text=text,
    )
    return CorpusEntry(document=document, passages=(passage,))
