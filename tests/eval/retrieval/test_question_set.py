"""What a set may hold, and what is left out of it and counted."""

from __future__ import annotations

import pytest

from eval.retrieval.errors import SetInvalidError
from eval.retrieval.question_set import QuestionSet, assembled, plain_entry

ENTRIES = [plain_entry("p1", "one"), plain_entry("p2", "two")]


def make(queries: list[tuple[str, str]], grades: dict[str, dict[str, int]], relevant_from: int = 1) -> QuestionSet:
    return assembled(
        "x", measures_what="-", entries=ENTRIES, queries=queries, grades=grades, relevant_from=relevant_from
    )


def test_queries_that_nothing_can_be_measured_on_are_excluded_and_counted() -> None:
    """Scored 0, they would lower every system's figures."""
    found = make([("a", "first"), ("b", "second"), ("c", " ")], {"a": {"p1": 1}, "b": {"p2": 0}, "c": {"p1": 1}})
    assert [query.id for query in found.queries] == ["a"]
    assert found.left_out == {"queries without a relevant passage": 1, "queries without words": 1}


def test_a_grade_below_the_threshold_makes_no_query() -> None:
    with pytest.raises(SetInvalidError, match="no query"):
        make([("a", "first")], {"a": {"p1": 1}}, relevant_from=2)


def test_two_queries_of_the_same_words_are_one_with_both_judgements() -> None:
    """Asked in two years of a campaign, each would miss what was judged in the other."""
    found = make([("a", "Same words"), ("b", "same  WORDS")], {"a": {"p1": 1}, "b": {"p1": 2, "p2": 1}})
    assert [dict(query.grades) for query in found.queries] == [{"p1": 2, "p2": 1}]


def test_a_relevant_passage_outside_the_collection_still_counts_as_missed() -> None:
    found = make([("a", "first")], {"a": {"p1": 1, "elsewhere": 1}, "nobody": {"p1": 1}})
    assert "elsewhere" in found.queries[0].grades
    assert sorted(found.left_out.values()) == [1, 1]


def test_ids_that_stand_twice_are_refused() -> None:
    with pytest.raises(SetInvalidError, match="query id"):
        make([("a", "first"), ("a", "second")], {"a": {"p1": 1}})
    with pytest.raises(SetInvalidError, match="passage id"):
        assembled("x", measures_what="-", entries=[*ENTRIES, ENTRIES[0]], queries=[], grades={})


def test_the_hash_follows_the_content_and_not_the_order() -> None:
    one = make([("a", "first"), ("b", "second")], {"a": {"p1": 1}, "b": {"p2": 1}})
    other = make([("b", "second"), ("a", "first")], {"a": {"p1": 1}, "b": {"p2": 1}})
    changed = make([("a", "first"), ("b", "second")], {"a": {"p1": 1}, "b": {"p2": 2}})
    assert one.content_hash == other.content_hash != changed.content_hash
