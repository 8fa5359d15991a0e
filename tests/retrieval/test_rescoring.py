"""If these fail, what the legs found is shown in an order that nothing explains, or a passage is lost or made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retrieval import CorpusEntry, HashingEncoder, IndexMismatchError, PassageId, SearchRequest, memory_searcher
from retrieval.rescoring import Rescored, RescoringSettings, RescoringTable
from retrieval.search import SearchSettings
from retrieval.searched_text import dense_text

EntryMaker = Callable[..., CorpusEntry]
ENCODER = HashingEncoder()
NO_FEEDBACK = RescoringSettings(feedback_passages=0)


def table_of(*entries: CorpusEntry) -> tuple[RescoringTable, list[PassageId]]:
    pairs = [(passage, entry.document) for entry in entries for passage in entry.passages]
    vectors = ENCODER.encode_passages([dense_text(passage) for passage, _ in pairs])
    return RescoringTable.of(pairs, vectors), [passage.id for passage, _ in pairs]


def asked(text: str, weight: float = 1.0) -> Rescored:
    return Rescored(text, ENCODER.encode_queries([text])[0], weight)


@pytest.fixture
def held(entries: tuple[CorpusEntry, ...]) -> tuple[RescoringTable, list[PassageId]]:
    return table_of(*entries)


WORDINGS = st.lists(
    st.sampled_from(["salbutamol wheeze", "gout flare", "cystitis", "peak flow before treatment", "zzz", "the"]),
    min_size=1, max_size=4, unique=True,
)  # fmt: skip


# The table is never changed, so it may serve every example.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wordings=WORDINGS, seed=st.integers(0, 2**32 - 1), passages=st.integers(0, 5))
def test_every_candidate_is_ranked_once_whatever_order_they_come_in(
    held: tuple[RescoringTable, list[PassageId]], wordings: list[str], seed: int, passages: int
) -> None:
    table, ids = held
    chosen = RescoringSettings(feedback_passages=passages)
    shuffled = [ids[place] for place in np.random.default_rng(seed).permutation(len(ids))]
    ordered = table.order([asked(text) for text in wordings], shuffled, chosen)
    assert sorted(id for id, _ in ordered) == sorted(ids)
    assert ordered == table.order([asked(text) for text in wordings], ids, chosen)
    scores = [score for _, score in ordered]
    assert scores == sorted(scores, reverse=True)
    assert all(-1 <= score <= 1 for score in scores)


def test_nothing_in_gives_nothing_out(held: tuple[RescoringTable, list[PassageId]]) -> None:
    table, ids = held
    assert table.order([asked("gout")], []) == []
    assert table.order([], ids) == []


def test_equal_passages_stand_in_the_order_of_their_ids(make_entry: EntryMaker) -> None:
    table, ids = table_of(*(make_entry(key, "Give colchicine.") for key in ("c", "a", "b")))
    assert [id for id, _ in table.order([asked("colchicine")], ids)] == ["a#1", "b#1", "c#1"]


def test_a_spelling_no_stem_joins_still_ranks_first(make_entry: EntryMaker) -> None:
    table, ids = table_of(
        make_entry("a", "Treat fever."), make_entry("b", "Treat hyponatremia."), make_entry("c", "Treat migraine.")
    )
    with_words_only = RescoringSettings(dense_weight=0, gram_weight=0, feedback_passages=0)
    with_grams = RescoringSettings(dense_weight=0, gram_weight=0.4, feedback_passages=0)
    assert len({score for _, score in table.order([asked("hyponatraemia")], ids, with_words_only)}) == 1
    assert table.order([asked("hyponatraemia")], ids, with_grams)[0][0] == "b#1"


def test_feedback_lifts_what_is_like_the_best_passage(make_entry: EntryMaker) -> None:
    """The best passage names the drug; one more about that drug is nearer to the question than one about another."""
    table, ids = table_of(
        make_entry("a", "For gout flare give colchicine early.", condition="Gout"),
        make_entry("b", "Colchicine: reduce the dose in renal disease.", condition="Renal dosing"),
        make_entry("c", "Salbutamol: increase the dose in asthma.", condition="Airway dosing"),
    )
    plain = dict(table.order([asked("gout flare")], ids, NO_FEEDBACK))
    fed = dict(table.order([asked("gout flare")], ids, RescoringSettings(feedback_passages=1)))
    gain = {id: fed[id] - plain[id] for id in fed}
    assert gain[PassageId("b#1")] > gain[PassageId("c#1")]
    assert max(fed, key=lambda id: fed[id]) == "a#1"


def test_no_feedback_where_even_the_best_passage_matches_little(
    held: tuple[RescoringTable, list[PassageId]],
) -> None:
    table, ids = held
    wordings = [asked("gout flare")]
    best = table.order(wordings, ids, NO_FEEDBACK)[0][1]
    assert 0 < best < 1
    below, above = (RescoringSettings(feedback_from=best + difference) for difference in (0.001, -0.001))
    assert table.order(wordings, ids, below) == table.order(wordings, ids, NO_FEEDBACK)
    assert table.order(wordings, ids, above) != table.order(wordings, ids, NO_FEEDBACK)


def test_a_later_wording_of_little_weight_does_not_decide(held: tuple[RescoringTable, list[PassageId]]) -> None:
    table, ids = held
    alone = table.order([asked("gout flare")], ids)
    assert table.order([asked("gout flare"), asked("inhaled salbutamol", 0.01)], ids)[0][0] == alone[0][0]
    assert table.order([asked("gout flare", 0.01), asked("inhaled salbutamol")], ids)[0][0] == "asthma#1"


def test_cosines_are_those_of_the_vectors_that_the_table_was_made_of(entries: tuple[CorpusEntry, ...]) -> None:
    table, ids = table_of(*entries)
    passages = [passage for entry in entries for passage in entry.passages]
    vectors = ENCODER.encode_passages([dense_text(passage) for passage in passages])
    query = ENCODER.encode_queries(["salbutamol for wheeze"])[0]
    assert table.cosines(query, ids) == pytest.approx((vectors @ query).tolist(), abs=2e-3)
    with pytest.raises(IndexMismatchError):
        table.cosines(query, [PassageId("gone#1")])


def test_a_saved_table_ranks_alike(held: tuple[RescoringTable, list[PassageId]], tmp_path: Path) -> None:
    table, ids = held
    table.save(tmp_path / "rescoring")
    assert RescoringTable.load(tmp_path / "rescoring").order([asked("wheeze")], ids) == table.order(
        [asked("wheeze")], ids
    )


@pytest.mark.parametrize("lost", ["passages.json", "vectors.npy", "words/idf.npy"])
def test_a_damaged_table_is_refused_with_what_to_do(
    held: tuple[RescoringTable, list[PassageId]], tmp_path: Path, lost: str
) -> None:
    held[0].save(tmp_path / "rescoring")
    (tmp_path / "rescoring" / lost).unlink()
    with pytest.raises(IndexMismatchError, match="clinsearch index build"):
        RescoringTable.load(tmp_path / "rescoring")


def test_a_candidate_that_the_table_does_not_know_is_an_error(held: tuple[RescoringTable, list[PassageId]]) -> None:
    with pytest.raises(IndexMismatchError):
        held[0].order([asked("gout")], [PassageId("elsewhere#1")])


def test_rescoring_only_orders_what_the_legs_found(entries: tuple[CorpusEntry, ...]) -> None:
    """Feedback must not bring in a passage, say on another drug, that the question itself did not find."""
    request = SearchRequest(queries=("salbutamol",), limit=1)
    found = [
        hit
        for ranking in ("fused", "rescored")
        for hit in memory_searcher(entries, settings=SearchSettings(leg_limit=1, ranking=ranking)).search(request).hits
    ]
    assert {hit.passage.id for hit in found} == {"asthma#1"}
    assert all(hit.bm25_rank == 1 or hit.dense_rank == 1 for hit in found)


def test_the_plain_fusion_stays_available(entries: tuple[CorpusEntry, ...]) -> None:
    plain = memory_searcher(entries, settings=SearchSettings(ranking="fused"))
    (first, *_) = plain.search(SearchRequest(queries=("inhaled salbutamol",))).hits
    assert first.score == pytest.approx(2 / 61)


def test_a_word_counts_as_lacking_only_where_no_passage_has_it(held: tuple[RescoringTable, list[PassageId]]) -> None:
    table, _ = held
    assert table.lacks("Augmentin")
    assert not table.lacks("Gouts")
    assert not table.lacks("Augmentin gout")
