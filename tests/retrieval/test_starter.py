"""The starter guidelines: schema, size, and the record of how each file was checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval import StarterFileError, starter_entries
from retrieval.starter import NOTICE, STARTER_DIRECTORY, StarterFile, numbers_in, read_starter_file

PATHS = sorted(STARTER_DIRECTORY.glob("*.md"))
FILES = [read_starter_file(path) for path in PATHS]


def test_the_digest_is_as_large_as_promised() -> None:
    assert len(FILES) >= 60
    assert sum(len(file.recommendations) for file in FILES) >= 450


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_each_file_says_it_is_a_demonstration(path: Path) -> None:
    assert "Not for patient care" in path.read_text(encoding="utf-8").split("\n---\n", 1)[1]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.id)
def test_each_file_records_a_second_pass_that_agreed_with_all_that_is_left(file: StarterFile) -> None:
    """A wrong dose shown with a citation is the worst bug: nothing stays that was not restated."""
    assert file.checks is not None
    second = file.checks.second_pass
    left = sum(len(recommendation.facts) for recommendation in file.recommendations)
    assert left <= second.agreed <= second.facts
    assert not {recommendation.id for recommendation in file.recommendations} & set(second.dropped)
    assert not {recommendation.id for recommendation in file.recommendations} & set(file.checks.review.dropped)
    for comparison in file.checks.corpora:
        assert comparison.agreed <= comparison.compared
        assert not {recommendation.id for recommendation in file.recommendations} & set(comparison.dropped)


def test_every_passage_carries_publisher_title_year_region_link_and_notice() -> None:
    for entry in starter_entries():
        document = entry.document
        assert document.notice == NOTICE
        assert document.url
        assert document.url.startswith("https://")
        assert document.published
        assert len(document.published) == 4
        assert document.publisher
        assert document.title
        assert document.region
        for passage in entry.passages:
            assert passage.section[0]
            assert passage.population


def test_passage_ids_are_unique() -> None:
    ids = [passage.id for entry in starter_entries() for passage in entry.passages]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("100 mg twice daily for 3 days", ["100", "3"]),
        ("1,000 mg or 0.5 g", ["1000", "0.5"]),
        ("type 2 diabetes, stage 3b, CHA2DS2-VASc of 2", ["2"]),
        ("HbA1c of 48 mmol/mol (6.5%)", ["48", "6.5"]),
    ],
)
def test_numbers_that_state_something_are_found(text: str, numbers: list[str]) -> None:
    assert numbers_in(text) == numbers


GOOD = PATHS[0].read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.removeprefix("---\n"), "front matter"),
        (lambda text: text.replace("recommendations:", "recommendation:", 1), "recommendations"),
        (
            lambda text: text.replace("text: ", "text: Give 98765 mg. ", 1).replace(
                "text: >-\n", "text: >-\n      Give 98765 mg.\n"
            ),
            "98765",
        ),
    ],
    ids=["no-front-matter", "missing-field", "number-without-fact"],
)
def test_a_broken_file_is_named_with_the_rule_it_breaks(tmp_path: Path, change: object, message: str) -> None:
    assert callable(change)
    path = tmp_path / PATHS[0].name
    path.write_text(change(GOOD), encoding="utf-8")
    with pytest.raises(StarterFileError, match=message) as caught:
        read_starter_file(path)
    assert path.name in str(caught.value)
