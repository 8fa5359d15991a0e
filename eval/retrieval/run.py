"""Measuring systems on question sets: every query through every system, then intervals.

Queries run one at a time after a short warm-up, so latencies are those of a single user. It knows no terminal and
writes no file but the vectors it keeps.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agent.version import PRODUCER
from eval.retrieval.bootstrap import LEVEL, RESAMPLES, SEED, Interval, mean_interval, paired_difference
from eval.retrieval.errors import UnknownSystemError
from eval.retrieval.indexed import MeasuredReranking, Report, indexed
from eval.retrieval.measures import DEPTH, MEASURES, Measure, all_measures
from eval.retrieval.question_set import QuestionSet
from eval.retrieval.report import Estimate, FusionGain, Latency, RetrievalReport, SetResult, SystemResult
from eval.retrieval.systems import ADAPTED, RERANKED, SYSTEMS, Ranking, System, checked_systems, need_vectors
from retrieval import EMBEDDED, Encoder, QueryEncoder, StoreBackend
from retrieval.bm25 import K1, B
from retrieval.fusion import RRF_K
from retrieval.searched_text import SEARCHED_TEXT_VERSION
from retrieval.tokens import TOKENISER_VERSION

_WARM_UP = 10
_ENCODED_ALONE = 30


def evaluate_retrieval(
    question_sets: Iterable[QuestionSet],
    systems: Sequence[str],
    *,
    encoder: Callable[[], Encoder],
    reranker: Callable[[], MeasuredReranking] | None = None,
    adapter: Callable[[], QueryEncoder] | None = None,
    folder: Path,
    store: StoreBackend = EMBEDDED,
    baseline: str | None = None,
    resamples: int = RESAMPLES,
    report: Report = lambda _stage, _done, _total: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> RetrievalReport:
    """Measure each system on each set.

    Args:
        question_sets: read one after the other, so they may come from a generator.
        systems: names out of `SYSTEMS`.
        encoder: called once, and only where a system needs vectors.
        reranker: called once, and only where a system with the reranker is measured.
        adapter: called once, and only where a system with the query adapter is measured.
        folder: keeps vectors between runs.
        baseline: the system others are compared with; the first one named where None.
        resamples: of the bootstrap.
        report: called with the stage, how much of it is done, and how much there is.

    Raises:
        EvaluationError: a system is unknown, or a package it needs is not installed.
        RetrievalError: the encoder, the search engine or the disk failed.
    """
    names = checked_systems(list(systems))
    compared = baseline if baseline is not None else names[0]
    if compared not in names:
        raise UnknownSystemError(
            f"The baseline {compared[:40]!r} is not among the systems measured: {', '.join(names)}."
        )
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    used = encoder() if need_vectors(names) else None
    stage = reranker() if reranker is not None and RERANKED.intersection(names) else None
    queries = adapter() if adapter is not None and ADAPTED.intersection(names) else None
    results, encoding = [], []
    for question_set in question_sets:
        if used is not None:
            encoding += _encoding_times(used, question_set)

        def tell(stage: str, done: int, total: int, name: str = question_set.name) -> None:
            report(f"{name}: {stage}", done, total)

        parts = _Parts(used, stage, queries)
        results.append(_measured(question_set, names, compared, parts, folder, store, resamples, tell))
    return RetrievalReport(
        producer=PRODUCER,
        measured_at=clock(),
        store=store.kind,
        encoder=used.name if used is not None else None,
        encoder_fingerprint=used.fingerprint if used is not None else None,
        encode_query=_latency(encoding) if encoding else None,
        tokeniser_version=TOKENISER_VERSION,
        searched_text_version=SEARCHED_TEXT_VERSION,
        k1=K1,
        b=B,
        rrf_k=RRF_K,
        query_adapter_fingerprint=None if queries is None else queries.fingerprint,
        reranker_fingerprint=None if stage is None else stage.reranker.fingerprint,
        rerank_candidates=None if stage is None else stage.settings.candidates,
        rerank_weight=None if stage is None else stage.settings.weight,
        depth=DEPTH,
        baseline=compared,
        resamples=resamples,
        level=LEVEL,
        seed=SEED,
        load_per_core=load,
        sets=tuple(results),
    )


class _Parts(NamedTuple):
    """The models that systems search with; None where none of those measured does."""

    encoder: Encoder | None
    reranking: MeasuredReranking | None
    adapter: QueryEncoder | None


def _measured(
    question_set: QuestionSet,
    names: tuple[str, ...],
    baseline: str,
    parts: _Parts,
    folder: Path,
    store: StoreBackend,
    resamples: int,
    report: Report,
) -> SetResult:
    with indexed(question_set, folder, encoder=parts.encoder, store=store, report=report) as found:
        collection = replace(found, reranking=parts.reranking, adapter=parts.adapter)
        rankings = {name: _rankings(name, SYSTEMS[name](collection), question_set, report) for name in names}
        values = {name: _values(question_set, found) for name, found in rankings.items()}
        return SetResult(
            name=question_set.name,
            measures_what=question_set.measures_what,
            content_hash=question_set.content_hash,
            passages=question_set.passages,
            query_ids=tuple(query.id for query in question_set.queries),
            relevant_from=question_set.relevant_from,
            left_out=dict(question_set.left_out),
            reranker_trained_here=parts.reranking is not None and question_set.name in parts.reranking.trained_sets,
            encoded=collection.encoded,
            encode_s=collection.encode_s,
            build_s=collection.build_s,
            systems=tuple(
                _result(name, rankings[name], values[name], None if name == baseline else values[baseline], resamples)
                for name in names
            ),
            fusion_gain=_fusion_gain({name: found["ndcg@10"] for name, found in values.items()}, resamples),
        )


def _encoding_times(encoder: Encoder, question_set: QuestionSet) -> list[float]:
    """Milliseconds of encoding one query alone, for some of the queries after one that loads the model."""
    times = []
    for query in [question_set.queries[0], *question_set.queries[:_ENCODED_ALONE]]:
        start = time.perf_counter()
        encoder.encode_queries([query.text])
        times.append((time.perf_counter() - start) * 1e3)
    return times[1:]


def _rankings(name: str, system: System, question_set: QuestionSet, report: Report) -> list[Ranking]:
    total = len(question_set.queries)
    for query in question_set.queries[:_WARM_UP]:
        system.search(query.text)
    found = []
    for number, query in enumerate(question_set.queries, start=1):
        found.append(system.search(query.text))
        report(f"searching with {name}", number, total)
    return found


_Values = dict[Measure, tuple[float, ...]]


def _values(question_set: QuestionSet, rankings: list[Ranking]) -> _Values:
    rows = [
        all_measures(ranking.passages, query.grades, question_set.relevant_from)
        for query, ranking in zip(question_set.queries, rankings, strict=True)
    ]
    return {measure: tuple(row[measure] for row in rows) for measure in MEASURES}


def _result(
    name: str, rankings: list[Ranking], values: _Values, baseline: _Values | None, resamples: int
) -> SystemResult:
    return SystemResult(
        system=name,
        measures={m: _estimate(mean_interval(values[m], resamples=resamples)) for m in MEASURES},
        difference=None
        if baseline is None
        else {m: _estimate(paired_difference(values[m], baseline[m], resamples=resamples)) for m in MEASURES},
        search=_latency([ranking.search_ms for ranking in rankings]),
        per_query=values,
    )


def _fusion_gain(values: dict[str, tuple[float, ...]], resamples: int) -> FusionGain | None:
    if not {"bm25", "dense", "hybrid"} <= values.keys():
        return None
    leg = max(("bm25", "dense"), key=lambda name: sum(values[name]))
    return FusionGain(
        better_leg=leg, difference=_estimate(paired_difference(values["hybrid"], values[leg], resamples=resamples))
    )


def _estimate(interval: Interval) -> Estimate:
    return Estimate(mean=interval.mean, low=interval.low, high=interval.high)


def _latency(times: list[float]) -> Latency:
    p50, p95 = np.percentile(times, [50, 95]).tolist()
    return Latency(p50=p50, p95=p95)
