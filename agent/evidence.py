"""Evidence of one run: the passages it retrieved and the opaque keys the model cites them by.

Keys are three consonants, salted with the run's id: they cannot be mistaken for a dose or a display
number, cannot be guessed from another run, and mean nothing until this run resolves them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from retrieval import Hit, PassageId

KEY_ALPHABET = "bcdfghjkmnpqrstvwxz"
KEY_LENGTH = 3


@dataclass(frozen=True)
class Evidence:
    """A retrieved passage under this run's key."""

    key: str
    hit: Hit


class EvidenceBook:
    """All evidence of one run, in the order it was first retrieved."""

    def __init__(self, salt: str, withdrawn: Callable[[PassageId], bool] = lambda _: False) -> None:
        self._salt = salt
        self._withdrawn = withdrawn
        self._by_key: dict[str, Evidence] = {}
        self._by_passage: dict[PassageId, Evidence] = {}

    def __len__(self) -> int:
        return len(self._by_key)

    def add(self, hit: Hit) -> tuple[Evidence, bool]:
        """Enter a hit; returns its evidence and whether it is new to this run."""
        known = self._by_passage.get(hit.passage.id)
        if known is not None:
            return known, False
        evidence = Evidence(self._new_key(hit.passage.id), hit)
        self._by_key[evidence.key] = evidence
        self._by_passage[hit.passage.id] = evidence
        return evidence, True

    def resolve(self, key: str) -> Evidence | None:
        """The evidence behind a key, or None when this run did not retrieve it or it was withdrawn since."""
        evidence = self._by_key.get(key)
        return None if evidence is None or self.withdrawn(evidence.hit.passage.id) else evidence

    def withdrawn(self, passage_id: PassageId) -> bool:
        """Whether a passage was withdrawn at this moment."""
        return self._withdrawn(passage_id)

    def all(self) -> tuple[Evidence, ...]:
        """All evidence, first retrieved first."""
        return tuple(self._by_key.values())

    def best(self, limit: int) -> tuple[Evidence, ...]:
        """Evidence by its rank in the search that found it, earlier searches first, at most `limit`.

        Ranks and not scores: fused scores of different searches cannot be compared.
        """
        standing = [item for item in self._by_key.values() if not self.withdrawn(item.hit.passage.id)]
        return tuple(sorted(standing, key=lambda e: e.hit.rank)[:limit])

    def _new_key(self, passage_id: PassageId) -> str:
        attempt = 0
        while True:
            digest = hashlib.sha256(f"{self._salt}/{passage_id}/{attempt}".encode()).digest()
            key = "".join(KEY_ALPHABET[byte % len(KEY_ALPHABET)] for byte in digest[:KEY_LENGTH])
            if key not in self._by_key:
                return key
            attempt += 1
