"""If these fail, a rebuilt index is stale, costs an encoding for nothing, or a crash takes search down."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from retrieval import (
    BuildProgress,
    CorpusEntry,
    CorpusError,
    EncoderError,
    ExactBackend,
    HashingEncoder,
    IndexLockedError,
    IndexMismatchError,
    IndexMissingError,
    SearchRequest,
    build_index,
    open_searcher,
    read_manifest,
)
from retrieval.encoders import EncodeProgress, Vectors
from retrieval.generations import IndexDirectory

ROOT = Path(__file__).parents[2]
EntryMaker = Callable[..., CorpusEntry]


class CountingEncoder(HashingEncoder):
    """Counts the passages it encoded; fails once more than `fail_after` have been asked for."""

    def __init__(self, fail_after: int | None = None) -> None:
        super().__init__(64)
        self.encoded = 0
        self._fail_after = fail_after

    def encode_passages(self, texts: list[str], progress: EncodeProgress | None = None) -> Vectors:
        self.encoded += len(texts)
        if self._fail_after is not None and self.encoded > self._fail_after:
            raise EncoderError("no more")
        return super().encode_passages(texts, progress)


def top(directory: Path, query: str) -> str:
    searcher = open_searcher(directory, encoder=CountingEncoder())
    try:
        return searcher.search(SearchRequest(queries=(query,))).hits[0].passage.id
    finally:
        searcher.close()


def generations(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "generations").iterdir())


def test_a_built_index_is_described_and_searched(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    manifest = build_index(entries, tmp_path, CountingEncoder())
    assert read_manifest(tmp_path) == manifest
    assert (manifest.documents, manifest.passages, manifest.encoded) == (3, 5, 5)
    assert manifest.built_at.tzinfo is not None
    assert top(tmp_path, "colchicine flare") == "gout#1"


def test_an_unchanged_corpus_builds_and_encodes_nothing(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    first = build_index(entries, tmp_path, CountingEncoder())
    encoder = CountingEncoder()
    assert build_index(reversed(entries), tmp_path, encoder) == first
    assert encoder.encoded == 0
    assert generations(tmp_path) == ["000001"]


def test_only_new_texts_are_encoded(tmp_path: Path, entries: tuple[CorpusEntry, ...], make_entry: EntryMaker) -> None:
    build_index(entries, tmp_path, CountingEncoder())
    added = make_entry("new", "Offer a statin after a stroke.", condition="Stroke")
    encoder = CountingEncoder()
    manifest = build_index([*entries[:2], added], tmp_path, encoder)
    assert (encoder.encoded, manifest.encoded, manifest.passages) == (1, 1, 5)
    assert top(tmp_path, "statin stroke") == "new#1"
    back = CountingEncoder()
    build_index(entries, tmp_path, back)
    assert back.encoded == 0
    assert top(tmp_path, "colchicine flare") == "gout#1"


def test_index_versions_follow_what_decides_a_ranking(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    first = build_index(entries, tmp_path / "a", CountingEncoder())
    assert build_index(entries[::-1], tmp_path / "b", CountingEncoder()).index_version == first.index_version
    assert build_index(entries[:2], tmp_path / "c", CountingEncoder()).index_version != first.index_version
    assert build_index(entries, tmp_path / "d", HashingEncoder(32)).index_version != first.index_version


def test_another_payload_is_written_by_the_next_build_without_encoding(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = build_index(entries, tmp_path, CountingEncoder())
    monkeypatch.setattr("retrieval.manifest.PAYLOAD_VERSION", "another")
    again = build_index(entries, tmp_path, CountingEncoder())
    assert again.index_version != first.index_version
    assert again.encoded == 0
    assert generations(tmp_path) == ["000001", "000002"]


def test_an_index_of_another_payload_is_not_searched(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its filters would find nothing in fields that it does not have, and say so of the guidelines."""
    build_index(entries, tmp_path, CountingEncoder())
    monkeypatch.setattr("retrieval.opening.PAYLOAD_VERSION", "another")
    with pytest.raises(IndexMismatchError, match="Another version of clinsearch built the index"):
        open_searcher(tmp_path, encoder=CountingEncoder())


