"""One small file in each publisher's layout; if these fail, that publisher's documents are lost or misread."""

from __future__ import annotations

import json
from html import escape

import pytest

from retrieval import CutLimits, EstimatedCounter, UnknownReaderError
from retrieval.chunking import cut_document
from retrieval.documents import CorpusEntry
from retrieval.readers import Skipped, SourceFile, detect, reader_named
from tests.retrieval.readers.samples import BEIR, ICD, NIGERIA

LIMITS = CutLimits(EstimatedCounter())

THERAPY = "<p><strong>Therapy</strong></p><ol><li>Offer rest. (<strong>Strong for</strong>)</li></ol>"
NGC = f"""<Version><Section>
<Field FieldID="161" Name="Guideline Title"><FieldValue Value="Example care"/></Field>
<Field FieldID="151" Name="Major Recommendations"><FieldValue Value="{escape(THERAPY)}"/></Field>
<Field FieldID="1" Name="Target Population"><FieldValue Value="Adults"/></Field>
<Field FieldID="2" Name="Date Released"><FieldValue Value="2006 (revised 2015 Aug)"/></Field></Section></Version>"""
MEDQUAD = """<Document id="7" source="NIDDK" url="https://example.org/a"><Focus>Gout</Focus><QAPairs>
<QAPair pid="1"><Question>What is gout?</Question><Answer>Gout is painful.</Answer></QAPair>
<QAPair pid="2"><Question>Who?</Question><Answer></Answer></QAPair></QAPairs></Document>"""
USPSTF = {
    "specificRecommendations": [
        {"id": 1, "grade": "I", "general": "9", "text": "Evidence is lacking.", "ageRange": [18, 999], "sex": "female"}
    ],
    "generalRecommendations": {"9": {"title": "Example: Screening", "topicYear": 2020, "rationale": "<p>Why.</p>"}},
}
MMWR = {
    "https://www.cdc.gov/mmwr/volumes/65/su/su6503a1.htm": "[Home](/)\n\n# Example Report #\n\n"
    "_Supplements_ / July 8, 2016 / 65(3);1\n\n## Methods ##\n\nThe work was done.\n\n## References ##\n\n1. Someone."
}


def read(name: str, content: str) -> tuple[str, list[CorpusEntry], list[Skipped]]:
    file = SourceFile(name, content.encode())
    reader = detect(file)
    assert reader is not None
    items = list(reader.read(file))
    entries = [cut_document(item, LIMITS).entry for item in items if not isinstance(item, Skipped)]
    return reader.name, entries, [item for item in items if isinstance(item, Skipped)]


def test_ngc() -> None:
    name, (entry,), _ = read("ngc-1.xml", NGC)
    first = entry.passages[0]
    assert (name, entry.document.published, first.strength, first.population) == (
        "ngc",
        "2015-08",
        "Strong for",
        "Adults",
    )
    assert first.section == ("Example care", "Major Recommendations", "Therapy")


def test_medquad_names_what_has_no_answer() -> None:
    name, (entry,), skipped = read("a/0000007.xml", MEDQUAD)
    assert (name, entry.document.source, entry.document.title) == ("medquad", "patient_information", "Gout")
    assert entry.passages[0].section == ("Gout", "What is gout?")
    assert [item.why for item in skipped] == ["has no answer"]


def test_uspstf() -> None:
    name, (entry,), _ = read("u.json", json.dumps(USPSTF))
    assert (name, entry.document.published, entry.passages[0].strength) == ("uspstf", "2020", "I statement")
    assert entry.passages[0].population == "aged 18 years and over; female"


def test_mmwr_drops_the_page_around_the_article() -> None:
    name, (entry,), _ = read("m.json", json.dumps(MMWR))
    assert (name, entry.document.title, entry.document.published) == ("mmwr", "Example Report", "2016-07-08")
    shown = " ".join(passage.text for passage in entry.passages)
    assert "The work was done." in shown
    assert "Someone" not in shown
    assert "Home" not in shown


def test_lines_of_an_old_mmwr_page_are_put_together_again() -> None:
    page = (
        "Guidelines for Example Disease  Persons using assistive technology might not be able to fully access this "
        "file. Type 508 in the subject line of e-mail.  Guidelines for Example Disease  Background  Workers with "
        "example disease should    be offered rest. The    Example Group    agrees.   1. Gloves should be worn, and"
        "    hands should be washed afterwards.   Treatment of Contacts  All contacts should be told.  Example "
        "treatment should not be given to patients with hypersensi-    tivity to it    (rash or fever) before.   "
        "Hepatitis A  Example vaccine should be given."
    )
    _, (entry,), _ = read("m.json", json.dumps({"https://www.cdc.gov/mmwr/preview/00009999.htm": page}))
    texts = [passage.text for passage in entry.passages]
    assert any("Workers with example disease should be offered rest." in text for text in texts)
    assert any("Gloves should be worn, and hands should be washed afterwards." in text for text in texts)
    assert any("with hypersensitivity to it (rash or fever) before." in text for text in texts)
    assert "should" not in texts
    assert not any(merged in text for text in texts for merged in ("Background W", "Contacts All", "Hepatitis A Ex"))
    recommended = [passage.text for passage in entry.passages if passage.kind == "recommendation"]
    assert recommended
    assert all(text.endswith(".") for text in recommended)


def test_nigeria() -> None:
    name, (entry,), _ = read("E.json", NIGERIA)
    (drug,) = [passage for passage in entry.passages if passage.kind == "recommendation"]
    assert (name, drug.text, drug.contraindications) == (
        "nigeria-stg",
        "Give the drug.",
        ("Contraindicated in pregnancy",),
    )


def test_icd10_codes_carry_their_category() -> None:
    name, (entry,), _ = read("icd10cm-order-Jan-2021.txt", ICD)
    assert (name, entry.document.source, len(entry.passages)) == ("icd10cm", "codes", 2)
    assert "Code: A00.9" in entry.passages[1].text
    assert entry.document.published == "2021-01"


def test_beir() -> None:
    name, (entry,), _ = read("set/corpus.jsonl", BEIR)
    assert (name, entry.document.id, entry.passages[0].text) == ("beir", "beir/set/d1", "Fibre helps.")


def test_an_unknown_reader_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(UnknownReaderError, match=r"Readers: .*pdf"):
        reader_named("word")
