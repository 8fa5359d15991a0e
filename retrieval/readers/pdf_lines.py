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
from retrieval.readers.pdf_tables import Box, Word, open_tables

_BOLD = re.compile("bold|black|heavy", re.IGNORECASE)
_NUMERAL = re.compile(r"\d{1,4}|[ivxlc]{1,6}")
_RAISED = 0.75  # size of a raised mark against the text
_TOUCHING = 1.5  # points between a word and the mark after it
_CLEAR = 6.0  # points between the text and a number beside it
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
    every = page.extract_words(extra_attrs=["size", "fontname"], keep_blank_chars=False, x_tolerance_ratio=0.15)
    every = _with_raised_marks(_without_margins([word for word in every if word.get("upright", True)]))
    ruled = list(_tables(page))
    opened = list(open_tables(page, every, [box for box, _ in ruled]))
    # A table without side rules may have a head with them, which alone is taken for a table.
    tables = [
        *(found for found in ruled if not any(_overlap(found[0], box) for box, _ in opened)),
        *opened,
    ]
    words = [word for word in every if not any(_inside(word, box) for box, _ in tables)]
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


def _overlap(one: Box, other: Box) -> bool:
    return one[1] < other[3] - 1 and other[1] < one[3] - 1 and one[0] < other[2] and other[0] < one[2]


def _without_margins(words: list[Word]) -> list[Word]:
    """The words without numbers that stand beside the text: of the page on a tab, of the lines of a draft."""
    if len(words) < 20:
        return words
    named = [word for word in words if not _NUMERAL.fullmatch(word["text"])]
    if not named:
        return words
    left, right = min(word["x0"] for word in named), max(word["x1"] for word in named)
    return [word for word in words if word["x1"] >= left - _CLEAR and word["x0"] <= right + _CLEAR]


def _with_raised_marks(words: list[Word]) -> list[Word]:
    """Words with the small mark of a footnote joined to the word it follows, which is of another line's height."""
    body = median(word["size"] for word in words) if words else 0.0
    marks = [word for word in words if word["size"] < _RAISED * body and re.fullmatch(r"[a-z*†‡§]", word["text"])]
    loose = {id(mark): mark for mark in marks}
    out: list[Word] = []
    for word in words:
        if id(word) in {id(mark) for mark in marks}:
            continue
        for mark in list(loose.values()):
            if -1 <= mark["x0"] - word["x1"] <= _TOUCHING and word["top"] - 3 <= mark["top"] <= word["bottom"]:
                del loose[id(mark)]
                word = {**word, "text": word["text"] + mark["text"], "x1": mark["x1"]}
        out.append(word)
    return [*out, *loose.values()]


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
        bold = sum(len(word["text"]) for word in row if _BOLD.search(word["fontname"]))
        yield Line(
            text=tidy(" ".join(word["text"] for word in row)),
            top=min(word["top"] for word in row),
            bottom=max(word["bottom"] for word in row),
            left=row[0]["x0"],
            size=round(median(word["size"] for word in row), 1),
            bold=bold > 0.8 * letters,
        )
