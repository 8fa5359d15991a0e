"""The rerank stage of a search: a second order of the candidates, within a deadline it never exceeds.

    score(p) = z(first stage's score of p) + weight * z(reranker's score of p)

z subtracts the mean over the candidates and divides by their standard deviation, so the rule does not depend on the
scale of either score. The first stage keeps a say because it knows what the reranker has not learnt, rare names above
all. Which passages are candidates says `RerankSettings.candidates_of`; the others, those of sources that the stage is
not for among them, stay where they were: the candidates change places among themselves.

The scoring runs in a worker thread, a few passages at a time. The search waits for it until the deadline and not
longer, whatever the reranker does; a late result is dropped, and the worker stops after the passages in hand. All
or nothing: where one candidate is unscored at the deadline the first order stands as a whole, because a ranking half
of each would change with the load of the machine in ways nobody can explain. One worker: searches that come at
the same time share its time, and under load they answer in first order instead of queueing.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from retrieval.documents import SourceId
from retrieval.errors import RerankerError
from retrieval.reranking.base import Reranker

#: Milliseconds that a deadline may be set to at most.
LONGEST_DEADLINE_MS = 60_000.0
#: What a reranker may fail with: its own error, or what its engine raises (out of memory, a shape, a damaged file).
_FAILURES = (RerankerError, RuntimeError, ValueError, MemoryError, OSError)
#: Why a result stands in first order: the stage is not there, time ran out, or the reranker failed; "few" where
#: there were not two candidates of the stage's sources to put in order.
NotReranked = Literal["off", "deadline", "failed", "few"]


class RerankSettings(BaseModel):
    """How much is reranked, how it is weighed, and how long it may take."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Candidates that are scored.
    candidates: Annotated[int, Field(ge=2, le=100)] = 30
    #: The first of them may be passages of any kind; the others are the recommendations behind them, down to `depth`:
    #: a guideline's discussion holds more of a question's words, and fills the places before the recommendation.
    of_any_kind: Annotated[int, Field(ge=0, le=100)] = 10
    #: How far down the first order recommendations are looked for.
    depth: Annotated[int, Field(ge=2, le=100)] = 60
    #: Milliseconds the search waits at most, from the moment the candidates are known.
    deadline_ms: Annotated[float, Field(gt=0, le=LONGEST_DEADLINE_MS)] = 500.0
    #: Weight of the reranker's score against the first stage's, both scaled to deviation 1.
    weight: Annotated[float, Field(ge=0)] = 1.0
    #: The reranker's score of "none of these"; None where it learnt none.
    none_score: float | None = None
    #: Passages scored between two looks at the clock.
    batch: Annotated[int, Field(ge=1, le=100)] = 8
    #: Sources whose passages are reranked; those of others keep their places. Empty: every source.
    sources: tuple[SourceId, ...] = (SourceId("guidelines"),)

    def takes(self, source: SourceId) -> bool:
        """Whether passages of this source are reranked."""
        return not self.sources or source in self.sources

    def candidates_of(self, recommends: Sequence[bool], sources: Sequence[SourceId] | None = None) -> tuple[int, ...]:
        """Places (from 0) of the candidates that are scored, in the first order.

        Args:
            recommends: whether each passage, best first, is a recommendation.
            sources: the source of each; None takes all.
        """
        reached = range(min(len(recommends), self.depth))
        ours = [at for at in reached if sources is None or self.takes(sources[at])]
        head, behind = ours[: self.of_any_kind], ours[self.of_any_kind :]
        return tuple((head + [at for at in behind if recommends[at]])[: self.candidates])


@dataclass(frozen=True, slots=True)
class Reranked:
    """What came of it."""

    #: Indices of the passages, best first; the given order where `why` is set.
    order: tuple[int, ...]
    #: The reranker's own score of each passage, None for one it did not score; None where the first order stands.
    scores: tuple[float | None, ...] | None
    #: Milliseconds the search waited.
    ms: float
    why: NotReranked | None = None


