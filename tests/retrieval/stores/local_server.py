"""qdrant-client's local mode in the place of a server: its collections outlive the clients that ask it."""

from __future__ import annotations

from typing import Any

import pytest
from qdrant_client import QdrantClient

from retrieval.stores import ServerSettings

#: Local mode says that it searches in full and filters without indexes: slow and right.
quiet_local_mode = [
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect"),
    pytest.mark.filterwarnings("ignore:Local mode performs exact"),
]


class _Kept(QdrantClient):
    """Closing gives a connection back; the server goes on."""

    def close(self, grpc_grace: float | None = None, **kwargs: Any) -> None:
        """See `QdrantClient.close`."""


class LocalServer:
    """One pretended server; `connect` takes the place of `retrieval.stores.server_client.connect`."""

    def __init__(self) -> None:
        self.settings = ServerSettings(url="http://127.0.0.1:6333")
        self.client = _Kept(":memory:", force_disable_check_same_thread=True)
        self.connections = 0

    def connect(self, settings: ServerSettings, timeout_s: int) -> QdrantClient:
        """The one client, whatever the address."""
        self.connections += 1
        return self.client

    @property
    def collections(self) -> set[str]:
        """Names of what it holds."""
        return {collection.name for collection in self.client.get_collections().collections}
