"""An invented library that questions are asked of; no clinical advice stands in it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from retrieval import CorpusEntry, Document, DocumentId, HybridSearcher, Passage, PassageId, PassageKind, SourceId
from retrieval import memory_searcher as searcher_of
from training.questionset import LibraryWords
from training.reranker.mining import Mined
from training.reranker.questions import Origin, RankedQuestion

NAMES = ("zorblax", "quibbling", "fendrosis", "marnitis", "oplexia", "trundling", "vexoma", "wobbles")


def page(document_id: str, title: str, *texts: str, source: str = "guidelines", supersedes: str = "") -> CorpusEntry:
    """A document with one recommendation a text."""
    name = DocumentId(document_id)
    return CorpusEntry(
        document=Document(
            id=name,
            source=SourceId(source),
            title=title,
            publisher="Example",
            region="US",
            supersedes=DocumentId(supersedes) if supersedes else None,
        ),
        passages=tuple(
            Passage(
                id=PassageId(f"{name}#{number}"),
                document_id=name,
                kind=PassageKind.RECOMMENDATION,
                section=(title,),
                text=text,
            )
            for number, text in enumerate(texts)
        ),
    )


_THINGS = ("spoon", "river", "ladder", "button", "kettle", "meadow", "pencil", "harbour")
_PEOPLE = ("painters", "bakers", "sailors", "weavers", "porters", "singers", "gardeners", "printers")


def _entries() -> list[CorpusEntry]:
    return [
        page(
            f"pages/{number}",
            name,
            f"People with {name} rest near a {thing} for {number + 2} days, and {people} bring tea.",
            f"Show the left hand of those who have {name} to {people} before the {thing} is put away.",
            f"In spring {name} is watched from a window by {people}, without any {thing}.",
        )
        for number, (name, thing, people) in enumerate(zip(NAMES, _THINGS, _PEOPLE, strict=True))
    ]


@pytest.fixture(scope="session")
def entries() -> list[CorpusEntry]:
    return _entries()


@pytest.fixture(scope="session")
def words(entries: list[CorpusEntry]) -> LibraryWords:
    return LibraryWords(entries)


@pytest.fixture
def searcher(entries: list[CorpusEntry]) -> HybridSearcher:
    return searcher_of(entries)


def asked(
    question: str,
    *gold: str,
    origin: Origin = "written",
    part: str = "train",
    partly: Sequence[str] = (),
    others: Sequence[str] = (),
) -> RankedQuestion:
    """A question on guidelines."""
    return RankedQuestion.model_validate(
        {
            "question": question,
            "gold": gold,
            "partly": partly,
            "others": others,
            "source": "guidelines",
            "origin": origin,
            "part": part,
        }
    )


def with_hits(question: RankedQuestion, hits: Sequence[str]) -> Mined:
    """A question as mined, its hits best first."""
    return Mined.model_validate(
        {
            "question": question,
            "hits": [(id, 1.0 / rank) for rank, id in enumerate(hits, start=1)],
            "index": "invented",
        }
    )
