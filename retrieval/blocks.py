"""What a reader makes of a publisher's file: headings, paragraphs, list items and tables, in order.

Blocks are laid out into one extracted text, into which every passage has its character offsets. A table
is laid out row by row, each cell with its column's header ("Dose: 5 mg | Route: oral"), so that a row
read alone is still understood. Nothing here knows a format or a grade.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from retrieval.documents import Document
from retrieval.hidden import without_hidden
from retrieval.recommendations import Grade

BlockKind = Literal["heading", "paragraph", "item", "table"]


@dataclass(frozen=True, slots=True)
class Table:
    """A table with what its rows cannot be read without."""

    rows: tuple[tuple[str, ...], ...]
    header: tuple[str, ...] = ()
    caption: str = ""
    notes: tuple[str, ...] = ()

    def row_text(self, row: tuple[str, ...]) -> str:
        """One row in words: each cell after the header of its column, empty cells left out."""
        cells = []
        for number, cell in enumerate(row):
            name = self.header[number] if number < len(self.header) else ""
            if cell:
                cells.append(f"{name}: {cell}" if name and name != cell else cell)
        return " | ".join(cells)


@dataclass(frozen=True, slots=True)
class Block:
    """One piece of a document in reading order."""

    kind: BlockKind
    text: str = ""
    #: Of a heading: 1 is the outermost.
    level: int = 1
    #: From 1; None where the format has no pages.
    page: int | None = None
    table: Table | None = None
    #: Words that introduce a list item and without which it says something else.
    lead: str = ""
    #: The reader knows that this part of the document holds recommendations.
    recommends: bool = False
    #: The reader knows this to be one recommendation, whatever its words.
    whole: bool = False
    #: The grade where the format states it apart from the text.
    grade: Grade | None = None
    population: str | None = None
    #: The reader knows that this explains (what a grade means, who wrote it): never a recommendation.
    explains: bool = False


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document with its blocks, before it is cut into passages."""

    document: Document
    blocks: tuple[Block, ...]
    #: The first part of every section path: the condition, or the document's title.
    condition: str
    synonyms: tuple[str, ...] = ()
    #: Whom the recommendations are for, where the whole document says so.
    population: str | None = None
    contraindications: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the extracted text: a whole block, or one row of a table."""

    start: int
    end: int
    block: Block


def lay_out(blocks: Iterable[Block]) -> tuple[str, tuple[Piece, ...]]:
    """The extracted text of a document, and where each block or table row stands in it."""
    parts: list[str] = []
    pieces: list[Piece] = []
    position = 0
    for block in blocks:
        rows = [block.table.row_text(row) for row in block.table.rows] if block.table else [block.text]
        frame = [block.table.caption] if block.table and block.table.caption else []
        after = list(block.table.notes) if block.table else []
        for text, is_piece in [(f, False) for f in frame] + [(r, True) for r in rows] + [(n, False) for n in after]:
            if not text.strip():
                continue
            if is_piece:
                pieces.append(Piece(position, position + len(text), block))
            parts.append(text)
            position += len(text) + 2
    return "\n\n".join(parts), tuple(pieces)


def tidy(text: str) -> str:
    """One line: white space of every kind becomes single spaces, what nobody can see and zero-width marks go."""
    return re.sub(r"\s+", " ", re.sub("[\u200c-\u200f]", "", without_hidden(text))).strip()


def tidy_lines(text: str) -> str:
    """As `tidy`, each line for itself; empty lines go."""
    return "\n".join(line for line in (tidy(raw) for raw in text.splitlines()) if line)
