"""`make bench`: every speed claim of this project, as figures and ratios of one run.

Options are those of the scale benchmark: `python -m eval.bench --passages 50000 200000 --data DIR`.
"""

from __future__ import annotations

import math
import sys

from eval.bench_agent import run_agent_bench
from eval.bench_scale import main as bench_scale
from eval.bench_search import format_table, run_search_bench
from eval.bench_streams import run_stream_bench


def main() -> None:
    """Run all benchmarks and print their tables."""
    sys.stdout.write(run_agent_bench().table() + "\n\n")
    sys.stdout.flush()
    for arrivals in (10.0, math.inf):
        sys.stdout.write(run_stream_bench(arrivals_per_s=arrivals).table() + "\n\n")
        sys.stdout.flush()
    sys.stdout.write(format_table(run_search_bench()) + "\n\n")
    sys.stdout.flush()
    bench_scale()


if __name__ == "__main__":
    main()
