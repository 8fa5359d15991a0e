"""Which hits become evidence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.choosing import chosen_hits, evidence_of, likeliest_first, with_fitting, with_recommendations
from retrieval import Hit, Passage, PassageKind, SearchResult
from tests.agent.conftest import document, hit


def made(rank: int, kind: PassageKind, name: str, *, below: bool = False) -> Hit:
    base = hit(f"Text {rank}.", rank, kind=kind, id=f"{name}/{rank}")
    return base.model_copy(update={"document": document(name), "below_floor": below})


R, N = PassageKind.RECOMMENDATION, PassageKind.NARRATIVE


def names(hits: tuple[Hit, ...]) -> list[str]:
    return [str(item.passage.id) for item in hits]


def test_the_recommendation_of_a_guideline_comes_before_the_discussion_that_found_it() -> None:
    hits = [made(1, N, "a"), made(2, N, "a"), made(3, N, "b"), made(9, R, "a"), made(12, R, "c")]
    assert names(chosen_hits(hits, 3)) == ["a/9", "a/1", "a/2"]


def test_the_last_place_is_for_the_best_of_any_kind() -> None:
    hits = [made(1, N, "a"), *(made(rank, R, "a") for rank in range(2, 9))]
    assert names(chosen_hits(hits, 5)) == ["a/2", "a/3", "a/4", "a/5", "a/1"]


def test_recommendations_alone_keep_their_order() -> None:
    hits = [made(rank, R, name) for rank, name in enumerate("abcde", start=1)]
    assert names(chosen_hits(hits, 5)) == names(tuple(hits))


def test_a_guideline_found_only_below_the_floor_brings_nothing() -> None:
    hits = [made(1, N, "a", below=True), made(2, R, "b"), made(7, R, "a")]
    assert names(chosen_hits(hits, 2)) == ["b/2"]
    assert chosen_hits([made(1, R, "a", below=True), made(6, R, "b")], 1) == ()


HITS = st.lists(st.tuples(st.sampled_from([R, N]), st.sampled_from("abc"), st.booleans()), max_size=20)


@given(HITS, st.integers(1, 8))
def test_hits_are_never_doubled_invented_or_too_many_and_ranks_count_from_one(
    kinds: list[tuple[PassageKind, str, bool]], count: int
) -> None:
    hits = [made(rank, kind, name, below=below) for rank, (kind, name, below) in enumerate(kinds, start=1)]
    kept = chosen_hits(hits, count)
    assert len(kept) <= count
    assert len(set(names(kept))) == len(kept)
    assert set(names(kept)) <= {str(item.passage.id) for item in hits}
    assert [item.rank for item in kept] == list(range(1, len(kept) + 1))
    if any(not item.below_floor for item in hits[:count]):
        assert kept
    else:
        assert not kept


def test_what_the_question_asks_in_other_words_comes_before_what_shares_a_common_word() -> None:
    other = hit("Colchicine for pericarditis.", 1, id="a/1").model_copy(update={"cosine": 0.3})
    meant = hit("Colchicine for an attack of gout.", 2, id="a/2").model_copy(update={"cosine": 0.7})
    far = hit("Colchicine for Behcet disease.", 3, id="a/3").model_copy(update={"cosine": 0.4})
    kept = likeliest_first([other, meant, far], "colchicine, podagra?")
    assert names(kept) == ["a/2", "a/1", "a/3"]
    assert [item.rank for item in kept] == [1, 2, 3]


def test_a_passage_that_holds_every_word_comes_before_a_nearer_one_that_lacks_the_drug() -> None:
    other = hit("Gout attacks are treated with naproxen.", 1, id="a/1").model_copy(update={"cosine": 0.7})
    meant = hit("Colchicine for gout.", 2, id="a/2").model_copy(update={"cosine": 0.6})
    assert names(likeliest_first([other, meant], "colchicine for gout?")) == ["a/2", "a/1"]


@given(HITS)
def test_putting_in_order_loses_nothing(kinds: list[tuple[PassageKind, str, bool]]) -> None:
    hits = [made(rank, kind, name, below=below) for rank, (kind, name, below) in enumerate(kinds, start=1)]
    kept = likeliest_first(hits, "colchicine for gout?")
    assert sorted(names(kept)) == sorted(names(tuple(hits)))
    assert [item.rank for item in kept] == list(range(1, len(hits) + 1))


def found(hits: list[Hit], *, reranked: bool) -> SearchResult:
    return SearchResult(
        hits=tuple(hits),
        index_version="v",
        encode_ms=0,
        bm25_ms=0,
        dense_ms=0,
        fuse_ms=0,
        reranked=reranked,
        not_reranked=None if reranked else "off",
        total_ms=0,
    )


def test_the_order_of_a_reranker_stands() -> None:
    hits = [made(1, N, "a"), made(2, R, "b"), made(3, R, "a"), made(4, R, "c")]
    assert names(evidence_of(found(hits, reranked=True), "colchicine for gout?", 3)) == ["a/1", "b/2", "a/3"]
    assert names(evidence_of(found(hits, reranked=False), "colchicine for gout?", 3))[0] != "a/1"


def test_behind_a_rerankers_order_a_discussion_brings_its_guidelines_best_recommendation_along() -> None:
    hits = [made(1, N, "a"), made(2, N, "a"), made(3, R, "b"), made(4, N, "c"), made(5, R, "a"), made(6, R, "a")]
    kept = evidence_of(found(hits, reranked=True), "colchicine for gout?", 4)
    assert names(kept) == ["a/1", "a/5", "a/2", "b/3"]
    assert [hit.rank for hit in kept] == [1, 2, 3, 4]


@given(HITS, st.integers(1, 8))
def test_bringing_recommendations_along_keeps_the_first_and_loses_only_the_last(
    made_of: list[tuple[PassageKind, str, bool]], count: int
) -> None:
    hits = [made(rank, kind, name) for rank, (kind, name, _) in enumerate(made_of, start=1)]
    kept = names(with_recommendations(hits, count))
    first = names(tuple(hits))[:count]
    assert len(kept) == len(set(kept)) == len(first)
    assert kept[:1] == first[:1]
    assert [name for name in kept if name in first] == first[: sum(name in first for name in kept)]


@pytest.mark.parametrize("reranked", [True, False])
def test_a_recommendation_that_is_not_for_the_patient_brings_its_guidelines_one_that_is(reranked: bool) -> None:
    """Otherwise a child gets another condition's dose first, because the adult's dose was nearer in words."""
    hits = [made(1, R, "croup"), made(2, R, "shock"), made(3, R, "x"), made(4, N, "shock"), made(5, R, "shock")]

    def fits(passage: Passage) -> bool:
        return passage.id != "shock/2"

    kept = evidence_of(found(hits, reranked=reranked), "colchicine for gout?", 3, fits=fits)
    assert names(kept).index("shock/5") == names(kept).index("shock/2") - 1
    assert "croup/1" in names(kept)
    assert [hit.rank for hit in kept] == [1, 2, 3]


def test_it_is_the_one_that_says_it_most_alike_though_another_was_chosen_already() -> None:
    """The guideline's advice to repeat a dose fits the child as well, and says no dose."""
    texts = (
        "Repeat intramuscular adrenaline after 5 minutes.",
        "Give adrenaline 500 micrograms intramuscularly to adults with example anaphylaxis.",
        "Refer everyone with example anaphylaxis to a clinic.",
        "Give adrenaline 300 micrograms intramuscularly to children with example anaphylaxis.",
    )
    hits = [
        hit(text, rank, id=f"anaphylaxis/{rank}").model_copy(update={"document": document("anaphylaxis")})
        for rank, text in enumerate(texts, start=1)
    ]
    kept = with_fitting(hits[:3], hits, 3, lambda passage: "adults" not in passage.text)
    assert names(kept) == ["anaphylaxis/1", "anaphylaxis/4", "anaphylaxis/2"]


