"""The result of a run as one record: what was measured on what, with which settings, and every figure per query.

Holds ids and figures only, never the text of a question or passage, so it can be kept and passed on.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from eval.retrieval.measures import Measure


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Estimate(_Model):
    """A mean over queries with its confidence interval."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """For a difference: whether the systems clearly differ."""
        return self.low > 0 or self.high < 0


class Latency(_Model):
    """Milliseconds a query, one query at a time."""

    p50: float
    p95: float


class SystemResult(_Model):
    """One system on one set."""

    system: str
    #: Means over queries, 0 .. 1.
    measures: dict[Measure, Estimate]
    #: Minus the baseline, query by query; None for the baseline itself.
    difference: dict[Measure, Estimate] | None
    #: Without the encoding of the query.
    search: Latency
    #: Each measure by query, in the order of the set's `query_ids`.
    per_query: dict[Measure, tuple[float, ...]]


class FusionGain(_Model):
    """Whether fusing pays: hybrid minus the leg with the higher nDCG@10 on this set, query by query."""

    better_leg: str
    difference: Estimate


class SetResult(_Model):
    """All systems on one set."""

    name: str
    measures_what: str
    content_hash: str
    passages: int
    query_ids: tuple[str, ...]
    relevant_from: int
    left_out: dict[str, int]
    #: The reranker was trained on documents that answer these queries.
    reranker_trained_here: bool = False
    #: Passages and queries that this run encoded; the others had a vector from before.
    encoded: int
    encode_s: float
    build_s: float
    systems: tuple[SystemResult, ...]
    #: nDCG@10 of hybrid against the better of its legs; None unless all three were measured.
    fusion_gain: FusionGain | None

    def system(self, name: str) -> SystemResult | None:
        """The result of a system, or None where it was not measured."""
        return next((result for result in self.systems if result.system == name), None)

    @property
    def oracle_gap(self) -> float | None:
        """Absolute difference in nDCG@10 between BM25 and its oracle; None unless both were measured."""
        ours, oracle = self.system("bm25"), self.system("rank-bm25")
        if ours is None or oracle is None:
            return None
        return abs(ours.measures["ndcg@10"].mean - oracle.measures["ndcg@10"].mean)


class RetrievalReport(_Model):
    """One run of `clinsearch eval retrieval`."""

    schema_version: Literal["retrieval-eval.v1"] = "retrieval-eval.v1"
    producer: str
    measured_at: datetime
    store: str
    #: Name and fingerprint of the encoder; None where no system used one.
    encoder: str | None
    encoder_fingerprint: str | None
    #: One query encoded alone; None where no system compares vectors.
    encode_query: Latency | None
    tokeniser_version: str
    searched_text_version: str
    k1: float
    b: float
    rrf_k: int
    #: Of the systems with the query adapter; None where none was measured.
    query_adapter_fingerprint: str | None = None
    #: Of the systems with the reranker; None where none was measured.
    reranker_fingerprint: str | None = None
    rerank_candidates: int | None = None
    rerank_weight: float | None = None
    #: Passages taken from each leg, and the depth to which rankings were read.
    depth: int
    baseline: str
    resamples: int
    level: float
    seed: int
    #: Load average of the last minute for each core, before the first set; latencies above 0.5 are not to be trusted.
    load_per_core: Annotated[float, Field(ge=0)]
    sets: tuple[SetResult, ...]
