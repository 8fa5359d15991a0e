"""What the library says, word by word: which passages hold which terms. It answers "does any passage name this?"."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from retrieval import CorpusEntry, Document, DocumentId, Passage, PassageId, PassageKind
from retrieval.tokens import tokenise
from retrieval.versions import superseded_by


@dataclass(frozen=True, slots=True)
class Located:
    """A passage with the document it stands in."""

    passage: Passage
    document: Document

    @property
    def recommends(self) -> bool:
        """Whether it is a recommendation."""
        return self.passage.kind is PassageKind.RECOMMENDATION


class LibraryWords:
    """Terms of every passage that may answer: its text, headings, other names and the document's title.

    Codes are kept apart: a code names a disease and says nothing about its care. Superseded documents answer
    nothing, but what they name counts as named.
    """

    def __init__(self, entries: Iterable[CorpusEntry]) -> None:
        held = tuple(entries)
        superseded = superseded_by(held)
        self.located: list[Located] = []
        self.codes: list[Located] = []
        self._holding: defaultdict[str, set[int]] = defaultdict(set)
        self._of_document: defaultdict[DocumentId, list[int]] = defaultdict(list)
        self._number: dict[PassageId, int] = {}
        self._terms: list[frozenset[str]] = []
        self._current: list[bool] = []
        for entry in held:
            document = entry.document
            if document.source == "codes":
                self.codes += [Located(passage, document) for passage in entry.passages]
                continue
            title = tokenise(document.title)
            for passage in entry.passages:
                number = len(self.located)
                self.located.append(Located(passage, document))
                self._number[passage.id] = number
                self._of_document[document.id].append(number)
                self._current.append(document.id not in superseded)
                said = " ".join((*passage.section, *passage.synonyms, passage.citable_text))
                terms = frozenset((*tokenise(said), *title))
                self._terms.append(terms)
                for term in terms:
                    self._holding[term].add(number)

    def __contains__(self, passage: PassageId) -> bool:
        return passage in self._number or passage in self._code_ids

    @cached_property
    def _code_ids(self) -> frozenset[PassageId]:
        return frozenset(item.passage.id for item in self.codes)

    def current(self, number: int) -> bool:
        """Whether no newer version replaces the passage's document."""
        return self._current[number]

    def numbers(self, document: DocumentId) -> list[int]:
        """The passages of a document, as indexes of `located`."""
        return self._of_document[document]

    def number(self, passage: PassageId) -> int | None:
        """The index in `located`; None for a code and for what is not held."""
        return self._number.get(passage)

    def terms(self, number: int) -> frozenset[str]:
        """Terms of one passage, with its headings and its document's title."""
        return self._terms[number]

    def holding(self, terms: Collection[str]) -> set[int]:
        """Passages that hold every one of `terms`; all where there are none."""
        if not terms:
            return set(range(len(self.located)))
        sets = sorted((self._holding.get(term, set()) for term in terms), key=len)
        return set.intersection(*sets)

    def count(self, term: str) -> int:
        """Passages that hold a term."""
        return len(self._holding.get(term, ()))

    def beginnings(self, length: int) -> frozenset[str]:
        """The first letters of every term."""
        return frozenset(term[:length] for term in self._holding)