@given(HITS, st.integers(1, 8), st.sets(st.integers(1, 20)))
def test_what_is_for_the_patient_is_put_in_without_losing_the_order(
    made_of: list[tuple[PassageKind, str, bool]], count: int, unfit: set[int]
) -> None:
    hits = [made(rank, kind, name) for rank, (kind, name, _) in enumerate(made_of, start=1)]
    ruled_out = {f"{name}/{rank}" for rank, (_, name, _) in enumerate(made_of, start=1) if rank in unfit}
    kept = with_fitting(hits[:count], hits, count, lambda passage: str(passage.id) not in ruled_out)
    assert len(kept) == len(set(names(kept))) == min(count, len(hits))
    for place, item in enumerate(kept):
        before = [other for other in kept[:place] if other.document.id == item.document.id]
        fitting = [other for other in hits if other.document.id == item.document.id and other.passage.kind is R]
        fitting = [other for other in fitting if str(other.passage.id) not in ruled_out]
        if item.passage.kind is R and str(item.passage.id) in ruled_out and fitting:
            assert any(other in fitting for other in before)


def test_what_is_off_the_subject_is_no_evidence_whatever_a_reranker_says() -> None:
    hits = [made(1, R, "a", below=True), made(2, R, "b")]
    kept = evidence_of(found(hits, reranked=True), "colchicine for gout?", 5)
    assert [(str(item.passage.id), item.rank) for item in kept] == [("b/2", 1)]
