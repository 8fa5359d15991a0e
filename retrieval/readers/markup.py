"""HTML to blocks: headings, paragraphs, list items with what introduces them, tables with their frame.

Used by every reader whose publisher ships HTML, whole or inside another format. It knows nothing of a
publisher. Scripts, styles and forms are never text. A list item that holds graded items of its own is
not repeated: its words introduce them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bs4 import BeautifulSoup, Comment, NavigableString, Tag

from retrieval.blocks import Block, Table, tidy, tidy_lines
from retrieval.errors import ReaderError
from retrieval.recommendations import find_grades, heading_certainty

_DROPPED = ("script", "style", "noscript", "template", "form", "button", "svg", "iframe", "head")
_BLOCK_NAMES = (
    "p div section article main header footer aside nav ul ol dl li dt dd table h1 h2 h3 h4 h5 h6 blockquote pre "
    "figure figcaption details summary address hr body html center fieldset"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_LONGEST_HEADING = 160
_DEEPEST = 100
_LONG_ITEM = 900  # characters; a longer list item without a grade is a section laid out as a list
_TABLE_CAPTION = re.compile(r"^(?:table|box)\s+[\dA-Z][\w.]*", re.IGNORECASE)
_NOTE = re.compile(r"^(?:[*†‡§¶#‖]|note[s]?\b|abbreviations?\b|\w\s*=\s)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class MarkupOptions:
    """How to read a publisher's HTML."""

    #: A paragraph that is bold or underlined as a whole is a heading.
    bold_headings: bool = False
    #: Level of the outermost such heading.
    base_level: int = 2


def html_blocks(html: str, options: MarkupOptions = MarkupOptions()) -> tuple[Block, ...]:
    """Blocks of an HTML document or fragment, in reading order.

    Raises:
        ReaderError: it is nested deeper than any page that a person wrote.
    """
    soup = BeautifulSoup(html, "lxml")
    if _depth(soup) > _DEEPEST:
        raise ReaderError(f"is nested more than {_DEEPEST} elements deep")
    for tag in soup(_DROPPED):
        tag.decompose()
    for comment in soup.find_all(string=lambda node: isinstance(node, Comment)):
        comment.extract()
    root = soup.body or soup
    return tuple(_Walker(options).walk(root))


def _depth(root: Tag) -> int:
    deepest, stack = 0, [(root, 0)]
    while stack:
        tag, depth = stack.pop()
        deepest = max(deepest, depth)
        stack.extend((child, depth + 1) for child in tag.children if isinstance(child, Tag))
    return deepest


def inline_text(node: Tag | NavigableString) -> str:
    """The words of a node on as many lines as it has line breaks; sub- and superscripts stay attached."""
    if isinstance(node, NavigableString):
        return tidy(str(node))
    parts: list[str] = []
    for child in node.descendants:
        if isinstance(child, Tag):
            if child.name == "br" or child.name in _BLOCKS:
                parts.append("\n")
        elif isinstance(child, NavigableString) and not isinstance(child, Comment):
            parts.append(re.sub(r"\s+", " ", str(child)))
    return tidy_lines("".join(parts))


