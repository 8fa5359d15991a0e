"""An indexer that is killed, at ten points of its work. If these fail, a power cut takes the search down."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from retrieval import CorpusEntry, HashingEncoder, SearchRequest, build_index, open_searcher, read_manifest
from retrieval.vectors import VectorStore

from .conftest import EntryMaker

ROOT = Path(__file__).parents[2]

#: Where the process is killed: just before this call, the n-th time it is made.
POINTS = {
    "begin": ("retrieval.generations:IndexDirectory.begin", 1),
    "records": ("retrieval.records:RecordStore.write_generation", 1),
    "inside the records": ("retrieval.records:_put_text", 4),
    "first vectors": ("retrieval.vectors:VectorStore.add", 1),
    "later vectors": ("retrieval.vectors:VectorStore.add", 2),
    "search store": ("retrieval.stores.edge:EdgeStore.build", 1),
    "inside the search store": ("retrieval.stores.edge:_point", 3),
    "manifest": ("retrieval.generations:IndexDirectory.manifest", 2),
    "swap": ("retrieval.generations:IndexDirectory.publish", 1),
    "pointer": ("retrieval.generations:sync_directory", 1),
    "clean-up": ("retrieval.generations:IndexDirectory.clean", 1),
    "inside the clean-up": ("retrieval.records:RecordStore.forget_generation", 1),
}
_CHILD = """
import importlib, os, sys
from pathlib import Path
import retrieval.index
from retrieval import CorpusEntry, HashingEncoder, build_index
index, corpus, place, number = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
retrieval.index._ENCODE_CHUNK = 2
module, name = place.split(":")
owner = importlib.import_module(module)
*path, last = name.split(".")
for part in path:
    owner = getattr(owner, part)
real = owner.__dict__[last]
function = real.__func__ if isinstance(real, classmethod) else real
calls = 0
def killed(*arguments, **named):
    global calls
    calls += 1
    if calls == number:
        os.kill(os.getpid(), 9)
    return function(*arguments, **named)
setattr(owner, last, classmethod(killed) if isinstance(real, classmethod) else killed)
entries = [CorpusEntry.model_validate_json(line) for line in Path(corpus).read_text("utf-8").splitlines()]
build_index(entries, Path(index), HashingEncoder(64))
"""
QUERIES = ("salbutamol wheeze", "colchicine flare", "nitrofurantoin cystitis", "statin stroke", "fluids")


def answers(index: Path) -> str:
    """Everything the index answers, as text; scores included."""
    searcher = open_searcher(index, encoder=HashingEncoder(64))
    results = [searcher.search(SearchRequest(queries=(query,), limit=20)).hits for query in QUERIES]
    searcher.close()
    return json.dumps([[hit.model_dump(mode="json") for hit in hits] for hits in results])


def vectors_held(index: Path) -> int:
    encoder = HashingEncoder(64)
    return len(VectorStore(index / "vectors", fingerprint=encoder.fingerprint, dimension=encoder.dimension))


@pytest.mark.parametrize("point", POINTS)
def test_a_build_killed_at_any_point_leaves_the_old_index_answering(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], make_entry: EntryMaker, point: str
) -> None:
    index, corpus = tmp_path / "index", tmp_path / "corpus.jsonl"
    # A third build, so that there is something to clean up.
    for number in (1, 2):
        build_index(entries[:number], index, HashingEncoder(64))
    before, version, held = answers(index), read_manifest(index).index_version, vectors_held(index)
    added = make_entry("new", *(f"Offer a statin after a stroke, number {n}." for n in range(5)), condition="Stroke")
    wanted = [*entries, added]
    corpus.write_text("\n".join(entry.model_dump_json() for entry in wanted), encoding="utf-8")
    place, number = POINTS[point]
    command = [sys.executable, "-c", _CHILD, str(index), str(corpus), place, str(number)]
    killed = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert killed.returncode == -9, killed.stderr

    swapped = point in ("clean-up", "inside the clean-up")
    assert (answers(index) == before) != swapped
    assert (read_manifest(index).index_version == version) != swapped
    assert vectors_held(index) >= held, "no vector of record was lost"

    manifest = build_index(wanted, index, HashingEncoder(64))
    reference = tmp_path / "reference"
    assert manifest.index_version == build_index(wanted, reference, HashingEncoder(64)).index_version
    assert answers(index) == answers(reference)
