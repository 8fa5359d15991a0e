"""What only the embedded engine can get wrong. If these fail, an index cannot be opened or shared."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from retrieval.bm25 import term_ids
from retrieval.documents import PassageId, SourceId
from retrieval.errors import StoreError
from retrieval.filters import NO_FILTERS, SearchFilters
from retrieval.stores import EdgeSettings, EdgeStore, ExactStore, StorePoint
from retrieval.stores.filter_table import FilterTable

ROOT = Path(__file__).parents[3]
VECTOR = np.array([1.0, 0.0, 0.0], dtype=np.float32)


def point(number: int) -> StorePoint:
    vector = np.array([1.0, number / 10, 0.0], dtype=np.float32)
    terms = term_ids(["shared", f"own{number}"])
    return StorePoint(PassageId(f"p{number}"), SourceId("s"), "P", "GB", terms, vector / np.linalg.norm(vector))


@pytest.fixture
def built(tmp_path: Path) -> Path:
    EdgeStore.build([point(number) for number in range(5)], tmp_path / "edge").close()
    return tmp_path / "edge"


def test_a_terminal_search_works_while_the_service_runs(built: Path) -> None:
    """A second process opens the store, searches and closes; the first then still answers."""
    with_service = EdgeStore(built)
    script = (
        "import sys; from pathlib import Path; from retrieval.bm25 import term_ids\n"
        "from retrieval.filters import NO_FILTERS; from retrieval.stores import EdgeStore\n"
        "store = EdgeStore(Path(sys.argv[1]))\n"
        "sys.stdout.write(store.bm25_leg(term_ids(['own3']), NO_FILTERS, 3)[0][0]); store.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(built)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "p3"
    assert with_service.dense_leg(VECTOR, NO_FILTERS, 1)[0][0] == "p0"
    with_service.close()
    again = EdgeStore(built)
    assert again.count() == 5
    again.close()


def test_a_killed_reader_leaves_a_store_that_opens(built: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from retrieval.stores import EdgeStore\n"
        "store = EdgeStore(Path(sys.argv[1])); store.count(); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(built)], cwd=ROOT, check=False).returncode == -9
    store = EdgeStore(built)
    assert store.count() == 5
    store.close()


def test_a_missing_or_half_written_store_is_a_typed_error(built: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="not a complete search store"):
        EdgeStore(tmp_path / "nowhere")
    (built / "statistics.npz").write_bytes(b"half")
    with pytest.raises(StoreError, match="not a complete search store"):
        EdgeStore(built)


def test_a_damaged_shard_is_a_typed_error(built: Path) -> None:
    (built / "shard" / "edge_config.json").write_text("{", encoding="utf-8")
    with pytest.raises(StoreError, match="could not open"):
        EdgeStore(built)


def test_nothing_to_store_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="at least one"):
        EdgeStore.build([], tmp_path / "edge")


def test_no_passage_text_is_kept_in_the_engine(built: Path) -> None:
    """Texts live in the store of record only; the engine knows numbers and filter values."""
    assert json.loads((built / "passages.json").read_text("utf-8")) == [f"p{number}" for number in range(5)]


def test_coded_vectors_find_what_exact_search_finds_with_exact_scores() -> None:
    """Above `exact_up_to` codes are compared first; what is shown must not depend on it."""
    random = np.random.default_rng(5)
    centres = random.normal(size=(60, 64))
    rows = np.repeat(centres, 50, axis=0) + random.normal(scale=0.7, size=(3000, 64))
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    points = [
        StorePoint(PassageId(f"p{n:04d}"), SourceId("s"), "P", "GB" if n % 3 else "US", term_ids([f"w{n}"]), row)
        for n, row in enumerate(rows)
    ]
    exact = ExactStore(points)
    with TemporaryDirectory() as folder:
        coded = EdgeStore.build(points, Path(folder) / "coded", settings=EdgeSettings(exact_up_to=0))
        shares = []
        for number in range(100):
            query = rows[number * 29] + random.normal(scale=0.05, size=64).astype(np.float32)
            query /= np.linalg.norm(query)
            for filters in (NO_FILTERS, SearchFilters(regions=("US",))):
                found, best = coded.dense_leg(query, filters, 10), dict(exact.dense_leg(query, filters, 100))
                shares.append(len({item for item, _ in found} & set(list(best)[:10])) / 10)
                for item, score in found:
                    assert score == pytest.approx(best.get(item, score), abs=1e-5)
        coded.close()
    assert np.mean(shares) > 0.995


def test_what_a_filter_drops_from_the_best_is_made_up_for(tmp_path: Path) -> None:
    """All that is nearest is left out, so the best of all are not enough and the engine filters."""
    size, near = 4000, 60
    random = np.random.default_rng(5)
    points = []
    for number in range(size):
        spread = 0.05 if number < near else 1.0
        vector = (VECTOR + random.normal(0, spread, 3)).astype(np.float32)
        vector /= np.linalg.norm(vector)
        region = "US" if number < near else "GB"
        points.append(StorePoint(PassageId(f"p{number}"), SourceId("s"), "P", region, term_ids(["a"]), vector))
    store, exact = EdgeStore.build(points, tmp_path / "edge"), ExactStore(points)
    for filters in (SearchFilters(regions=("GB",)), SearchFilters(regions=("US",)), NO_FILTERS):
        found, expected = store.dense_leg(VECTOR, filters, 10), exact.dense_leg(VECTOR, filters, 10)
        assert [item for item, _ in found] == [item for item, _ in expected]
        assert store.count(filters) == exact.count(filters)
    store.close()


@pytest.mark.parametrize("kept", [0.0, 0.2, 0.5, 0.95])
def test_a_store_with_a_torn_filter_table_is_not_complete(built: Path, kept: float) -> None:
    whole = (built / "filters.npz").read_bytes()
    (built / "filters.npz").write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(StoreError, match="not a complete search store"):
        EdgeStore(built)


def test_a_filter_table_of_another_collection_is_refused(built: Path) -> None:
    FilterTable.of([point(1)]).save(built / "filters.npz")
    with pytest.raises(StoreError, match="not a complete search store"):
        EdgeStore(built)