class _Walker:
    def __init__(self, options: MarkupOptions) -> None:
        self._options = options
        self._lead = ""

    def walk(self, node: Tag) -> Iterator[Block]:
        loose: list[str] = []
        for child in node.children:
            if isinstance(child, Tag) and (child.name in _BLOCKS or child.find(list(_BLOCKS)) is not None):
                yield from self._paragraph("".join(loose))
                loose = []
                yield from self._element(child)
            elif isinstance(child, Tag):
                loose.append("\n" if child.name == "br" else _inline_raw(child))
            elif isinstance(child, NavigableString) and not isinstance(child, Comment):
                loose.append(re.sub(r"\s+", " ", str(child)))
        yield from self._paragraph("".join(loose))

    def _element(self, tag: Tag) -> Iterator[Block]:
        if re.fullmatch(r"h[1-6]", tag.name):
            text = tidy(inline_text(tag))
            if text:
                self._lead = ""
                yield Block("heading", text, level=int(tag.name[1]))
        elif tag.name == "table":
            yield from self._table(tag)
        elif tag.name in ("ul", "ol"):
            yield from self._list(tag, self._lead)
            self._lead = ""
        elif tag.name in ("p", "dt", "dd", "figcaption", "summary", "pre", "address", "blockquote") and not tag.find(
            ["p", "ul", "ol", "table", "div"]
        ):
            yield from self._whole(tag)
        else:
            yield from self.walk(tag)

    def _whole(self, tag: Tag) -> Iterator[Block]:
        level = self._heading_level(tag) if self._options.bold_headings else None
        if level is not None:
            self._lead = ""
            yield Block("heading", tidy(inline_text(tag)), level=level)
            return
        yield from self._paragraph(inline_text(tag))

    def _paragraph(self, raw: str) -> Iterator[Block]:
        text = tidy_lines(raw)
        if not text:
            return
        if heading_certainty(text):
            yield Block("heading", text, level=self._options.base_level + 4)
            self._lead = ""
            return
        self._lead = text if text.endswith(":") and len(text) < 600 else ""
        yield Block("paragraph", text)

    def _heading_level(self, tag: Tag) -> int | None:
        text = tidy(inline_text(tag))
        if not text or len(text) > _LONGEST_HEADING or re.search(r"[.;,]$", text) or find_grades(text):
            return None
        styled = 0
        for name, weight in (("underline", 1), ("strong", 2), ("em", 3)):
            covered = sum(len(tidy(inline_text(mark))) for mark in _marks(tag, name))
            if covered >= len(text) * 0.95:
                styled = weight
                break
        return self._options.base_level + styled - 1 if styled else None

    def _list(self, tag: Tag, lead: str) -> Iterator[Block]:
        for item in tag.find_all("li", recursive=False):
            nested = [child for child in item.find_all(["ul", "ol"]) if child.find_parent("li") is item]
            tables = [child for child in item.find_all("table") if child.find_parent(["li", "table"]) is item]
            graded = [bool(find_grades(inline_text(li))) for child in nested for li in child.find_all("li")]
            own = _item_text(item, left_out=[*nested, *tables])
            # One grade, in the item's own words or at the very end, grades the whole; several, the inner items.
            several = any(graded[:-1])
            section = not find_grades(own) and not any(graded) and (bool(tables) or len(inline_text(item)) > _LONG_ITEM)
            if nested and (several or section):
                if own:
                    bold = (
                        section
                        and self._options.bold_headings
                        and len(own) < _LONGEST_HEADING
                        and not re.search(r"[.:]", own)
                    )
                    yield (
                        Block("heading", tidy(own), level=self._options.base_level + 3)
                        if bold
                        else Block("item", own, lead=lead, explains=not find_grades(own))
                    )
                for child in nested:
                    yield from self._list(child, "" if section else own if own and len(own) < 600 else lead)
            elif text := _item_text(item, left_out=tables):
                yield Block("item", text, lead=lead)
            for table in tables:
                yield from self._table(table)
        for stray in tag.find_all(["ul", "ol"], recursive=False):
            yield from self._list(stray, lead)

    def _table(self, tag: Tag) -> Iterator[Block]:
        grid, head = _grid(tag)
        grid = [row for row in grid if any(row)]
        if not grid:
            return
        caption_tag = tag.find("caption")
        caption = tidy(inline_text(caption_tag)) if isinstance(caption_tag, Tag) else str(tag.get("summary") or "")
        caption = re.sub(r"^Table:\s*", "", tidy(caption))
        notes: list[str] = []
        header: tuple[str, ...] = ()
        while head and grid and len(grid) > 1:
            row = grid.pop(0)
            head -= 1
            if len(set(row)) == 1 and row[0]:
                if row[0] not in caption:
                    caption = f"{caption}: {row[0]}" if caption and caption not in row[0] else row[0]
                continue
            header = tuple(
                f"{old} {new}".strip() if old != new else old
                for old, new in zip(header or ("",) * len(row), row, strict=True)
            )
        while len(grid) > 1 and len(set(grid[-1])) == 1 and len(grid[-1]) > 1 and _NOTE.match(grid[-1][0]):
            notes.insert(0, grid.pop()[0])
        width = max(len(row) for row in grid)
        if width == 1 and not header:
            # A box: its lines are prose, and may be a recommendation.
            if caption:
                yield Block("heading", caption, level=self._options.base_level + 3)
            for row in grid:
                yield from self._paragraph(row[0])
            return
        rows = tuple(tuple(_once(row)) for row in grid)
        yield Block("table", table=Table(rows=rows, header=header, caption=caption, notes=tuple(notes)))


