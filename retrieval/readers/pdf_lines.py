"""Lines of text out of one PDF page, in reading order, with the tables that stand between them.

Two columns are read one after the other where a clear gutter divides the page. Ruled tables with at
least two columns are taken as tables; a ruled box of one column is prose. It keeps no state across pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from retrieval.blocks import Table, tidy

_BOLD = re.compile("bold|black|heavy", re.IGNORECASE)
_SAME_LINE = 3.0  # points
_GUTTER_CROSSING = 0.01  # part of the words that may cross the gutter
_COLUMN_SHARE = 0.25  # part of the words that each column must hold
_SMALLEST_FILL = 0.4  # part of a table's cells with text; a layout grid has fewer


@dataclass(frozen=True, slots=True)
class Line:
    """One line, or a table in its place. Positions in points from the top of the page."""

    text: str
    top: float
    bottom: float
    left: float
    size: float
    bold: bool
    table: Table | None = None


def page_lines(page: Any) -> list[Line]:
    """Lines and tables of a pdfplumber page in reading order."""
    tables = list(_tables(page))
    words = [
        word
        for word in page.extract_words(extra_attrs=["size", "fontname"], keep_blank_chars=False, x_tolerance_ratio=0.15)
        if word.get("upright", True) and not any(_inside(word, box) for box, _ in tables)
    ]
    lines: list[Line] = []
    for column in _columns(words, float(page.width)):
        lines.extend(_lines(column))
    for box, table in tables:
        line = Line("", box[1], box[3], box[0], 0.0, False, table)
        # After the last line above it, of the lines that share its width.
        above = [number for number, other in enumerate(lines) if other.bottom <= box[1] + _SAME_LINE]
        lines.insert(max(above) + 1 if above else 0, line)
    return lines


def _tables(page: Any) -> Iterator[tuple[tuple[float, float, float, float], Table]]:
    for found in page.find_tables():
        rows = [[tidy(cell or "") for cell in row] for row in found.extract()]
        rows = [row for row in rows if any(row)]
        if len(rows) < 2 or max(map(len, rows)) < 2:
            continue
        # Rulings may cut a column in two; a column without any text is none.
        used = [number for number in range(len(rows[0])) if any(row[number] for row in rows if number < len(row))]
        rows = [[row[number] for number in used if number < len(row)] for row in rows]
        cells = [cell for row in rows for cell in row]
        if len(used) < 2 or sum(map(bool, cells)) < _SMALLEST_FILL * len(cells):
            continue
        yield found.bbox, Table(rows=tuple(map(tuple, rows[1:])), header=tuple(rows[0]))


def _inside(word: dict[str, Any], box: tuple[float, float, float, float]) -> bool:
    middle_x, middle_y = (word["x0"] + word["x1"]) / 2, (word["top"] + word["bottom"]) / 2
    return bool(box[0] <= middle_x <= box[2] and box[1] <= middle_y <= box[3])


def _columns(words: list[dict[str, Any]], width: float) -> list[list[dict[str, Any]]]:
    """The words of each column; one list where the page has one column."""
    if len(words) < 80:
        return [words]
    best: tuple[int, float] | None = None
    for step in range(80, 121):
        middle = width * step / 200
        crossing = sum(word["x0"] - 2 < middle < word["x1"] + 2 for word in words)
        if best is None or crossing < best[0]:
            best = (crossing, middle)
    assert best is not None
    left = [word for word in words if word["x1"] <= best[1]]
    right = [word for word in words if word["x1"] > best[1]]
    share = min(len(left), len(right)) / len(words)
    return [left, right] if best[0] <= _GUTTER_CROSSING * len(words) and share >= _COLUMN_SHARE else [words]


def _lines(words: list[dict[str, Any]]) -> Iterator[Line]:
    rows: list[list[dict[str, Any]]] = []
    for word in sorted(words, key=lambda word: (word["bottom"], word["x0"])):
        if rows and abs(median(other["bottom"] for other in rows[-1]) - word["bottom"]) <= _SAME_LINE:
            rows[-1].append(word)
        else:
            rows.append([word])
    for row in rows:
        row.sort(key=lambda word: word["x0"])
        letters = sum(len(word["text"]) for word in row)
        bold = sum(
            len(word["text"])
            for word in row
            if "bold" in word["fontname"].lower() or "black" in word["fontname"].lower()
        )
        yield Line(
            text=tidy(" ".join(word["text"] for word in row)),
            top=min(word["top"] for word in row),
            bottom=max(word["bottom"] for word in row),
            left=row[0]["x0"],
            size=round(median(word["size"] for word in row), 1),
            bold=bold > 0.8 * letters,
        )