class RerankStage:
    """A reranker with its settings and its worker."""

    def __init__(
        self, reranker: Reranker, settings: RerankSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`clock` gives seconds."""
        self._reranker = reranker
        self.settings = settings
        self._clock = clock
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="rerank")

    @property
    def fingerprint(self) -> str:
        """Of the reranker."""
        return self._reranker.fingerprint

    def warm(self) -> Future[list[float]]:
        """Have the worker load the model, so that the first search does not spend its deadline on that.

        Returns:
            Ends when the model is loaded, with a RerankerError where it cannot be.
        """
        return self._worker.submit(self._reranker.score, "ready", ["ready"])

    def order(
        self,
        query: str,
        texts: Sequence[str],
        first: Sequence[float],
        sources: Sequence[SourceId] | None = None,
        recommends: Sequence[bool] | None = None,
    ) -> Reranked:
        """Order passages.

        Args:
            texts: the passages' texts, best first; see `RerankSettings.candidates_of` for which are scored.
            first: the first stage's score of each.
            sources: the source of each; None puts all in order.
            recommends: whether each is a recommendation; None treats all as such.
        """
        began = self._clock()
        held = tuple(range(len(texts)))
        taken = self.settings.candidates_of(recommends or [True] * len(texts), sources)
        if len(taken) < 2:
            return Reranked(held, None, 0.0, "few")
        ends = began + self.settings.deadline_ms / 1e3
        dropped = threading.Event()
        try:
            job = self._worker.submit(self._scored, query, [texts[at] for at in taken], ends, dropped)
        except RuntimeError:  # the worker was let go
            return Reranked(held, None, 0.0, "off")
        why: NotReranked = "deadline"
        scores = None
        try:
            scores = job.result(timeout=max(0.0, ends - self._clock()))
        except (TimeoutError, CancelledError):
            dropped.set()
            job.cancel()
        except _FAILURES:
            why = "failed"
        ms = (self._clock() - began) * 1e3
        if scores is None:
            return Reranked(held, None, ms, why)
        scored = dict(zip(taken, scores, strict=True))
        return Reranked(mixed_order(first, scored, self.settings.weight), tuple(map(scored.get, held)), ms)

    def close(self) -> None:
        """Let the worker go, after the passages in hand; closing twice does nothing."""
        self._worker.shutdown(wait=False, cancel_futures=True)

    def _scored(self, query: str, texts: Sequence[str], ends: float, dropped: threading.Event) -> list[float] | None:
        """Scores of all texts, or None where time ran out. Texts of like length go together: padding costs time."""
        by_length = sorted(range(len(texts)), key=lambda at: len(texts[at]))
        scores = [0.0] * len(texts)
        for start in range(0, len(texts), self.settings.batch):
            if dropped.is_set() or self._clock() >= ends:
                return None
            part = by_length[start : start + self.settings.batch]
            for at, score in zip(part, self._reranker.score(query, [texts[at] for at in part]), strict=True):
                if not math.isfinite(score):
                    raise RerankerError("The reranker gave a score that is not a number.")
                scores[at] = score
        return scores if self._clock() < ends else None


def mixed_order(first: Sequence[float], scores: Mapping[int, float], weight: float) -> tuple[int, ...]:
    """Places (from 0) of passages by both scores, best first; equal ones in the order given. See the module.

    Args:
        first: the first stage's score of each passage, best first.
        scores: the reranker's, by the places of the candidates; these places are what they share among themselves.
    """
    taken = sorted(scores)
    own, second = _scaled([first[at] for at in taken]), _scaled([scores[at] for at in taken])
    mixed = {at: a + weight * b for at, a, b in zip(taken, own, second, strict=True)}
    order = dict(zip(taken, sorted(taken, key=lambda at: (-mixed[at], at)), strict=True))
    return tuple(order.get(at, at) for at in range(len(first)))


def _scaled(values: Sequence[float]) -> list[float]:
    """Mean 0 and deviation 1; all 0 where the values do not differ."""
    if not values:
        return []
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    return [(value - mean) / deviation if deviation > 0 else 0.0 for value in values]
