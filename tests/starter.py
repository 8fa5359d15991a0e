"""The starter guidelines and a search over them, read once a process: no test changes them, and reading takes time."""

from __future__ import annotations

from functools import cache

from retrieval import CorpusEntry, HybridSearcher, Passage, PassageId, memory_searcher, starter_entries


@cache
def starter() -> tuple[CorpusEntry, ...]:
    """Every entry, in the order of the files."""
    return tuple(starter_entries())


@cache
def starter_passages() -> dict[PassageId, Passage]:
    """Every passage by its id."""
    return {passage.id: passage for entry in starter() for passage in entry.passages}


@cache
def starter_searcher() -> HybridSearcher:
    """A search over all of them, without an encoder's weights."""
    return memory_searcher(starter())