def test_an_index_is_rebuilt_from_the_records_without_encoding(
    tmp_path: Path, entries: tuple[CorpusEntry, ...]
) -> None:
    """The search store was lost or damaged; passages and vectors of record remain."""
    build_index(entries, tmp_path, CountingEncoder())
    place = IndexDirectory(tmp_path)
    place.store(1).rename(tmp_path / "lost")
    encoder = CountingEncoder()
    assert build_index(entries, tmp_path, encoder).encoded == encoder.encoded == 0
    assert top(tmp_path, "colchicine flare") == "gout#1"


def test_a_reader_keeps_its_index_through_any_number_of_swaps(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], make_entry: EntryMaker
) -> None:
    build_index(entries, tmp_path, CountingEncoder())
    reader = open_searcher(tmp_path, encoder=CountingEncoder())
    for number in range(4):
        build_index([*entries[:2], make_entry("n", f"Text number {number}.")], tmp_path, CountingEncoder())
    assert reader.search(SearchRequest(queries=("colchicine",))).hits[0].passage.id == "gout#1"
    assert generations(tmp_path) == ["000001", "000004", "000005"]
    reader.close()
    build_index(entries, tmp_path, CountingEncoder())
    assert generations(tmp_path) == ["000005", "000006"]


def test_a_failing_encoder_leaves_the_old_index_serving(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    build_index(entries[:2], tmp_path, CountingEncoder())
    with pytest.raises(EncoderError):
        build_index(entries, tmp_path, CountingEncoder(fail_after=0))
    assert read_manifest(tmp_path).documents == 2
    assert top(tmp_path, "salbutamol") == "asthma#1"
    build_index(entries, tmp_path, CountingEncoder())
    assert top(tmp_path, "colchicine flare") == "gout#1"
    assert generations(tmp_path) == ["000001", "000002"]


_KILLED = """
import os, sys
from pathlib import Path
from retrieval import CorpusEntry, HashingEncoder, build_index
entries = [CorpusEntry.model_validate_json(line) for line in Path(sys.argv[2]).read_text("utf-8").splitlines()]
left = int(sys.argv[3])
def progress(_):
    global left
    if left == 0:
        os.kill(os.getpid(), 9)
    left -= 1
build_index(entries, Path(sys.argv[1]), HashingEncoder(64), progress=progress)
"""


@pytest.mark.slow
@pytest.mark.parametrize("steps", range(4))
def test_a_build_killed_at_any_stage_leaves_an_index_serving(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], steps: int
) -> None:
    """Killed while encoding, storing, before the swap and after it; then built again."""
    index, corpus = tmp_path / "index", tmp_path / "corpus.jsonl"
    build_index(entries[:2], index, CountingEncoder())
    corpus.write_text("\n".join(entry.model_dump_json() for entry in entries), encoding="utf-8")
    command = [sys.executable, "-c", _KILLED, str(index), str(corpus), str(steps)]
    assert subprocess.run(command, check=False, cwd=ROOT).returncode == -9
    assert read_manifest(index).documents == (3 if steps == 3 else 2)
    assert top(index, "salbutamol") == "asthma#1"
    encoder = CountingEncoder()
    build_index(entries, index, encoder)
    assert top(index, "colchicine flare") == "gout#1"
    assert encoder.encoded == (1 if steps == 0 else 0)


