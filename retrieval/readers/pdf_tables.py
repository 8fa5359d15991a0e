"""Tables of a PDF page that have no side rules: rows between horizontal rules drawn piece by piece.

Publishers often draw only the rules between rows, one piece a column. Where the pieces of several rules
meet at the same places, those places are the columns. A row that runs across them, or that holds one bold
cell, names the rows under it and becomes the caption of a table of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from retrieval.blocks import Table, tidy

Box = tuple[float, float, float, float]
Word = dict[str, Any]

_SAME = 3.0  # points
_SHORTEST = 20.0  # points; a shorter rule underlines a word
_SMALLEST_ROW = 6.0  # points
_CAPTION = re.compile(r"^(?:Table|Box|Figure|Fig\.)\s+[\w.]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Grid:
    columns: tuple[float, ...]
    rows: tuple[float, ...]

    @property
    def box(self) -> Box:
        return self.columns[0], self.rows[0], self.columns[-1], self.rows[-1]


def open_tables(page: Any, words: Sequence[Word], known: Sequence[Box]) -> Iterator[tuple[Box, Table]]:
    """Tables, top to bottom, that horizontal rules alone make; none where `known` covers one already.

    `words` are those of pdfplumber with "fontname"; boxes are (left, top, right, bottom) in points.
    """
    for grid in _grids(page):
        top, bottom = grid.rows[0], grid.rows[-1]
        if any(box[1] <= top + _SAME and box[3] >= bottom - _SAME for box in known):
            continue
        yield from _tables(grid, words)


def _grids(page: Any) -> Iterator[_Grid]:
    rules: list[tuple[float, tuple[float, ...]]] = []
    pieces: list[tuple[float, float, float]] = sorted(
        (float(edge["top"]), float(edge["x0"]), float(edge["x1"]))
        for edge in page.horizontal_edges
        # A picture behind the page has edges where the page ends.
        if edge["x1"] - edge["x0"] >= _SHORTEST
        and edge["x0"] > _SAME
        and edge["x1"] < float(page.width) - _SAME
        and _SAME < edge["top"] < float(page.height) - _SAME
    )
    while pieces:
        height = pieces[0][0]
        level = sorted((left, right) for top, left, right in pieces if top - height <= _SAME)
        pieces = [piece for piece in pieces if piece[0] - height > _SAME]
        ends = [level[0][0]]
        for left, right in level:
            if abs(left - ends[-1]) <= _SAME and right > ends[-1] + _SAME:
                ends.append(right)
        if len(ends) > 1:
            rules.append((height, tuple(ends)))
    held: list[tuple[float, tuple[float, ...]]] = []
    for rule in [*rules, (float("inf"), ())]:
        # A rule in one piece, as wide as the table, parts rows too.
        whole = held and len(rule[1]) == 2 and _alike((held[-1][1][0], held[-1][1][-1]), rule[1])
        if held and not whole and not _alike(held[-1][1], rule[1]):
            if len(held) > 1:
                yield _Grid(held[0][1], tuple(height for height, _ in held))
            held = []
        if held or len(rule[1]) > 2:
            held.append((rule[0], held[-1][1]) if whole else rule)


def _alike(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= _SAME for a, b in zip(one, other, strict=True))


def _tables(grid: _Grid, words: Sequence[Word]) -> Iterator[tuple[Box, Table]]:
    header: tuple[str, ...] = ()
    caption = ""
    rows: list[tuple[str, ...]] = []
    first: float = grid.rows[0]
    for number, (top, bottom) in enumerate(pairwise(grid.rows)):
        inside = [
            word
            for word in words
            if top <= (word["top"] + word["bottom"]) / 2 < bottom
            and grid.columns[0] - _SAME <= (word["x0"] + word["x1"]) / 2 <= grid.columns[-1] + _SAME
        ]
        if not inside or bottom - top < _SMALLEST_ROW:
            continue
        across = any(word["x0"] < edge - 1 and word["x1"] > edge + 1 for word in inside for edge in grid.columns[1:-1])
        cells = [
            _text([word for word in inside if left <= (word["x0"] + word["x1"]) / 2 < right])
            for left, right in pairwise((grid.columns[0] - _SAME, *grid.columns[1:-1], grid.columns[-1] + _SAME))
        ]
        if across and _CAPTION.match(_text(inside)):
            # The words between two tables of the same columns.
            if rows:
                yield (grid.columns[0], first, grid.columns[-1], top), Table(tuple(rows), header, caption)
            rows, header, caption, first = [], (), "", bottom
        elif across or (_bold(inside) and sum(map(bool, cells)) == 1):
            if rows:
                yield (grid.columns[0], first, grid.columns[-1], top), Table(tuple(rows), header, caption)
                first = top
            rows, caption = [], _text(inside)
        elif (number == 0 or not header) and not rows and _bold(inside):
            header = tuple(cells)
        else:
            rows.append(tuple(cells))
    if rows:
        yield (grid.columns[0], first, grid.columns[-1], grid.rows[-1]), Table(tuple(rows), header, caption)


def _bold(words: Sequence[Word]) -> bool:
    letters = sum(len(word["text"]) for word in words)
    bold = sum(len(word["text"]) for word in words if re.search("bold|black|heavy", word["fontname"], re.IGNORECASE))
    return bold > 0.8 * letters


def _text(words: Sequence[Word]) -> str:
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda word: (word["bottom"], word["x0"])):
        if lines and abs(lines[-1][-1]["bottom"] - word["bottom"]) <= _SAME:
            lines[-1].append(word)
        else:
            lines.append([word])
    text = ""
    for line in lines:
        words_in_line = " ".join(word["text"] for word in sorted(line, key=lambda word: float(word["x0"])))
        text = text + words_in_line if re.search(r"\w-$", text) else f"{text} {words_in_line}"
    return tidy(text)
