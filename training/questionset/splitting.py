"""Which part a cluster belongs to: decided by its hash alone, before any question is worded."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass

from training.questionset.terms import Part

#: Shares of the clusters; the test part has a larger share of clusters than of questions, so that its questions differ.
TEST_SHARE = 0.18
DEV_SHARE = 0.10


@dataclass(frozen=True, slots=True)
class Splitting:
    """Assigns clusters to parts; those of `test`, `dev` and `train` are set, the first that names one."""

    seed: int
    test: Collection[str] = frozenset()
    dev: Collection[str] = frozenset()
    train: Collection[str] = frozenset()

    def part(self, cluster: str) -> Part:
        """The part of one cluster."""
        if cluster in self.test:
            return "test"
        if cluster in self.dev:
            return "dev"
        if cluster in self.train:
            return "train"
        digest = hashlib.sha256(f"{self.seed}:{cluster}".encode()).digest()
        share = int.from_bytes(digest[:8]) / 2**64
        if share < TEST_SHARE:
            return "test"
        return "dev" if share < TEST_SHARE + DEV_SHARE else "train"
