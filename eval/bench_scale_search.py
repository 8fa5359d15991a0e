"""The searching half of the scale benchmark, in a process of its own so that its memory is the searcher's.

    python -m eval.bench_scale_search FOLDER

reads FOLDER/case.json and FOLDER/queries.npz, opens FOLDER/index, searches, and writes one JSON line.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from eval.bench_scale_data import KnownVectors
from retrieval import HybridSearcher, MiniLmEncoder, SearchFilters, SearchRequest, SearchSettings, open_searcher
from retrieval.expansion import expanded
from retrieval.searched_text import text_hash

_WARM_UP = 20
_LIMIT = 10


class SearchCase(BaseModel):
    """What is measured: questions, filters by name, how deep each leg goes, how often everything is repeated."""

    model_config = ConfigDict(frozen=True)

    questions: tuple[str, ...]
    filters: dict[str, SearchFilters]
    leg_limit: int
    repeats: int
    with_encoder: bool


class Times(BaseModel):
    """Milliseconds a search: whole, its parts at the median, and the processor time it took, which other work on
    the machine changes least."""

    model_config = ConfigDict(frozen=True)

    p50: float
    p95: float
    p99: float
    bm25_p50: float
    dense_p50: float
    read_p50: float
    cpu_p50: float
    cpu_p95: float


class SearchFigures(BaseModel):
    """What the process measured. Memory in MB: resident (with mapped files), and what it owns alone."""

    model_config = ConfigDict(frozen=True)

    open_s: float
    times: dict[str, list[Times]]
    resident_mb: float
    anonymous_mb: float
    peak_mb: float
    with_encoder_mb: float | None


def main(folder: Path) -> SearchFigures:
    """Open, search, measure."""
    case = SearchCase.model_validate_json((folder / "case.json").read_bytes())
    with np.load(folder / "queries.npz", allow_pickle=False) as data:
        vectors = data["vectors"]
    known = {text_hash(expanded(text)): row for text, row in zip(case.questions, vectors, strict=True)}
    start = time.perf_counter()
    searcher = open_searcher(
        folder / "index",
        encoder=KnownVectors(known, vectors.shape[1]),
        settings=SearchSettings(leg_limit=case.leg_limit),
    )
    open_s = time.perf_counter() - start
    times = {
        name: [_times(searcher, case.questions, filters) for _ in range(case.repeats)]
        for name, filters in case.filters.items()
    }
    memory = _memory()
    with_encoder = None
    if case.with_encoder:
        MiniLmEncoder().encode_queries(list(case.questions[:8]))
        with_encoder = _memory()["VmRSS"]
    searcher.close()
    return SearchFigures(
        open_s=open_s,
        times=times,
        resident_mb=memory["VmRSS"],
        anonymous_mb=memory["RssAnon"],
        peak_mb=memory["VmHWM"],
        with_encoder_mb=with_encoder,
    )


def _times(searcher: HybridSearcher, questions: tuple[str, ...], filters: SearchFilters) -> Times:
    results, processor = [], []
    for number, question in enumerate((*questions[:_WARM_UP], *questions)):
        before = time.process_time()
        result = searcher.search(SearchRequest(queries=(question,), filters=filters, limit=_LIMIT))
        if number >= _WARM_UP:
            results.append(result)
            processor.append((time.process_time() - before) * 1e3 - result.encode_ms)
    p50, p95, p99 = np.percentile([result.total_ms - result.encode_ms for result in results], [50, 95, 99]).tolist()
    cpu_p50, cpu_p95 = np.percentile(processor, [50, 95]).tolist()
    return Times(
        cpu_p50=cpu_p50,
        cpu_p95=cpu_p95,
        p50=p50,
        p95=p95,
        p99=p99,
        bm25_p50=float(np.median([result.bm25_ms for result in results])),
        dense_p50=float(np.median([result.dense_ms for result in results])),
        read_p50=float(np.median([result.fuse_ms for result in results])),
    )


def _memory() -> dict[str, float]:
    """MB by name, as Linux counts this process."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    rows = (line.split() for line in lines if line.endswith(" kB"))
    return {row[0].rstrip(":"): int(row[1]) / 1024 for row in rows}


if __name__ == "__main__":
    sys.stdout.write(main(Path(sys.argv[1])).model_dump_json() + "\n")
