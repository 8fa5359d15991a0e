"""The abstention matrix: what questions the corpus answers, and does not answer, ended in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from eval.answers.arms import Ending

#: By row of `ROWS`, then ending: how many answers.
Matrix = Mapping[str, Mapping[Ending, int]]
ROWS: Mapping[bool | None, str] = {True: "answerable", False: "unanswerable", None: "not known"}


def matrix(endings: Iterable[tuple[bool | None, Ending]]) -> dict[str, dict[Ending, int]]:
    """Counts of (is it answerable, how it ended); a row nobody belongs to is left out."""
    counts: dict[str, Counter[Ending]] = {}
    for answerable, ending in endings:
        counts.setdefault(ROWS[answerable], Counter())[ending] += 1
    return {row: {ending: counts[row][ending] for ending in Ending} for row in ROWS.values() if row in counts}
