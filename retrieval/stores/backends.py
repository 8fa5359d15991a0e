"""Which store an index is built in and opened from: the one place that decides.

A backend keeps one generation of an index under the contract of `retrieval.stores.base`. It is given a
folder for whatever it keeps on this machine; what it keeps elsewhere it must be able to find again and
remove from what stands in that folder. Nothing above this module knows which backend is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from retrieval.errors import StoreError
from retrieval.stores.base import SearchStore, StoreKind, StorePoint, StoreProgress
from retrieval.stores.edge import EdgeSettings, EdgeStore
from retrieval.stores.elsewhere import ServerRecord, kept_elsewhere
from retrieval.stores.exact import ExactStore
from retrieval.stores.server_settings import ServerSettings

Points = Callable[[], Sequence[StorePoint]]


class StoreBackend(Protocol):
    """Builds, opens and removes search stores of one kind."""

    @property
    def kind(self) -> StoreKind:
        """Which implementation this is."""
        ...

    def build(self, points: Sequence[StorePoint], directory: Path, progress: StoreProgress | None = None) -> None:
        """Write a store of `points`, durable when this returns; `directory` is made here.

        Raises:
            StoreError: the engine failed, or there is nothing to store.
        """
        ...

    def complete(self, directory: Path) -> bool:
        """Whether what `build` wrote is still there.

        Raises:
            StoreError: the engine cannot be asked.
        """
        ...

    def open(self, directory: Path, points: Points) -> SearchStore:
        """Open what `build` wrote; `points` gives the passages of record, for a store that is made of them.

        Raises:
            StoreError: the store is not complete or the engine failed.
        """
        ...

    def discard(self, directory: Path) -> ServerRecord | None:
        """Remove what the store keeps outside `directory`, also of a build that was cut off.

        Returns:
            What this backend cannot reach and so leaves behind: an operator may have left another store.

        Raises:
            StoreError: it is still there; try again later.
        """
        ...


class EdgeBackend:
    """Qdrant Edge in process, in the directory itself."""

    kind: StoreKind = "edge"

    def __init__(self, settings: EdgeSettings | None = None) -> None:
        self._settings = settings or EdgeSettings()

    def build(self, points: Sequence[StorePoint], directory: Path, progress: StoreProgress | None = None) -> None:
        """See `StoreBackend.build`."""
        EdgeStore.build(points, directory, settings=self._settings, progress=progress).close()

    def complete(self, directory: Path) -> bool:
        """See `StoreBackend.complete`."""
        return (directory / "passages.json").is_file()

    def open(self, directory: Path, points: Points) -> EdgeStore:  # noqa: ARG002 - the shard holds them
        """See `StoreBackend.open`."""
        return EdgeStore(directory, self._settings)

    def discard(self, directory: Path) -> ServerRecord | None:
        """See `StoreBackend.discard`."""
        return kept_elsewhere(directory)


#: What an index is kept in where nothing else is said.
EMBEDDED = EdgeBackend()


class ExactBackend:
    """The exact reference: nothing on disk, made from the passages of record when opened."""

    kind: StoreKind = "exact"

    def build(self, points: Sequence[StorePoint], directory: Path, progress: StoreProgress | None = None) -> None:
        """See `StoreBackend.build`."""

    def complete(self, directory: Path) -> bool:  # noqa: ARG002 - there is nothing to look for
        """See `StoreBackend.complete`."""
        return True

    def open(self, directory: Path, points: Points) -> ExactStore:  # noqa: ARG002
        """See `StoreBackend.open`."""
        return ExactStore(points())

    def discard(self, directory: Path) -> ServerRecord | None:
        """See `StoreBackend.discard`."""
        return kept_elsewhere(directory)


def store_backend(kind: StoreKind, server: ServerSettings | None = None) -> StoreBackend:
    """The backend of a kind; `server` says where the Qdrant server is, and is needed for "server" alone.

    Raises:
        StoreError: the server's address is missing, or its client is not installed.
    """
    if kind == "edge":
        return EdgeBackend()
    if kind == "exact":
        return ExactBackend()
    if server is None:
        raise StoreError("The server store needs the address of a Qdrant server: set CLINSEARCH_QDRANT_URL.")
    try:
        # The client loads gRPC and is an extra: only who uses a server pays for it.
        from retrieval.stores.server import ServerBackend
    except ImportError as error:
        raise StoreError(
            "The client of the server store is not installed: pip install 'clinsearch[server]'."
        ) from error
    return ServerBackend(server)