def _once(row: list[str]) -> list[str]:
    """A cell that spans columns is said once."""
    return [cell if number == 0 or cell != row[number - 1] else "" for number, cell in enumerate(row)]


def _grid(table: Tag) -> tuple[list[list[str]], int]:
    """Cells of a table with row and column spans filled in, and how many rows head it."""
    rows: list[list[str]] = []
    carried: dict[int, tuple[int, str]] = {}
    head = 0
    own_rows = [row for row in table.find_all("tr") if row.find_parent("table") is table]
    for number, row in enumerate(own_rows):
        cells = [cell for cell in row.find_all(["td", "th"]) if cell.find_parent("tr") is row]
        out: list[str] = []

        def take_carried(out: list[str] = out) -> None:
            while len(out) in carried:
                left, text = carried[len(out)]
                if left > 1:
                    carried[len(out)] = (left - 1, text)
                else:
                    del carried[len(out)]
                out.append(text)

        for cell in cells:
            take_carried()
            text = inline_text(cell).replace("\n", "; ") if cell.find(["li", "br", "p"]) else tidy(inline_text(cell))
            down = _span(cell, "rowspan")
            for _ in range(_span(cell, "colspan")):
                if down > 1:
                    carried[len(out)] = (down - 1, text)
                out.append(text)
        take_carried()
        in_head = row.find_parent("thead") is not None or (
            bool(cells) and all(cell.name == "th" for cell in cells) and number == head
        )
        if in_head and number == head:
            head += 1
        rows.append(out)
    width = max((len(row) for row in rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows], head


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name) or "1")
    return min(int(value), 50) if value.isdigit() and int(value) > 0 else 1


def _marks(tag: Tag, name: str) -> list[Tag]:
    if name == "underline":
        return [*tag.find_all("u"), *tag.find_all("span", style=re.compile("underline"))]
    names = ["strong", "b"] if name == "strong" else ["em", "i"]
    return [mark for mark in tag.find_all(names) if mark.find_parent(names) is None]


def _inline_raw(tag: Tag) -> str:
    return "".join(
        "\n" if isinstance(child, Tag) and child.name == "br" else re.sub(r"\s+", " ", str(child))
        for child in tag.descendants
        if (isinstance(child, Tag) and child.name == "br")
        or (isinstance(child, NavigableString) and not isinstance(child, Comment))
    )


def _item_text(item: Tag, left_out: list[Tag]) -> str:
    """The words of a list item in order; items nested in it stand on lines of their own, after a dash."""
    marks = {id(part) for part in left_out}
    pieces: list[str] = []

    def collect(node: Tag) -> None:
        for child in node.children:
            if isinstance(child, Tag):
                if child.name == "br" or child.name in _BLOCKS or id(child) in marks:
                    pieces.append("\n")
                if id(child) in marks:
                    continue
                if child.name == "li":
                    pieces.append("- ")
                collect(child)
                if child.name in _BLOCKS:
                    pieces.append("\n")
            elif isinstance(child, NavigableString) and not isinstance(child, Comment):
                pieces.append(re.sub(r"\s+", " ", str(child)))

    collect(item)
    lines = tidy_lines("".join(pieces)).splitlines()
    return "\n".join(line for line in lines if line != "-")


def recommending(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The same blocks, each said to stand among recommendations."""
    return tuple(replace(block, recommends=True) for block in blocks)