def test_two_builders_are_refused_with_a_sentence(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    with IndexDirectory(tmp_path).building(), pytest.raises(IndexLockedError, match="Another process is building"):
        build_index(entries, tmp_path, CountingEncoder())
    build_index(entries, tmp_path, CountingEncoder())


def test_progress_names_stages_and_counts(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    seen: list[BuildProgress] = []
    build_index(entries, tmp_path, CountingEncoder(), progress=seen.append)
    assert [(step.stage, step.done, step.total) for step in seen] == [
        ("encode", 5, 5),
        ("store", 5, 5),
        ("swap", 0, 5),
        ("swap", 5, 5),
    ]


def test_an_empty_or_inconsistent_corpus_is_refused(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    with pytest.raises(CorpusError, match="no passages"):
        build_index([], tmp_path, CountingEncoder())
    with pytest.raises(CorpusError, match="twice"):
        build_index([*entries, entries[0]], tmp_path, CountingEncoder())
    with pytest.raises(IndexMissingError):
        read_manifest(tmp_path)


def test_no_index_says_which_command_builds_one(tmp_path: Path) -> None:
    with pytest.raises(IndexMissingError, match="clinsearch index build"):
        open_searcher(tmp_path, encoder=CountingEncoder())
    with pytest.raises(IndexMissingError, match="clinsearch index build"):
        read_manifest(tmp_path / "nowhere")


def test_another_encoder_is_refused(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    """Vectors of two encoders compared with each other would rank at random."""
    build_index(entries, tmp_path, CountingEncoder())
    with pytest.raises(IndexMismatchError, match="with the encoder hashing"):
        open_searcher(tmp_path, encoder=HashingEncoder(32))


def test_switching_encoders_back_and_forth_encodes_each_text_once(
    tmp_path: Path, entries: tuple[CorpusEntry, ...]
) -> None:
    first, second = CountingEncoder(), HashingEncoder(32)
    build_index(entries, tmp_path, first)
    assert build_index(entries, tmp_path, second).encoded == 5
    with pytest.raises(IndexMismatchError, match="Run `clinsearch index build`"):
        open_searcher(tmp_path, encoder=first)
    again = CountingEncoder()
    manifest = build_index(entries, tmp_path, again)
    assert (again.encoded, manifest.encoded, manifest.dimension) == (0, 0, 64)
    assert top(tmp_path, "colchicine flare") == "gout#1"
    assert len(list((tmp_path / "vectors").iterdir())) == 2


@pytest.mark.parametrize("damaged", ["CURRENT", "generations/000001/manifest.json"])
def test_a_damaged_pointer_or_manifest_is_refused_and_repaired(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], damaged: str
) -> None:
    build_index(entries, tmp_path, CountingEncoder())
    (tmp_path / damaged).write_text("?", encoding="utf-8")
    with pytest.raises(IndexMismatchError, match="clinsearch index build"):
        open_searcher(tmp_path, encoder=CountingEncoder())
    assert build_index(entries, tmp_path, CountingEncoder()).encoded == 0
    assert top(tmp_path, "colchicine flare") == "gout#1"


def test_both_stores_answer_alike_from_one_index(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    build_index(entries, tmp_path, CountingEncoder())
    request = SearchRequest(queries=("urine culture in cystitis", "bladder infection"), limit=5)
    edge = open_searcher(tmp_path, encoder=CountingEncoder())
    exact = open_searcher(tmp_path, encoder=CountingEncoder(), store=ExactBackend())
    found, expected = edge.search(request), exact.search(request)
    assert [(hit.passage, hit.document, hit.score, hit.bm25_rank, hit.dense_rank) for hit in found.hits] == [
        (hit.passage, hit.document, hit.score, hit.bm25_rank, hit.dense_rank) for hit in expected.hits
    ]
    assert found.index_version == expected.index_version == read_manifest(tmp_path).index_version
    edge.close()
    exact.close()


def test_an_index_without_the_engine_is_built_and_upgraded(tmp_path: Path, entries: tuple[CorpusEntry, ...]) -> None:
    build_index(entries, tmp_path, CountingEncoder(), store=ExactBackend())
    with pytest.raises(IndexMismatchError, match="for the store exact, not for edge"):
        open_searcher(tmp_path, encoder=CountingEncoder())
    searcher = open_searcher(tmp_path, encoder=CountingEncoder(), store=ExactBackend())
    assert searcher.count() == 5
    searcher.close()
    encoder = CountingEncoder()
    assert build_index(entries, tmp_path, encoder).store == "edge"
    assert encoder.encoded == 0
