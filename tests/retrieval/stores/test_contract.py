"""One contract, run on every store. If it fails, the answer depends on where the index happens to live.

The server store runs on qdrant-client's local mode: the client's calls and the filters are checked here,
the server's own engine is not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from retrieval.bm25 import term_ids
from retrieval.documents import PassageId, SourceId
from retrieval.errors import StoreError
from retrieval.filters import NO_FILTERS, SearchFilters
from retrieval.stores import (
    ExactStore,
    SearchStore,
    StoreBackend,
    StoreKind,
    StorePoint,
    conditions,
    payload,
    store_backend,
)
from retrieval.stores.conditions import FIELDS, holds
from retrieval.stores.server import ServerBackend
from retrieval.strength import StrengthClass
from tests.retrieval.stores.local_server import LocalServer, quiet_local_mode

pytestmark = quiet_local_mode

DIMENSION = 16
SIZE = 400
STRENGTHS = (
    frozenset({StrengthClass.NOT_STATED}),
    frozenset({StrengthClass.STRONG}),
    frozenset({StrengthClass.STRONG, StrengthClass.AGAINST}),
    frozenset({StrengthClass.WEAK}),
)
Vector = np.ndarray[tuple[int], np.dtype[np.float32]]


def unit(random: np.random.Generator) -> Vector:
    vector = random.normal(size=DIMENSION)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def collection() -> list[StorePoint]:
    """Zipf words, and every value that is filtered by; every tenth passage repeats the one before it."""
    random = np.random.default_rng(7)
    points: list[StorePoint] = []
    for number in range(SIZE):
        words = [f"w{word}" for word in np.minimum(random.zipf(1.4, size=random.integers(1, 40)), 300)]
        terms, vector = term_ids(words), unit(random)
        if number % 10 == 9:
            terms, vector = points[-1].terms, points[-1].vector
        points.append(
            StorePoint(
                passage_id=PassageId(f"p{(number * 7919) % SIZE:04d}"),
                source=SourceId("guidelines" if number % 3 else "codes"),
                publisher=f"Publisher {number % 5}",
                region=("GB", "US", "INT")[number % 3 - 1],
                terms=terms,
                vector=vector,
                language=("en", "en-GB", "fr")[number % 7 % 3],
                published=(None, "2017", "2018", "2018-05", "2018-06-15", "2019-01")[number % 11 % 6],
                strengths=STRENGTHS[number % 13 % 4],
                superseded=number % 9 == 0,
            )
        )
    return points


Builder = Callable[[list[StorePoint]], SearchStore]


def backend_of(kind: StoreKind) -> StoreBackend:
    """Every kind by the product's own door, but the server's client is its local mode: one server for each test."""
    if kind != "server":
        return store_backend(kind)
    server = LocalServer()
    return ServerBackend(server.settings, connect=server.connect)


#: The pretended server searches in full, and what it searches with is Python.
_SLOW = {"server"}


@pytest.fixture(
    scope="module",
    params=[pytest.param(kind, marks=pytest.mark.slow) if kind in _SLOW else kind for kind in get_args(StoreKind)],
)
def kind(request: pytest.FixtureRequest) -> StoreKind:
    """Every kind of store in turn."""
    found: StoreKind = request.param
    return found


@pytest.fixture
def build(kind: StoreKind, tmp_path: Path) -> Iterator[Builder]:
    """Makes a store of the kind under test, closed at the end."""
    made: list[SearchStore] = []

    def make(points: list[StorePoint]) -> SearchStore:
        place = tmp_path / f"store-{len(made)}"
        backend = backend_of(kind)
        backend.build(points, place)
        store = backend.open(place, lambda: points)
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()


@pytest.fixture(scope="module")
def store(kind: StoreKind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchStore]:
    """The collection in a store that no test changes."""
    place = tmp_path_factory.mktemp("store") / kind
    backend = backend_of(kind)
    points = collection()
    backend.build(points, place)
    store = backend.open(place, lambda: points)
    yield store
    store.close()


@pytest.fixture(scope="module")
def reference() -> ExactStore:
    return ExactStore(collection())


FILTERS = [
    NO_FILTERS,
    SearchFilters(source=SourceId("codes")),
    SearchFilters(publishers=("Publisher 1", "Publisher 4")),
    SearchFilters(regions=("US",)),
    SearchFilters(source=SourceId("guidelines"), publishers=("Publisher 2",), regions=("GB", "INT")),
    SearchFilters(publishers=("Nobody",)),
    SearchFilters(languages=("en-US",)),
    SearchFilters(strengths=(StrengthClass.STRONG, StrengthClass.CONSENSUS)),
    SearchFilters(strengths=(StrengthClass.AGAINST,), include_superseded=True),
    SearchFilters(published_from="2018-06"),
    SearchFilters(published_to="2018-05-31"),
    SearchFilters(published_from="2018", published_to="2018", regions=("US",)),
    SearchFilters(include_superseded=True),
]


@pytest.mark.parametrize("filters", FILTERS)
def test_same_bm25_ranking_and_scores_as_the_reference(
    store: SearchStore, reference: ExactStore, filters: SearchFilters
) -> None:
    random = np.random.default_rng(11)
    for _ in range(20):
        query = term_ids([f"w{word}" for word in np.minimum(random.zipf(1.3, size=6), 320)])
        for limit in (1, 10, 50):
            found, expected = store.bm25_leg(query, filters, limit), reference.bm25_leg(query, filters, limit)
            assert [item for item, _ in found] == [item for item, _ in expected]
            np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], rtol=1e-5)


@pytest.mark.parametrize("filters", FILTERS)
def test_same_dense_ranking_and_scores_as_the_reference(
    store: SearchStore, reference: ExactStore, filters: SearchFilters
) -> None:
    random = np.random.default_rng(13)
    for _ in range(20):
        query = unit(random)
        for limit in (1, 10, 50):
            found, expected = store.dense_leg(query, filters, limit), reference.dense_leg(query, filters, limit)
            assert [item for item, _ in found] == [item for item, _ in expected]
            np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], atol=1e-5)


@pytest.mark.parametrize("filters", FILTERS)
def test_filters_are_kept_and_counted(store: SearchStore, filters: SearchFilters) -> None:
    wanted = {point.passage_id for point in collection() if kept(point, filters)}
    assert store.count(filters) == len(wanted)
    found = store.dense_leg(unit(np.random.default_rng(1)), filters, SIZE)
    assert {item for item, _ in found} == wanted


def kept(point: StorePoint, filters: SearchFilters) -> bool:
    """The rules of `retrieval.filters`, said once more in other words; text compares as ISO dates do."""
    date = point.published
    return (
        filters.source in (None, point.source)
        and (not filters.publishers or point.publisher in filters.publishers)
        and (not filters.regions or point.region in filters.regions)
        and (not filters.languages or point.language[:2] in {tag[:2] for tag in filters.languages})
        and (not filters.strengths or not point.strengths.isdisjoint(filters.strengths))
        and (not filters.dated or date is not None)
        and (not (date and filters.published_from) or (date + "-99-99")[:10] >= filters.published_from)
        and (not (date and filters.published_to) or date <= filters.published_to + "-99-99")
        and (filters.include_superseded or not point.superseded)
    )


@pytest.mark.parametrize(
    ("stated", "bounds", "found"),
    [
        ("2018", {"published_from": "2018-06"}, True),
        ("2018", {"published_to": "2018-06"}, True),
        ("2018-05", {"published_from": "2018-06"}, False),
        ("2018-06-30", {"published_to": "2018-06"}, True),
        ("2018-07-01", {"published_to": "2018-06"}, False),
        ("2018", {"published_from": "2019"}, False),
        (None, {"published_from": "1900"}, False),
        (None, {"published_to": "2100"}, False),
        (None, {}, True),
    ],
)
def test_a_date_known_in_part_is_kept_where_it_may_match(
    build: Builder, stated: str | None, bounds: dict[str, str], found: bool
) -> None:
    vector = unit(np.random.default_rng(5))
    point = StorePoint(PassageId("p"), SourceId("s"), "p", "GB", term_ids(["x"]), vector, published=stated)
    filters = SearchFilters.model_validate(bounds)
    store = build([point])
    assert store.count(filters) == len(store.dense_leg(vector, filters, 5)) == int(found)


@pytest.mark.parametrize("old", [False, True])
def test_superseded_guidance_is_found_only_when_asked_for(build: Builder, old: bool) -> None:
    vector = unit(np.random.default_rng(6))
    store = build([StorePoint(PassageId("p"), SourceId("s"), "p", "GB", term_ids(["x"]), vector, superseded=old)])
    asked = SearchFilters(include_superseded=True)
    for filters, number in ((NO_FILTERS, int(not old)), (asked, 1)):
        assert store.count(filters) == number
        assert len(store.bm25_leg(term_ids(["x"]), filters, 5)) == number
        assert len(store.dense_leg(vector, filters, 5)) == number
    assert store.count() == 1


def test_publisher_and_region_are_found_whatever_their_case(store: SearchStore) -> None:
    assert store.count(SearchFilters(publishers=("  publisher   1 ",), regions=("us",))) == store.count(
        SearchFilters(publishers=("Publisher 1",), regions=("US",))
    )


def test_every_passage_is_counted(store: SearchStore) -> None:
    assert store.count() == SIZE


def test_passages_that_share_no_word_are_not_found(store: SearchStore) -> None:
    assert store.bm25_leg(term_ids(["nowhere"]), NO_FILTERS, 10) == ()
    assert store.bm25_leg(term_ids([]), NO_FILTERS, 10) == ()
    word = term_ids(["w3"])[0]
    having = {point.passage_id for point in collection() if word in point.terms and not point.superseded}
    assert {item for item, _ in store.bm25_leg(term_ids(["w3"]), NO_FILTERS, SIZE)} == having


def test_equal_scores_are_ordered_by_id(build: Builder) -> None:
    """Also at the cut: the first of twenty equals must not depend on how they were stored."""
    vector = unit(np.random.default_rng(2))
    ids = [PassageId(f"t{(n * 7) % 20:02d}") for n in range(20)]
    store = build([StorePoint(i, SourceId("s"), "p", "GB", term_ids(["same"]), vector) for i in ids])
    for leg in (store.bm25_leg(term_ids(["same"]), NO_FILTERS, 5), store.dense_leg(vector, NO_FILTERS, 5)):
        assert [item for item, _ in leg] == [f"t{n:02d}" for n in range(5)]


def test_vectors_of_another_length_are_refused(store: SearchStore) -> None:
    with pytest.raises(StoreError):
        store.dense_leg(np.ones(DIMENSION + 1, dtype=np.float32), NO_FILTERS, 3)


def test_a_closed_store_says_so_and_closes_twice(build: Builder) -> None:
    store = build(collection())
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.dense_leg(unit(np.random.default_rng(1)), NO_FILTERS, 3)
    with pytest.raises(StoreError, match="closed"):
        store.bm25_leg(term_ids(["w1"]), NO_FILTERS, 3)


def test_threads_get_the_same_answers(store: SearchStore) -> None:
    query, vector = term_ids(["w1", "w5"]), unit(np.random.default_rng(3))

    def legs() -> list[tuple[PassageId, float]]:
        found = [*store.bm25_leg(query, NO_FILTERS, 20), *store.dense_leg(vector, NO_FILTERS, 20)]
        # numpy adds in an order that depends on where its arrays lie in memory (measured: 3e-8).
        return [(item, round(score, 5)) for item, score in found]

    expected = legs()
    wrong: list[object] = []

    def work() -> None:
        wrong.extend(found for found in (legs() for _ in range(30)) if found != expected)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("filters", FILTERS)
def test_the_conditions_say_what_the_filters_mean(filters: SearchFilters) -> None:
    """What a new store is written against: payload and conditions keep the same passages as the rules."""
    for point in collection():
        values = payload(point)
        assert set(values) <= set(FIELDS)
        assert all(holds(condition, values) for condition in conditions(filters)) == kept(point, filters)
