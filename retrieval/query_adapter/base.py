"""What a search is given to encode the queries of some sources with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from retrieval.documents import SourceId
from retrieval.encoders import Vectors


class QueryEncoder(Protocol):
    """Queries to vectors in the space of an index that another encoder made; safe to call from several threads."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def fingerprint(self) -> str:
        """Of everything that decides a vector."""
        ...

    def encode_queries(self, texts: list[str]) -> Vectors:
        """Unit vectors, shape [texts, dimension].

        Raises:
            EncoderError: the model could not be loaded or failed.
        """
        ...


@dataclass(frozen=True, slots=True)
class AdaptedQueries:
    """A query encoder and the sources it is for."""

    encoder: QueryEncoder
    #: Searches of these use it; a search of another source, or of all at once, does not. Empty: every search.
    sources: tuple[SourceId, ...] = (SourceId("guidelines"),)

    def takes(self, source: SourceId | None) -> bool:
        """Whether a search of this source uses it; None is a search of all."""
        return not self.sources or source in self.sources
