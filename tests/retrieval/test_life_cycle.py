"""From a file to a hit: editions, review dates, withdrawals and updates. If these fail, old guidance is shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from retrieval import (
    NOTHING_STATED,
    CorpusEntry,
    CutLimits,
    Document,
    DocumentId,
    EstimatedCounter,
    GuidanceStatus,
    HashingEncoder,
    HybridSearcher,
    Library,
    MemoryCorpus,
    PassageId,
    SearchFilters,
    SearchRequest,
    SearchSettings,
    StatedMetadata,
    Withdrawal,
    Withdrawals,
    add_paths,
    build_index,
    memory_searcher,
    open_searcher,
)
from retrieval.encoders import Vectors
from retrieval.index import store_points
from retrieval.stores import ExactStore, Leg

from .conftest import EntryMaker


def found(searcher: HybridSearcher, query: str = "fluids", **filters: object) -> list[str]:
    request = SearchRequest(queries=(query,), filters=SearchFilters.model_validate(filters), limit=20)
    return [hit.passage.id for hit in searcher.search(request).hits]


def versions(make_entry: EntryMaker) -> list[CorpusEntry]:
    old, new = make_entry("old", "Give fluids slowly."), make_entry("new", "Give fluids at once.")
    document = new.document.model_copy(update={"supersedes": DocumentId("old"), "review_by": "2024-06"})
    return [old, new.model_copy(update={"document": document})]


def withdraw(withdrawals: Withdrawals, name: str, *passages: str, act: str = "withdraw") -> None:
    withdrawals.add(
        Withdrawal.model_validate(
            {
                "act": act,
                "kind": "document" if "#" not in name else "passage",
                "id": name,
                "why": "The dose is wrong.",
                "who": "Example Pharmacist",
                "at": datetime(2026, 1, 1, tzinfo=UTC),
                "passages": passages or ((name,) if "#" in name else ()),
            }
        )
    )


@pytest.fixture(params=["memory", "edge"])
def searcher(request: pytest.FixtureRequest, tmp_path: Path, make_entry: EntryMaker) -> Iterator[HybridSearcher]:
    entries = versions(make_entry)
    if request.param == "memory":
        opened = memory_searcher(entries)
    else:
        build_index(entries, tmp_path, HashingEncoder())
        opened = open_searcher(tmp_path, encoder=HashingEncoder())
    yield opened
    opened.close()


def test_the_older_version_is_found_only_when_asked_for_and_says_so(searcher: HybridSearcher) -> None:
    assert found(searcher) == ["new#1"]
    asked = SearchRequest(queries=("fluids",), filters=SearchFilters(include_superseded=True))
    by_id = {hit.passage.id: hit for hit in searcher.search(asked).hits}
    assert set(by_id) == {"old#1", "new#1"}
    assert (by_id[PassageId("old#1")].status, by_id[PassageId("old#1")].superseded_by) == ("superseded", "new")
    opened = searcher.hit(PassageId("old#1"))
    assert opened is not None
    assert opened.status is GuidanceStatus.SUPERSEDED, "an old citation that is opened says that it is old"


@pytest.mark.parametrize(("today", "status"), [(date(2024, 6, 30), "current"), (date(2024, 7, 1), "expired")])
def test_expired_guidance_is_found_and_labelled(make_entry: EntryMaker, today: date, status: str) -> None:
    searcher = memory_searcher(versions(make_entry)[1:], today=lambda: today)
    assert [hit.status for hit in searcher.search(SearchRequest(queries=("fluids",))).hits] == [status]


def test_a_date_filter_says_how_much_has_no_date(make_entry: EntryMaker) -> None:
    undated = make_entry("undated", "Give fluids.", "Measure fluids.", region="US")
    undated = undated.model_copy(update={"document": undated.document.model_copy(update={"published": None})})
    searcher = memory_searcher([undated, make_entry("dated", "Give fluids.")])
    for filters, left_out in (
        ({"published_from": "2020"}, 2),
        ({"published_to": "2025-01"}, 2),
        ({"published_from": "2020", "regions": ("GB",)}, 0),
        ({}, None),
    ):
        for _ in range(2):  # the second time the count is a remembered one
            request = SearchRequest(queries=("fluids",), filters=SearchFilters.model_validate(filters))
            assert searcher.search(request).undated_left_out == left_out
    assert found(searcher, published_from="2020") == ["dated#1"]


def test_the_home_region_of_a_request_goes_before_the_deployments(make_entry: EntryMaker) -> None:
    entries = [make_entry(region, "Give fluids.", region=region) for region in ("GB", "NG", "US")]
    searcher = memory_searcher(entries, settings=SearchSettings(home_region="US"))
    hits = searcher.search(SearchRequest(queries=("fluids",))).hits
    assert [(hit.document.region, hit.from_elsewhere, hit.rank) for hit in hits] == [
        ("US", False, 1),
        ("GB", True, 2),
        ("NG", True, 3),
    ]
    hits = searcher.search(SearchRequest(queries=("fluids",), home_region="NG")).hits
    assert [hit.document.region for hit in hits] == ["NG", "GB", "US"]
    hits = memory_searcher(entries).search(SearchRequest(queries=("fluids",))).hits
    assert [(hit.document.region, hit.from_elsewhere) for hit in hits] == [("GB", False), ("NG", False), ("US", False)]


@pytest.mark.parametrize("name", ["b", "b#2"])
def test_what_is_withdrawn_is_gone_from_a_searcher_that_is_open(
    make_entry: EntryMaker, tmp_path: Path, name: str
) -> None:
    entries = [make_entry(key, "Give fluids.", "Measure fluids.") for key in ("a", "b", "c")]
    withdrawals = Withdrawals(tmp_path / "withdrawals.jsonl")
    searcher = memory_searcher(entries, withdrawals=withdrawals)
    assert len(found(searcher)) == 6
    withdraw(withdrawals, name)
    gone = {"b#1", "b#2"} if name == "b" else {"b#2"}
    assert set(found(searcher)) == {"a#1", "a#2", "b#1", "b#2", "c#1", "c#2"} - gone
    for passage in map(PassageId, gone):
        assert searcher.passage(passage) is None
        assert searcher.hit(passage) is None
        reason = searcher.withdrawal(passage)
        assert reason is not None
        assert reason.why == "The dose is wrong."
    assert searcher.withdrawal(PassageId("a#1")) is None
    withdraw(withdrawals, name, act="restore")
    assert len(found(searcher)) == 6


def test_a_search_is_as_deep_as_before_however_much_is_withdrawn(make_entry: EntryMaker, tmp_path: Path) -> None:
    """All that ranks first is withdrawn; what comes after it must still be found, as by a store without it."""
    many = make_entry("many", *(f"Fluids fluids fluids {number}." for number in range(200)))
    few = make_entry("few", *(f"Give fluids with care number {number}." for number in range(30)))
    withdrawals = Withdrawals(tmp_path / "withdrawals.jsonl")
    searcher = memory_searcher([many, few], withdrawals=withdrawals)
    withdraw(withdrawals, "many")
    assert set(found(searcher)) <= {passage.id for passage in few.passages}
    assert len(found(searcher)) == 20


def test_the_next_build_leaves_withdrawn_guidance_out(make_entry: EntryMaker, tmp_path: Path) -> None:
    entries = [make_entry("a", "Give fluids.", "Measure fluids."), make_entry("b", "Warm fluids.")]
    withdrawals = Withdrawals(tmp_path / "withdrawals.jsonl")
    withdraw(withdrawals, "a#1")
    withdraw(withdrawals, "b", "b#1")
    manifest = build_index(entries, tmp_path / "index", HashingEncoder(), withdrawn=withdrawals.now())
    assert (manifest.documents, manifest.passages) == (1, 1)
    searcher = open_searcher(tmp_path / "index", encoder=HashingEncoder(), withdrawals=withdrawals)
    assert found(searcher) == ["a#2"]
    for gone in ("a#1", "b#1"):
        assert searcher.withdrawal(PassageId(gone)) is not None, "its id still says why it is gone"
    searcher.close()


def test_the_old_version_does_not_come_back_when_the_new_one_is_withdrawn(
    make_entry: EntryMaker, tmp_path: Path
) -> None:
    withdrawals = Withdrawals(tmp_path / "withdrawals.jsonl")
    withdraw(withdrawals, "new")
    build_index(versions(make_entry), tmp_path / "index", HashingEncoder(), withdrawn=withdrawals.now())
    searcher = open_searcher(tmp_path / "index", encoder=HashingEncoder(), withdrawals=withdrawals)
    assert found(searcher) == []
    assert found(searcher, include_superseded=True) == ["old#1"]
    old = searcher.hit(PassageId("old#1"))
    assert old is not None
    assert (old.status, old.superseded_by, old.newer_withdrawn) == ("superseded", None, True), "no dead id is named"
    withdraw(withdrawals, "new", act="restore")
    old = searcher.hit(PassageId("old#1"))
    assert old is not None
    assert (old.superseded_by, old.newer_withdrawn) == ("new", False)
    searcher.close()


def test_withdrawn_while_a_search_runs(make_entry: EntryMaker, tmp_path: Path) -> None:
    """The act falls between the legs and the reading of the texts: it still holds."""
    withdrawals = Withdrawals(tmp_path / "withdrawals.jsonl")
    entry, encoder = make_entry("a", "Give fluids."), HashingEncoder()

    class WithdrawnMeanwhile(ExactStore):
        def dense_leg(self, vector: Vectors, filters: SearchFilters, limit: int) -> Leg:
            leg = super().dense_leg(vector, filters, limit)
            if not withdrawals.now():
                withdraw(withdrawals, "a")
            return leg

    pairs = [(passage, entry.document) for passage in entry.passages]
    points = store_points(pairs, encoder.encode_passages([passage.text for passage in entry.passages]))
    store = WithdrawnMeanwhile(points)
    searcher = HybridSearcher(store, encoder, MemoryCorpus([entry]), withdrawals=withdrawals)
    assert store.count() == 1
    assert found(searcher) == []


def test_what_is_stated_of_a_file_goes_before_what_it_says_and_holds_on(tmp_path: Path) -> None:
    file = tmp_path / "fever.md"
    file.write_text("---\nid: fever\nregion: GB\n---\n# Fever\n\nGive fluids. (Strong recommendation)\n", "utf-8")
    stated = StatedMetadata.model_validate({"publisher": "Example Institute", "region": "NG", "review_by": "2020"})

    with Library(tmp_path / "library.sqlite") as library:

        def add(given: StatedMetadata = NOTHING_STATED) -> tuple[bool, Document]:
            (report,) = add_paths([file], library, CutLimits(EstimatedCounter()), stated=given)
            (entry,) = library.entries()
            return report.unchanged, entry.document

        assert add()[1].region == "GB"
        unchanged, document = add(stated)
        assert (unchanged, document.publisher, document.region, document.review_by) == (
            False,
            "Example Institute",
            "NG",
            "2020",
        )
        assert add(stated)[0], "stated again, nothing has changed"
        assert add()[0], "not stated again, it still holds"
        file.write_text(file.read_text("utf-8").replace("fluids", "warm fluids"), "utf-8")
        unchanged, document = add()
        assert (unchanged, document.publisher, document.review_by) == (False, "Example Institute", "2020")


def test_what_is_stated_of_a_folder_survives_a_broken_file_a_removal_and_more_that_is_stated(tmp_path: Path) -> None:
    """Else guidance that an operator dated would come back without its review date, and pass for current."""
    folder = tmp_path / "pack"
    folder.mkdir()
    for name in ("fever", "rash"):
        (folder / f"{name}.md").write_text(f"---\nid: {name}\n---\n# {name}\n\nGive fluids. (Strong for)\n", "utf-8")
    (folder / "broken.json").write_text("{", "utf-8")

    with Library(tmp_path / "library.sqlite") as library:

        def add(**given: str) -> list[tuple[str, str | None]]:
            stated = StatedMetadata.model_validate(given)
            list(add_paths([folder], library, CutLimits(EstimatedCounter()), stated=stated))
            return [(entry.document.publisher, entry.document.review_by) for entry in library.entries()]

        add(review_by="2020")
        (folder / "broken.json").unlink()
        assert {review_by for _, review_by in add()} == {"2020"}, "after a file that could not be read"
        assert library.remove("fever") == 1
        assert [review_by for _, review_by in add()] == ["2020", "2020"], "after one document was removed"
        assert add(publisher="Example Institute") == [("Example Institute", "2020")] * 2, "beside what is stated later"
        library.remove("pack")
        assert {review_by for _, review_by in add()} == {None}, "a corpus that was removed starts anew"


def test_an_updated_file_replaces_its_passages(tmp_path: Path) -> None:
    """Add, index, change, add, index: nothing of the first version is found."""
    file = tmp_path / "fever.md"
    library = tmp_path / "library.sqlite"
    limits = CutLimits(EstimatedCounter())

    def add_and_build(text: str) -> HybridSearcher:
        front = "---\nid: fever\ntitle: Fever\npublisher: Example Institute\nregion: GB\n---\n"
        file.write_text(f"{front}# Fever\n\n{text}\n", encoding="utf-8")
        with Library(library) as held:
            (report,) = add_paths([file], held, limits)
            assert (report.documents, report.changed, report.failed) == (1, 1, [])
            build_index(list(held.entries()), tmp_path / "index", HashingEncoder())
        return open_searcher(tmp_path / "index", encoder=HashingEncoder())

    first = add_and_build("Give adults 250 mg of examplicillin. (Strong recommendation)")
    old = found(first, "examplicillin")
    assert len(old) == 1
    second = add_and_build("Give adults 500 mg of examplicillin. (Strong recommendation)")
    (hit,) = second.search(SearchRequest(queries=("examplicillin",))).hits
    assert "500 mg" in hit.passage.text
    assert second.passage(PassageId(old[0])) is None
    assert found(first, "examplicillin") == old, "a searcher that is open answers from its own index"
    first.close()
    second.close()
