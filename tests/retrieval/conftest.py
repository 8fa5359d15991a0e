"""Synthetic guidelines that the retrieval tests share; no clinical advice stands in them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from retrieval import CorpusEntry, Document, DocumentId, Passage, PassageId, PassageKind, SourceId

EntryMaker = Callable[..., CorpusEntry]


def _make_entry(
    key: str,
    *texts: str,
    condition: str = "Example condition",
    synonyms: tuple[str, ...] = (),
    source: str = "guidelines",
    publisher: str = "Example Institute",
    region: str = "GB",
) -> CorpusEntry:
    document_id = DocumentId(key)
    return CorpusEntry(
        document=Document(
            id=document_id,
            source=SourceId(source),
            title=f"{condition} guideline",
            publisher=publisher,
            region=region,
            published="2024",
        ),
        passages=tuple(
            Passage(
                id=PassageId(f"{key}#{number}"),
                document_id=document_id,
                kind=PassageKind.RECOMMENDATION,
                section=(condition, "treatment"),
                synonyms=synonyms,
                text=text,
                population="Adults",
            )
            for number, text in enumerate(texts, start=1)
        ),
    )


@pytest.fixture
def make_entry() -> EntryMaker:
    return _make_entry


@pytest.fixture
def entries() -> tuple[CorpusEntry, ...]:
    """Three conditions, two publishers, two regions."""
    return (
        _make_entry(
            "asthma",
            "Give inhaled salbutamol through a spacer for wheeze.",
            "Measure peak flow before and after treatment.",
            condition="Asthma attack",
            synonyms=("wheezy exacerbation",),
        ),
        _make_entry(
            "uti",
            "Offer nitrofurantoin for three days to women with cystitis.",
            "Send a urine culture when symptoms return.",
            condition="Lower urinary tract infection",
            synonyms=("cystitis", "bladder infection"),
        ),
        _make_entry(
            "gout",
            "Start colchicine or an anti-inflammatory drug for an acute flare.",
            condition="Gout",
            publisher="Other College",
            region="US",
        ),
    )
