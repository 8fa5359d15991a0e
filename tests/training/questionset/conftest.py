"""A small library: the starter guidelines, some codes and some patient information, all in our own words."""

from __future__ import annotations

import pytest

from retrieval import CorpusEntry, Document, DocumentId, Passage, PassageId, PassageKind, SourceId
from training.questionset import LibraryWords
from training.questionset.facts import FactFinder

from ...starter import starter


def entry(
    id: str,
    title: str,
    *passages: tuple[tuple[str, ...], str],
    source: str = "guidelines",
    kind: PassageKind = PassageKind.RECOMMENDATION,
) -> CorpusEntry:
    """A document; each passage is its headings and its text."""
    document = Document(
        id=DocumentId(id), source=SourceId(source), title=title, publisher="Test", region="INT", licence="CC0-1.0"
    )
    return CorpusEntry(
        document=document,
        passages=tuple(
            Passage(id=PassageId(f"{id}#{n}"), document_id=document.id, kind=kind, section=section, text=text)
            for n, (section, text) in enumerate(passages)
        ),
    )


def code(category: str, *meanings: str) -> CorpusEntry:
    """A category of codes, as the reader of ICD-10-CM lays it out."""
    return entry(
        f"icd-10-cm-2021/{category.lower()}",
        f"ICD-10-CM 2021: {category}",
        *(
            (
                (meanings[0],),
                f"ICD-10-CM 2021, category {category}\n"
                f"Code: {category}.{n} | Meaning: {meaning} | Use: valid for coding",
            )
            for n, meaning in enumerate(meanings)
        ),
        source="codes",
        kind=PassageKind.TABLE_ROW,
    )


def small_library() -> list[CorpusEntry]:
    """The same every time."""
    diseases = (
        "Glimmeritis",
        "Morbuloma",
        "Quandrosis",
        "Vextralgia",
        "Pomfritism",
        "Zanthopathy",
        "Brellitis",
        "Tundrosis",
    )
    patients = [
        entry(
            f"medquad/t/{n}",
            f"{name} syndrome",
            (
                (f"{name} syndrome", f"What is (are) {name} syndrome ?"),
                f"{name} syndrome is a rare condition of the knee that was made up for a test.",
            ),
            (
                (f"{name} syndrome", f"Is {name} syndrome inherited ?"),
                f"{name} syndrome is passed on in a pattern that this test calls dominant, in all families.",
            ),
            source="patient_information",
            kind=PassageKind.NARRATIVE,
        )
        for n, name in enumerate(
            ("Abelor", "Bintwise", "Corvane", "Dulmere", "Estovan", "Fenwick", "Gaskarth", "Holbeck")
        )
    ]
    return [
        *starter(),
        *patients,
        *(code(f"M{n}1", disease, f"Chronic {disease.lower()}") for n, disease in enumerate(diseases)),
    ]


@pytest.fixture(scope="session")
def library() -> LibraryWords:
    return LibraryWords(small_library())


@pytest.fixture(scope="session")
def finder(library: LibraryWords) -> FactFinder:
    return FactFinder(library)
