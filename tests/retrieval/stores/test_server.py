"""What only the server store can get wrong. If these fail, a build, a swap or an outage of the server is not safe."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Never

import numpy as np
import pytest
from pydantic import SecretStr, ValidationError

from retrieval import (
    CorpusEntry,
    CorpusError,
    ExactBackend,
    HashingEncoder,
    SearchRequest,
    ServerSettings,
    StoreError,
    build_index,
    left_behind,
    open_searcher,
    store_backend,
)
from retrieval.bm25 import term_ids
from retrieval.documents import PassageId, SourceId
from retrieval.stores import StorePoint
from retrieval.stores.server import ServerBackend, ServerStore
from retrieval.stores.server_client import ServerClient
from tests.retrieval.stores.local_server import LocalServer, quiet_local_mode

pytestmark = quiet_local_mode
ENCODER = HashingEncoder(32)
VECTOR = np.array([1.0, 0.0, 0.0], dtype=np.float32)


def points(count: int = 5) -> list[StorePoint]:
    return [
        StorePoint(PassageId(f"p{number}"), SourceId("s"), "P", "GB", term_ids(["shared", f"own{number}"]), VECTOR)
        for number in range(count)
    ]


@pytest.fixture
def server() -> LocalServer:
    return LocalServer()


@pytest.fixture
def backend(server: LocalServer) -> ServerBackend:
    return ServerBackend(server.settings, connect=server.connect, sleep=lambda _: None)


def test_an_index_on_a_server_answers_like_the_reference(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], backend: ServerBackend
) -> None:
    manifest = build_index(entries, tmp_path, ENCODER, store=backend)
    assert manifest.store == "server"
    request = SearchRequest(queries=("urine culture in cystitis", "bladder infection"), limit=5)
    on_server = open_searcher(tmp_path, encoder=ENCODER, store=backend)
    exact = open_searcher(tmp_path, encoder=ENCODER, store=ExactBackend())
    found, expected = on_server.search(request), exact.search(request)
    assert [(hit.passage, hit.score, hit.bm25_rank, hit.dense_rank) for hit in found.hits] == [
        (hit.passage, hit.score, hit.bm25_rank, hit.dense_rank) for hit in expected.hits
    ]
    on_server.close()
    exact.close()


def test_a_reader_keeps_its_collection_through_swaps_and_old_ones_go(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], backend: ServerBackend, server: LocalServer
) -> None:
    build_index(entries, tmp_path, ENCODER, store=backend)
    (first,) = server.collections
    reader = open_searcher(tmp_path, encoder=ENCODER, store=backend)
    for size in (2, 1, 2):
        build_index(entries[:size], tmp_path, ENCODER, store=backend)
    assert first in server.collections
    assert reader.count() == 5
    reader.close()
    build_index(entries[:1], tmp_path, ENCODER, store=backend)
    assert first not in server.collections
    assert len(server.collections) == 2  # the one that serves and the one before it


def test_an_unchanged_corpus_builds_nothing_and_a_lost_collection_is_built_again(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], backend: ServerBackend, server: LocalServer
) -> None:
    first = build_index(entries, tmp_path, ENCODER, store=backend)
    assert build_index(entries, tmp_path, ENCODER, store=backend) == first
    for name in server.collections:
        server.client.delete_collection(name)
    with pytest.raises(StoreError):
        open_searcher(tmp_path, encoder=ENCODER, store=backend)
    assert build_index(entries, tmp_path, ENCODER, store=backend).encoded == 0
    reader = open_searcher(tmp_path, encoder=ENCODER, store=backend)
    assert reader.count() == 5
    reader.close()


def test_a_build_that_was_cut_off_leaves_nothing_on_the_server(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], backend: ServerBackend, server: LocalServer
) -> None:
    build_index(entries[:1], tmp_path, ENCODER, store=backend)
    serving = server.collections

    def cut_off(at: object) -> None:
        if server.collections != serving:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_index(entries, tmp_path, ENCODER, store=backend, progress=cut_off)
    assert len(server.collections) == 2
    build_index(entries, tmp_path, ENCODER, store=backend)
    assert len(server.collections) == 2
    assert serving < server.collections


def test_an_old_collection_that_cannot_be_removed_does_not_fail_the_build(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], backend: ServerBackend, server: LocalServer
) -> None:
    class Keeps(ServerBackend):
        def discard(self, directory: Path) -> Never:
            raise StoreError("not now")

    for size in (1, 2):
        build_index(entries[:size], tmp_path, ENCODER, store=backend)
    build_index(entries, tmp_path, ENCODER, store=Keeps(server.settings, connect=server.connect))
    assert len(server.collections) == 3
    build_index(entries[:1], tmp_path, ENCODER, store=backend)
    assert len(server.collections) == 2


def test_what_an_operator_leaves_on_a_server_is_named_and_nothing_else(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], backend: ServerBackend, server: LocalServer
) -> None:
    for size in (1, 2):
        build_index(entries[:size], tmp_path, ENCODER, store=backend)
    assert left_behind(tmp_path) == ()
    for size in (1, 2, 1):
        build_index(entries[:size], tmp_path, ENCODER, store=ExactBackend())
        assert {record.collection for record in left_behind(tmp_path)} == server.collections
    assert {record.url for record in left_behind(tmp_path)} == {server.settings.url}
    assert {record.points for record in left_behind(tmp_path)} == {2, 4}


def test_what_another_server_holds_is_named_too(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], backend: ServerBackend, server: LocalServer
) -> None:
    build_index(entries, tmp_path, ENCODER, store=backend)
    (first,) = server.collections
    other = LocalServer()
    moved = ServerSettings(url="http://127.0.0.1:6444")
    for size in (1, 2):
        build_index(entries[:size], tmp_path, ENCODER, store=ServerBackend(moved, connect=other.connect))
    assert [record.collection for record in left_behind(tmp_path)] == [first]
    assert len(other.collections) == 2


def test_a_list_of_what_is_left_behind_that_cannot_be_read_is_a_sentence(
    tmp_path: Path, entries: tuple[CorpusEntry, ...]
) -> None:
    build_index(entries, tmp_path, ENCODER, store=ExactBackend())
    (tmp_path / "left-behind.jsonl").write_text("half a li", encoding="utf-8")
    with pytest.raises(CorpusError, match=r"left-behind\.jsonl"):
        left_behind(tmp_path)


def test_a_collection_that_lost_passages_is_not_searched(
    tmp_path: Path, backend: ServerBackend, server: LocalServer
) -> None:
    backend.build(points(), tmp_path / "store")
    (name,) = server.collections
    server.client.delete(name, points_selector=[3])
    assert not backend.complete(tmp_path / "store")
    with pytest.raises(StoreError, match="holds 4 of 5"):
        ServerStore(tmp_path / "store", server.settings, connect=server.connect)


def test_no_text_of_a_passage_goes_to_the_server(
    tmp_path: Path, entries: tuple[CorpusEntry, ...], backend: ServerBackend, server: LocalServer
) -> None:
    build_index(entries, tmp_path, ENCODER, store=backend)
    (name,) = server.collections
    stored = json.dumps([record.payload for record in server.client.scroll(name, limit=100)[0]])
    assert "uti#1" in stored
    assert not any(passage.text in stored for entry in entries for passage in entry.passages)


def test_a_damaged_or_empty_store_is_a_typed_error(tmp_path: Path, backend: ServerBackend, server: LocalServer) -> None:
    with pytest.raises(StoreError, match="at least one"):
        backend.build([], tmp_path / "empty")
    with pytest.raises(StoreError, match="not a complete"):
        ServerStore(tmp_path / "nowhere", server.settings, connect=server.connect)
    backend.build(points(), tmp_path / "store")
    (tmp_path / "store" / "statistics.npz").write_bytes(b"half")
    with pytest.raises(StoreError, match="not a complete"):
        ServerStore(tmp_path / "store", server.settings, connect=server.connect)


@pytest.mark.parametrize(
    ("url", "key", "why"),
    [
        ("qdrant.example.org:6333", None, "like https"),
        ("ftp://qdrant.example.org", None, "like https"),
        ("https://user:secret@qdrant.example.org", None, "no key"),
        ("http://qdrant.example.org:6333", "secret", "use https"),
        ("http://10.0.0.7:6333", "secret", "use https"),
    ],
)
def test_an_address_that_is_none_or_leaks_the_key_is_refused(url: str, key: str | None, why: str) -> None:
    with pytest.raises(ValidationError, match=why) as caught:
        ServerSettings(url=url, api_key=SecretStr(key) if key else None)
    assert "secret" not in str(caught.value.errors(include_input=False))


def test_a_server_store_without_an_address_says_what_to_set() -> None:
    with pytest.raises(StoreError, match="CLINSEARCH_QDRANT_URL"):
        store_backend("server")


# The wire: a loopback server that fails in a chosen way. ---------------------------------------------

Answer = Callable[[int], tuple[int, dict[str, str], bytes]]
COUNTED = json.dumps({"result": {"count": 7}, "status": "ok", "time": 0.0}).encode()


@contextmanager
def answering(answer: Answer) -> Iterator[tuple[ServerSettings, list[dict[str, str]]]]:
    """A server that gives `answer(number of the request, from 0)`; the headers it got are kept."""
    got: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            got.append({name.lower(): value for name, value in self.headers.items()})
            status, headers, body = answer(len(got) - 1)
            self.send_response(status)
            for name, value in {
                "content-type": "application/json",
                "content-length": str(len(body)),
                **headers,
            }.items():
                self.send_header(name, value)
            with suppress(BrokenPipeError):  # who asked may have given up
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield (
            ServerSettings(url=f"http://127.0.0.1:{http.server_port}", api_key=SecretStr("k3y"), search_timeout_s=1),
            got,
        )
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def count(settings: ServerSettings, *, building: bool = True, sleeps: list[float] | None = None) -> int:
    waited: list[float] = [] if sleeps is None else sleeps
    client = ServerClient(settings, building=building, sleep=waited.append)
    try:
        return client.call("count passages", lambda inner: inner.count("c").count)
    finally:
        client.close()


def test_a_busy_server_is_asked_again_with_longer_waits_and_the_key() -> None:
    def twice_busy(number: int) -> tuple[int, dict[str, str], bytes]:
        return [(503, {}, b"{}"), (429, {"retry-after": "1"}, b"{}"), (200, {}, COUNTED)][number]

    waits: list[float] = []
    with answering(twice_busy) as (settings, got):
        assert count(settings, sleeps=waits) == 7
    assert len(got) == 3
    assert waits == sorted(waits)
    assert {headers["api-key"] for headers in got} == {"k3y"}


@pytest.mark.parametrize(
    ("status", "headers", "sentence", "asked"),
    [
        (401, {}, "check the key", 1),
        (403, {}, "check the key", 1),
        (404, {}, "has not what it was asked", 1),
        (400, {}, "status 400", 1),
        (500, {}, "status 500", 2),
        (429, {"retry-after": "3"}, "too busy", 2),
        (200, {}, "could not count passages", 1),
    ],
)
def test_what_a_server_refuses_is_one_sentence(status: int, headers: dict[str, str], sentence: str, asked: int) -> None:
    with answering(lambda _: (status, headers, b'"what was asked"')) as (settings, got):
        with pytest.raises(StoreError, match=sentence) as caught:
            count(settings, building=False)
        assert len(got) == asked
    assert "what was asked" not in str(caught.value)
    assert "k3y" not in str(caught.value)


def test_a_server_that_hangs_ends_in_time() -> None:
    over = Event()

    def hang(_: int) -> tuple[int, dict[str, str], bytes]:
        over.wait(30)
        return 200, {}, COUNTED

    with answering(hang) as (settings, _):
        try:
            with pytest.raises(StoreError, match="in time"):
                count(settings, building=False)
        finally:
            over.set()


def test_a_server_that_is_not_there_is_a_typed_error() -> None:
    with answering(lambda _: (200, {}, COUNTED)) as (settings, _):
        pass
    with pytest.raises(StoreError, match="could not be reached"):
        count(settings)
