"""Invented pages in the layouts that questions are made from; no clinical advice stands in them."""

from __future__ import annotations

import pytest

from retrieval import CorpusEntry, Document, DocumentId, Passage, PassageId, PassageKind, SourceId


def page(document_id: str, title: str, *parts: tuple[str, str], synonyms: tuple[str, ...] = ()) -> CorpusEntry:
    """A page with one passage under each heading."""
    name = DocumentId(document_id)
    return CorpusEntry(
        document=Document(id=name, source=SourceId("guidelines"), title=title, publisher="Example", region="US"),
        passages=tuple(
            Passage(
                id=PassageId(f"{name}#{number}"),
                document_id=name,
                kind=PassageKind.NARRATIVE,
                section=(title, heading),
                synonyms=synonyms,
                text=text,
            )
            for number, (heading, text) in enumerate(parts)
        ),
    )


def _medquad(number: int, name: str) -> CorpusEntry:
    return page(
        f"medquad/x/{number}",
        name,
        (f"What causes {name} ?", f"What causes {name}? Cause {number} of {name} lies in the glands of the left hand."),
        (f"What are the treatments for {name} ?", f"People with {name} rest for {number} days and drink green tea."),
        synonyms=(f"{name} disease",),
    )


@pytest.fixture
def pages() -> tuple[CorpusEntry, ...]:
    names = ("zorblax", "quibbling", "fendrosis", "marnitis", "oplexia", "trundling", "vexoma", "wobbles")
    return (
        *(_medquad(number, name) for number, name in enumerate(names)),
        page(
            "nigeria-stg-2022/grumbling",
            "Grumbling",
            ("Investigations", "Count the grumbles of an hour and write them down in a table."),
            ("Something else", "This heading is no question that anyone would ask about grumbling."),
        ),
        page(
            "mmwr/a1",
            "A report",
            ("Safety of wooden spoons", "Wooden spoons were safe in all of the kitchens that were visited in May."),
            ("Table 1", "A table of the spoons that were seen in kitchens of three towns."),
        ),
        page("ngc/1", "A guideline", ("How is it done ?", "It is done with great care by two people at once.")),
    )
