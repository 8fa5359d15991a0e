"""The report as one table for a terminal, with the sentences needed to read it rightly."""

from __future__ import annotations

from eval.retrieval.measures import Measure
from eval.retrieval.report import Estimate, RetrievalReport, SetResult, SystemResult

#: How far BM25 may be from its oracle in nDCG@10.
ORACLE_TOLERANCE = 0.01
# Load a core above which latencies are not to be trusted.
_BUSY = 0.5

_COLUMNS: tuple[tuple[Measure, str], ...] = (
    ("ndcg@10", "nDCG@10"),
    ("recall@5", "R@5"),
    ("recall@20", "R@20"),
    ("recall@100", "R@100"),
    ("mrr@10", "MRR@10"),
)
_WIDTH = 13
_NAME = 24  # longer names of sets are cut in the table


def table(report: RetrievalReport) -> str:
    """Two lines for each set and system (means, then intervals), and what stands behind them."""
    names = [name for _, name in _COLUMNS]
    gain = f"nDCG-{report.baseline}"
    width = min(_NAME, max((len(result.name) for result in report.sets), default=0))
    head = f"{'set':{width}} {'system':10}" + "".join(f"{name:>{_WIDTH}}" for name in [*names, gain])
    lines = [head + f"{'p50 ms':>9}{'p95 ms':>9}"]
    for result in report.sets:
        lines.append("")
        for system in result.systems:
            lines += _system_lines(f"{result.name[:width]:{width}}", system)
    lines += ["", f"Second lines: {report.level:.0%} intervals, bootstrap over queries ({report.resamples} resamples)."]
    lines.append(f"nDCG-{report.baseline}: paired difference in nDCG@10; * where its interval excludes 0.")
    lines.append(
        f"p50, p95: search at depth {report.depth}, one query at a time, texts read from memory, query already encoded."
    )
    if report.encode_query is not None:
        times = report.encode_query
        lines.append(
            f"Encoding a query with {report.encoder} takes {times.p50:.1f} ms (p50), {times.p95:.1f} ms (p95) on top."
        )
    if report.load_per_core > _BUSY:
        lines.append(
            f"The machine was busy before the run (load {report.load_per_core:.1f} a core): do not trust the times."
        )
    for result in report.sets:
        lines += ["", *_set_lines(result)]
    return "\n".join(lines)


def _system_lines(name: str, system: SystemResult) -> list[str]:
    cells = [system.measures[measure] for measure, _ in _COLUMNS]
    gain = None if system.difference is None else system.difference["ndcg@10"]
    means = "".join(f"{cell.mean:>{_WIDTH}.3f}" for cell in cells)
    means += f"{'-':>{_WIDTH}}" if gain is None else f"{f'{gain.mean:+.3f}' + '*' * gain.excludes_zero:>{_WIDTH}}"
    first = f"{name} {system.system:10}{means}{system.search.p50:>9.2f}{system.search.p95:>9.2f}"
    intervals = "".join(f"{_interval(cell):>{_WIDTH}}" for cell in cells)
    if gain is not None:
        intervals += f"{f'{gain.low:+.3f}..{gain.high:+.3f}':>{_WIDTH + 2}}"
    return [first, f"{'':{len(name) + 11}}{intervals}"]


def _interval(estimate: Estimate) -> str:
    return (
        f".{_thousandths(estimate.low)}-.{_thousandths(estimate.high)}" if estimate.high < 0.9995 else _wide(estimate)
    )


def _thousandths(value: float) -> str:
    return f"{round(value * 1000):03d}"


def _wide(estimate: Estimate) -> str:
    return f"{estimate.low:.3f}-{estimate.high:.3f}"


def _set_lines(result: SetResult) -> list[str]:
    lines = [
        f"{result.name}: {len(result.query_ids)} queries, {result.passages} passages, "
        f"content {result.content_hash[:12]}. {result.measures_what}"
    ]
    if result.systems:
        lowest = min(system.measures["judged@10"].mean for system in result.systems)
        lines.append(f"  Judged among the first 10: {lowest:.0%} or more; the rest counts as not relevant.")
    if result.left_out:
        lines.append("  Left out: " + ", ".join(f"{count} {what}" for what, count in result.left_out.items()) + ".")
    if result.reranker_trained_here:
        lines.append("  The reranker was trained on documents that answer these questions: its figures are flattered.")
    if result.fusion_gain is not None:
        gain = result.fusion_gain.difference
        lines.append(
            f"  hybrid minus {result.fusion_gain.better_leg}, the better leg: "
            f"{gain.mean:+.3f} nDCG@10 ({gain.low:+.3f}..{gain.high:+.3f})."
        )
    gap = result.oracle_gap
    if gap is not None:
        verdict = "agrees" if gap <= ORACLE_TOLERANCE else "DOES NOT AGREE"
        lines.append(
            f"  bm25 {verdict} with rank-bm25 (same terms, k1, b; Lucene's idf): "
            f"{gap:.4f} nDCG@10 apart, at most {ORACLE_TOLERANCE} allowed."
        )
    return lines
