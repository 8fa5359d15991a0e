"""Where a Qdrant server is and how it is spoken to."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from retrieval.addresses import is_near


class ServerSettings(BaseModel):
    """A Qdrant server or cluster."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: "https://qdrant.example.org:6333"; plain http only to this machine or a name without a dot, where a key is given.
    url: str
    api_key: SecretStr | None = None
    #: Collections are called PREFIX-NUMBER-RANDOM; two deployments on one server need two prefixes.
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "clinsearch"
    #: Shards of a new collection; None leaves it to the server (one for each node).
    shards: Annotated[int | None, Field(ge=1, le=1000)] = None
    #: Copies of each shard; 2 or more survive the loss of a node.
    replicas: Annotated[int, Field(ge=1, le=10)] = 1
    #: Seconds a search may take, and a request of a build.
    search_timeout_s: Annotated[int, Field(ge=1, le=60)] = 5
    build_timeout_s: Annotated[int, Field(ge=1, le=3600)] = 120

    @model_validator(mode="after")
    def _address(self) -> ServerSettings:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("the address of the Qdrant server must be like https://host:6333")
        if parts.username or parts.password:
            raise ValueError("the address of the Qdrant server must hold no key; it has a setting of its own")
        if self.api_key is not None and parts.scheme == "http" and not is_near(parts.hostname):
            raise ValueError("a key would be readable on its way to the Qdrant server: use https")
        return self

    @property
    def host(self) -> str:
        """Host and port, as error sentences name the server."""
        return urlsplit(self.url).netloc
