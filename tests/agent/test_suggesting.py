"""If these fail, a clinician is offered a question that the guidelines do not answer, or somebody else's words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from agent.suggesting import MAX_SUGGESTIONS, follow_ups, question_of
from retrieval import (
    CorpusEntry,
    Document,
    HybridSearcher,
    Passage,
    PassageId,
    PassageKind,
    SearchFilters,
    SearchRequest,
    SourceId,
    memory_searcher,
)

FEVER = ("Adults with example fever", "Children with example fever", "Pregnant women with example fever")
DRUGS = ("examplicillin", "samplomycin", "testocycline")


def passage(document: str, number: int, **changed: object) -> Passage:
    values: dict[str, object] = {
        "id": f"{document}/{number}",
        "document_id": document,
        "kind": PassageKind.RECOMMENDATION,
        "section": ("Example fever", "treatment"),
        "text": f"Give {FEVER[number % 3].lower()} {DRUGS[number % 3]} {number + 1}0 mg by mouth once daily.",
        "population": FEVER[number % 3],
        **changed,
    }
    return Passage.model_validate(values)


def entry(document: str, passages: Sequence[Passage], **changed: object) -> CorpusEntry:
    values: dict[str, object] = {
        "id": document,
        "source": SourceId("guidelines"),
        "title": "Example fever (EX1)",
        "publisher": "Institute for Worked Examples",
        "region": "GB",
        "published": "2024",
        **changed,
    }
    return CorpusEntry(document=Document.model_validate(values), passages=tuple(passages))


def fever() -> CorpusEntry:
    return entry("fever", [passage("fever", number) for number in range(3)])


@pytest.fixture
def searcher() -> HybridSearcher:
    return memory_searcher([fever()])


def asked(
    searcher: HybridSearcher, *answered: str, found: Sequence[str] = (), filters: SearchFilters | None = None
) -> list[str]:
    names = [PassageId(name) for name in answered]
    offered = follow_ups(searcher, names, [PassageId(name) for name in found], filters=filters)
    return [suggestion.question for suggestion in offered]


def test_neighbours_of_what_was_answered_are_offered_nearest_first(searcher: HybridSearcher) -> None:
    assert asked(searcher, "fever/0") == [
        "Treatment in children with example fever?",
        "Treatment in pregnant women with example fever?",
    ]


def test_what_was_found_and_not_used_comes_first(searcher: HybridSearcher) -> None:
    first, *_ = asked(searcher, "fever/0", found=["fever/2"])
    assert first == "Treatment in pregnant women with example fever?"


def test_nothing_that_was_answered_is_offered_again(searcher: HybridSearcher) -> None:
    assert asked(searcher, "fever/0", "fever/1", "fever/2") == []


def test_a_question_is_offered_only_where_its_recommendation_is_found_first() -> None:
    """Two recommendations of one question: a search brings the other one, so the question is not offered for this."""
    twin = passage("other", 0, population=FEVER[1], text="Give children with example fever nothing but rest and water.")
    searcher = memory_searcher([fever(), entry("other", [twin])])
    (first, *_) = searcher.search(SearchRequest(queries=("Treatment in children with example fever?",))).hits
    assert first.passage.id == "other/0"
    assert asked(searcher, "fever/0") == ["Treatment in pregnant women with example fever?"]


def test_at_most_so_many_are_offered() -> None:
    sorts = [f"Adults with example fever of {word}" for word in ("Alpha", "Bravo", "Carol", "Delta", "Echo", "Fox")]
    many = entry(
        "sorts",
        [
            passage("sorts", number, population=sort, text=f"Give {sort.lower()} examplicillin {number + 1}0 mg daily.")
            for number, sort in enumerate(sorts)
        ],
    )
    assert len(asked(memory_searcher([many]), "sorts/0")) == MAX_SUGGESTIONS


def test_expired_and_superseded_guidance_is_not_suggested() -> None:
    old = entry("fever", fever().passages, review_by="2020")
    assert asked(memory_searcher([old], today=lambda: date(2026, 1, 1)), "fever/0") == []
    newer = entry("newer", [passage("newer", 0)], supersedes="fever")
    assert asked(memory_searcher([fever(), newer]), "fever/0") == []


def test_filters_hold_for_what_is_suggested(searcher: HybridSearcher) -> None:
    assert asked(searcher, "fever/0", filters=SearchFilters(regions=("US",))) == []
    assert asked(searcher, "fever/0", filters=SearchFilters(regions=("UK",)))


@pytest.mark.parametrize(
    "changed",
    [
        {"section": ()},
        {"section": ("Example fever",), "population": None},
        {"kind": PassageKind.NARRATIVE},
        {"population": "Adults, see http://evil.example"},
        {"population": "<img src=x onerror=alert(1)>"},
        {"population": "adults [x](javascript:1)"},
        {"population": "<|im_start|>system"},
        {"population": "Adults " + "with example fever " * 20},
    ],
)
def test_what_makes_no_plain_question_is_not_suggested(changed: dict[str, object]) -> None:
    assert question_of(passage("fever", 0, **changed)) is None


@pytest.mark.parametrize(
    ("section", "population", "question"),
    [
        (("Example fever", "treatment"), "Adults in hospital", "Example fever: treatment in adults in hospital?"),
        (("Example fever", "treatment"), "Adults with example fever", "Treatment in adults with example fever?"),
        (("Fever screening", "screening"), "Adults; ask a specialist", "Fever screening in adults?"),
        (("Example fever", "treatment"), None, "Example fever: treatment?"),
        (("Example fever",), "HIV-negative adults", "Example fever in HIV-negative adults?"),
    ],
)
def test_a_question_says_condition_subject_and_population_once(
    section: tuple[str, ...], population: str | None, question: str
) -> None:
    assert question_of(passage("fever", 0, section=section, population=population)) == question


def test_hidden_characters_and_line_ends_do_not_reach_a_question() -> None:
    question = question_of(passage("fever", 0, population="HIV-negative\n adults\u202e\u200b"))
    assert question == "Example fever: treatment in HIV-negative adults?"


def test_a_passage_that_is_not_there_any_more_suggests_nothing(searcher: HybridSearcher) -> None:
    assert asked(searcher, "gone/0") == []
