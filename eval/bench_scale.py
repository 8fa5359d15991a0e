"""What search costs at size: the whole path, filters on, on an index built the way the product builds it.

    python -m eval.bench_scale [--passages 50000 200000] [--repeats 3] [--data DIR] [--questions FILE]

A search here is everything but encoding the question: both legs, fusion, reading the passages of record, and
superseded guidance left out. Times are of one search after the other. The searcher runs in a process of its
own, and its memory is that process's. The dense leg is compared with exact search over the same filter.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from eval.bench_scale_data import Collection, KnownVectors, collection, common_filters, questions, rare_filters
from eval.bench_scale_search import SearchCase, SearchFigures
from retrieval import Encoder, EncoderError, HashingEncoder, MiniLmEncoder, SearchFilters, build_index
from retrieval.expansion import expanded
from retrieval.generations import IndexDirectory
from retrieval.search import DEFAULT_SETTINGS
from retrieval.searched_text import dense_text, text_hash
from retrieval.stores import EdgeStore, StorePoint, conditions, payload
from retrieval.stores.conditions import holds

#: As deep as the service's searches go.
LEG_LIMIT = DEFAULT_SETTINGS.leg_limit
_TOP = 10
#: Goals by number of passages: p50 and p95 in ms with region and date filters, resident memory in MB.
GOALS: dict[int, tuple[float | None, float, float | None]] = {50_000: (5.0, 15.0, 1200.0), 200_000: (None, 40.0, None)}

Log = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ScaleBench:
    """What one size showed."""

    made: Collection
    build_s: float
    rebuild_s: float
    disk_mb: float
    filters: dict[str, SearchFilters]
    matching: dict[str, int]
    #: Share of the exact ten nearest that the store's ten hold, 0 .. 1, by filter.
    recall: dict[str, float]
    search: SearchFigures
    load_per_core: float


def run_scale_bench(
    passages: int,
    *,
    data: Path,
    vectors: Path,
    question_file: Path | None = None,
    repeats: int = 3,
    encoder: Encoder | None = None,
    log: Log | None = None,
) -> ScaleBench:
    """Build an index of `passages` and measure searching it.

    Raises:
        RetrievalError: the index cannot be built or searched.
    """
    say: Log = log or (lambda _: None)
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    encoder = encoder or _encoder()
    asked = tuple(dict.fromkeys(questions(question_file)))
    say(f"collecting {passages} passages")
    made = collection(passages, data, vectors, encoder)
    filters = {
        "region and date": common_filters(made.entries),
        "rare region and date": rare_filters(made.entries),
        "none": SearchFilters(),
    }
    with tempfile.TemporaryDirectory(prefix="clinsearch-scale-") as name:
        folder = Path(name)
        say("building the index")
        known = KnownVectors(made.vectors, made.dimension)
        start = time.perf_counter()
        build_index(made.entries, folder / "index", known)
        build_s = time.perf_counter() - start
        start = time.perf_counter()
        build_index(made.entries, folder / "index", known)
        rebuild_s = time.perf_counter() - start
        rows = encoder.encode_queries([expanded(question) for question in asked])
        np.savez(folder / "queries.npz", vectors=rows)
        case = SearchCase(
            questions=asked,
            filters=filters,
            leg_limit=LEG_LIMIT,
            repeats=repeats,
            with_encoder=isinstance(encoder, MiniLmEncoder),
        )
        (folder / "case.json").write_text(case.model_dump_json(), encoding="utf-8")
        say(f"searching {len(asked)} questions, {repeats} times each way")
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "eval.bench_scale_search", str(folder)],
            check=True,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        say("comparing with exact search")
        store = EdgeStore(IndexDirectory(folder / "index").store(1))
        matching = {key: store.count(wanted) for key, wanted in filters.items()}
        recall = {key: _recall(store, made, wanted, rows[:100]) for key, wanted in filters.items()}
        store.close()
        store_folder = IndexDirectory(folder / "index").store(1)
        disk_mb = sum(path.stat().st_blocks * 512 for path in store_folder.rglob("*") if path.is_file()) / 1e6
    return ScaleBench(
        made,
        build_s,
        rebuild_s,
        disk_mb,
        filters,
        matching,
        recall,
        SearchFigures.model_validate_json(done.stdout),
        load,
    )


def format_scale(bench: ScaleBench) -> str:
    """The result as lines for a terminal."""
    made, search = bench.made, bench.search
    goal = GOALS.get(round(made.passages, -4))
    lines = [
        f"Search over {made.passages} passages: {made.origin}, {made.copies} copies with words shuffled; "
        f"{made.moved} of {len(made.vectors)} vectors are real ones moved",
        f"both legs {LEG_LIMIT} deep, fusion, {_TOP} passages read, superseded left out; question encoding left out",
        f"{'filter':32}{'matching':>9}{'p50 ms':>8}{'p95 ms':>8}{'p99 ms':>8}{'bm25':>7}{'dense':>7}{'read':>7}"
        f"{'cpu p50':>9}{'cpu p95':>9}"
        f"{'recall@10':>11}",
    ]
    for key, runs in search.times.items():
        for times in runs:
            lines.append(
                f"{key:32}{bench.matching[key]:>9}{times.p50:>8.2f}{times.p95:>8.2f}{times.p99:>8.2f}"
                f"{times.bm25_p50:>7.2f}{times.dense_p50:>7.2f}{times.read_p50:>7.2f}{times.cpu_p50:>9.2f}{times.cpu_p95:>9.2f}"
                f"{bench.recall[key]:>11.3f}"
            )
    encoder = f", {search.with_encoder_mb:.0f} MB with the encoder loaded" if search.with_encoder_mb else ""
    lines += [
        f"memory of the searching process: {search.resident_mb:.0f} MB resident, of it {search.anonymous_mb:.0f} MB "
        f"its own and the rest mapped files; peak {search.peak_mb:.0f} MB{encoder}",
        f"opened in {search.open_s:.2f} s; built in {bench.build_s:.1f} s without encoding "
        f"({made.passages / bench.build_s:.0f} passages/s), again unchanged in {bench.rebuild_s:.1f} s; "
        f"store on disk {bench.disk_mb:.0f} MB",
        f"load before the run {bench.load_per_core:.1f} a core",
    ]
    if goal is not None:
        p50, p95, memory = goal
        worst = max(search.times["region and date"], key=lambda times: times.p95)
        checks = [("p95", worst.p95, p95, "ms")]
        if p50 is not None:
            checks.insert(0, ("p50", max(times.p50 for times in search.times["region and date"]), p50, "ms"))
        if memory is not None:
            checks.append(("memory", search.resident_mb, memory, "MB"))
        lines.append(
            "goals with region and date, slowest repeat: "
            + ", ".join(
                f"{name} {value:.1f} of {most:.0f} {unit} {'met' if value <= most else 'NOT met'}"
                for name, value, most, unit in checks
            )
        )
    return "\n".join(lines)


def _recall(store: EdgeStore, made: Collection, filters: SearchFilters, queries: np.ndarray) -> float:
    """How much of exact search's ten the dense leg finds; equal scores count as found."""
    wanted = conditions(filters)
    replaced = {entry.document.supersedes for entry in made.entries}
    rows = []
    for entry in made.entries:
        document = entry.document
        for passage in entry.passages:
            vector = made.vectors[text_hash(dense_text(passage))]
            point = StorePoint(
                passage.id,
                document.source,
                document.publisher,
                document.region,
                np.zeros(0, dtype=np.uint32),
                vector,
                language=document.language,
                published=document.published,
                superseded=document.id in replaced,
            )
            values = payload(point)
            if all(holds(condition, values) for condition in wanted):
                rows.append(vector)
    matrix = np.array(rows, dtype=np.float32)
    shares = []
    for query in queries:
        scores = matrix @ query
        most = min(_TOP, len(scores))
        last = np.partition(scores, -most)[-most]
        found = store.dense_leg(query, filters, LEG_LIMIT)[:most]
        shares.append(sum(score >= last - 1e-5 for _, score in found) / most)
    return float(np.mean(shares))


def _encoder() -> Encoder:
    try:
        return MiniLmEncoder()
    except EncoderError:
        return HashingEncoder(384)


def main() -> None:
    """Run the sizes asked for and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passages", type=int, nargs="+", default=[50_000])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("var"), help="a data directory with a library")
    parser.add_argument("--vectors", type=Path, help="vectors of record (default: DATA/index/vectors)")
    parser.add_argument("--questions", type=Path, help="one question a line")
    options = parser.parse_args()
    for size in options.passages:
        bench = run_scale_bench(
            size,
            data=options.data,
            vectors=options.vectors or options.data / "index" / "vectors",
            question_file=options.questions,
            repeats=options.repeats,
            log=lambda line: print(f"{line} ...", file=sys.stderr),  # noqa: T201
        )
        sys.stdout.write(format_scale(bench) + "\n\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
