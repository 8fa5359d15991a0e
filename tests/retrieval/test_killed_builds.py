"""An indexer and `corpus add`, killed at many points. If these fail, a power cut takes the search down."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from retrieval import (
    CorpusEntry,
    CutLimits,
    EstimatedCounter,
    HashingEncoder,
    Library,
    SearchRequest,
    add_paths,
    build_index,
    open_searcher,
    read_manifest,
)
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
_KILLED = """
import importlib, os, sys
from pathlib import Path
def kill_before(place, number):
    module, name = place.split(":")
    owner = importlib.import_module(module)
    *path, last = name.split(".")
    for part in path:
        owner = getattr(owner, part)
    real = owner.__dict__[last]
    function = real.__func__ if isinstance(real, classmethod) else real
    calls = 0
    def killed(*arguments, **named):
        nonlocal calls
        calls += 1
        if calls == number:
            os.kill(os.getpid(), 9)
        return function(*arguments, **named)
    setattr(owner, last, classmethod(killed) if isinstance(real, classmethod) else killed)
place, number, target, source = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4])
"""
_BUILDING = """
import retrieval.index
from retrieval import CorpusEntry, HashingEncoder, build_index
retrieval.index._ENCODE_CHUNK = 2
kill_before(place, number)
entries = [CorpusEntry.model_validate_json(line) for line in source.read_text("utf-8").splitlines()]
build_index(entries, target, HashingEncoder(64))
"""
_ADDING = """
from retrieval import CutLimits, EstimatedCounter, Library, add_paths
kill_before(place, number)
with Library(target) as library:
    list(add_paths([source], library, CutLimits(EstimatedCounter())))
"""
QUERIES = ("salbutamol wheeze", "colchicine flare", "nitrofurantoin cystitis", "statin stroke", "fluids")


def answers(index: Path) -> str:
    """Everything the index answers, as text; scores included."""
    searcher = open_searcher(index, encoder=HashingEncoder(64))
    results = [searcher.search(SearchRequest(queries=(query,), limit=20)).hits for query in QUERIES]
    searcher.close()
    return json.dumps([[hit.model_dump(mode="json") for hit in hits] for hits in results])


def kill(work: str, place: str, number: int, target: Path, source: Path) -> None:
    """Do the work in a process of its own and kill it just before call `number` of `place`."""
    command = [sys.executable, "-c", _KILLED + work, place, str(number), str(target), str(source)]
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr


def vectors_held(index: Path) -> int:
    encoder = HashingEncoder(64)
    return len(VectorStore(index / "vectors", fingerprint=encoder.fingerprint, dimension=encoder.dimension))


@pytest.mark.slow
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
    kill(_BUILDING, place, number, index, corpus)

    swapped = point in ("clean-up", "inside the clean-up")
    assert (answers(index) == before) != swapped
    assert (read_manifest(index).index_version == version) != swapped
    assert vectors_held(index) >= held, "no vector of record was lost"

    manifest = build_index(wanted, index, HashingEncoder(64))
    reference = tmp_path / "reference"
    assert manifest.index_version == build_index(wanted, reference, HashingEncoder(64)).index_version
    assert answers(index) == answers(reference)


@pytest.mark.parametrize(
    ("place", "number"),
    [
        ("retrieval.library:Addition.put", 1),
        ("retrieval.library:Addition.put", 3),
        ("retrieval.adding:cut_document", 2),
        ("retrieval.library:Addition.remember", 1),
    ],
    ids=["first document", "third document", "while cutting", "at the end"],
)
def test_adding_that_is_killed_leaves_what_was_there_and_can_be_done_again(
    tmp_path: Path, place: str, number: int
) -> None:
    folder, file = tmp_path / "pack", tmp_path / "library.sqlite"
    folder.mkdir()

    def write(dose: str) -> None:
        for name in ("a", "b", "c"):
            text = f"# Fever {name}\n\nGive {dose} of examplicillin. (Strong recommendation)\n"
            (folder / f"{name}.md").write_text(text, encoding="utf-8")

    def add() -> None:
        with Library(file) as library:
            (report,) = add_paths([folder], library, CutLimits(EstimatedCounter()))
            assert (report.documents, report.failed) == (3, [])

    def held() -> list[CorpusEntry]:
        with Library(file) as library:
            return list(library.entries())

    write("250 mg")
    add()
    before = held()
    write("500 mg")
    kill(_ADDING, place, number, file, folder)
    assert held() == before
    add()
    assert all("500 mg" in entry.passages[0].text for entry in held())
