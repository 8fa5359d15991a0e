"""If these fail, replaced guidance is found beside what replaced it, or current guidance disappears."""

from __future__ import annotations

import pytest

from retrieval import CorpusEntry, Document, DocumentId, Passage, PassageId, PassageKind, SourceId, superseded_by


def edition(key: str, published: str | None = "2020", **fields: str | None) -> CorpusEntry:
    """A document with one recommendation for each `condition` (joined by commas); `kind` is of the passages."""
    kind = PassageKind(fields.pop("kind", None) or "recommendation")
    condition = fields.pop("condition", None) or "Example fever"
    values = {"title": "Managing example fever", "publisher": "Example Institute", "region": "GB", **fields}
    document = Document.model_validate(
        {"id": key, "source": SourceId("guidelines"), "published": published, **values},
    )
    passages = tuple(
        Passage(
            id=PassageId(f"{key}#{number}"),
            document_id=document.id,
            kind=kind,
            section=(name.strip(),) if name.strip() else (),
            text="Give fluids.",
        )
        for number, name in enumerate(condition.split(","))
    )
    return CorpusEntry(document=document, passages=passages)


def replaced(*entries: CorpusEntry) -> dict[str, str]:
    found = superseded_by(entries)
    assert found == superseded_by(entries[::-1]), "the order in which files were added decides nothing"
    return {str(old): str(new) for old, new in found.items()}


def test_a_document_replaces_the_one_it_names() -> None:
    assert replaced(edition("a", title="One"), edition("b", title="Two", supersedes="a")) == {"a": "b"}


def test_a_chain_names_the_newest_version() -> None:
    chain = (
        edition("a", title="One"),
        edition("b", title="Two", supersedes="a"),
        edition("c", title="Three", supersedes="b"),
    )
    assert replaced(*chain) == {"a": "c", "b": "c"}


def test_of_two_that_name_one_document_the_later_is_the_newest_version() -> None:
    found = replaced(
        edition("a", title="One"),
        edition("b", "2021", title="Two", supersedes="a"),
        edition("c", "2022", title="Three", supersedes="a"),
    )
    assert found == {"a": "c"}


def test_documents_that_name_each_other_in_a_circle_stay() -> None:
    assert replaced(edition("a", title="One", supersedes="b"), edition("b", title="Two", supersedes="a")) == {}
    assert replaced(edition("a", supersedes="a")) == {}


def test_what_is_not_in_the_corpus_replaces_nothing() -> None:
    assert replaced(edition("b", supersedes="gone")) == {}


def test_a_newer_edition_replaces_all_older_ones() -> None:
    found = replaced(edition("a", "2015"), edition("b", "2018-03"), edition("c", "2021-01-31"))
    assert found == {"a": "c", "b": "c"}
    assert replaced(
        edition("a", "2015"), edition("b", title="  MANAGING example: fever!", publisher="example  INSTITUTE")
    )


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ({"published": None}, {}),
        ({}, {"published": None}),
        ({"published": "2020"}, {"published": "2020-06"}),
        ({"published": "2020-06"}, {"published": "2020-06"}),
        ({"title": "Appendix A"}, {"title": "Appendix A"}),
        ({"publisher": "Another Institute"}, {}),
        ({"region": "US"}, {}),
        ({"language": "fr"}, {}),
        ({"condition": "Sample rash"}, {}),
        ({"condition": "Sample rash, Example fever"}, {}),
        ({"condition": "Managing Example fever"}, {"condition": "Managing Example fever"}),
        ({"condition": "Example fever, managing example fever"}, {"condition": "Example fever"}),
        ({"condition": "Example fever, "}, {"condition": "Example fever, "}),
        ({"kind": "narrative"}, {}),
        ({"source": "patient_information"}, {}),
        ({"title": "Managing sample rash"}, {}),
    ],
    ids=lambda fields: "-".join(f"{key}={value}" for key, value in fields.items()) or "plain",
)
def test_what_may_be_another_publication_is_kept(older: dict[str, str | None], newer: dict[str, str | None]) -> None:
    """Excluding current guidance is worse than showing two editions, each with its date."""
    assert (
        replaced(edition("a", **{"published": "2015", **older}), edition("b", **{"published": "2020", **newer})) == {}
    )


def test_a_newer_edition_on_more_conditions_replaces_the_older_one() -> None:
    wide = "Example fever, Sample rash"
    assert replaced(edition("a", "2015"), edition("b", "2020", condition=wide)) == {"a": "b"}
    found = replaced(edition("a", "2015", condition=wide), edition("b", "2018", condition=wide), edition("c", "2021"))
    assert found == {"a": "b"}, "the newest that covers it all, not the newest of all"


def test_what_a_publisher_states_goes_before_dates() -> None:
    """The later date is a reprint: the publisher says that the earlier one replaces it."""
    assert replaced(edition("a", "2020", supersedes="b"), edition("b", "2022")) == {"b": "a"}
    found = replaced(edition("a", "2020", supersedes="b"), edition("b", "2022"), edition("c", "2021"))
    assert found == {"b": "a", "c": "a"}
    stated = replaced(edition("a", "2015"), edition("b", "2020"), edition("c", "2018", title="Another", supersedes="a"))
    assert stated == {DocumentId("a"): "c"}
