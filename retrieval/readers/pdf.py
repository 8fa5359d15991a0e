"""PDF guidelines: headings by size of type, paragraphs across lines and pages, ruled tables, page numbers.

Running heads and feet are dropped where they repeat over pages. Type decides what a heading is, so a
document without type sizes (a scan) gives no text and is refused: this reader does no character
recognition. Title, publisher and year come from the front pages and the file's own metadata.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pdfplumber
from pdfminer.pdfparser import PDFSyntaxError
from pdfplumber.utils.exceptions import MalformedPDFException, PdfminerException

from retrieval.blocks import Block, ParsedDocument, tidy
from retrieval.documents import Document, DocumentId
from retrieval.errors import ReaderError
from retrieval.readers.base import GUIDELINES, SourceFile, slug
from retrieval.readers.pdf_lines import Line, page_lines

_EDGE = 0.10  # part of the page's height in which running heads and feet stand
_REPEATS = 3  # pages on which a line at the edge must stand to be a running one
_HEADING_SIZES = ((1.75, 1), (1.35, 2), (1.1, 3))  # size of type against the body's, and the level
_LONGEST_HEADING = 160
_BULLET = re.compile(r"^(?:[•‣▪■●◦○–\uf0b7\uf0a7]|o(?=\s))\s*(?=\S)|^(?:\d{1,2}[a-z]?|[a-z]|[ivx]{1,4})[.)]\s+(?=\S)")
_NUMBERED = re.compile(r"^\d{1,2}[a-z]?[.)]\s")
_RECOMMENDATIONS_FOLLOW = re.compile(
    r"^(?:(?:key|main|general|specific|administrative|additional|new|practice)\s+)*recommendations?\b"
    r"(?:\s+(?:for|on|in)\b.*)?:$",
    re.IGNORECASE,
)
# What stands beside a recommendation in a box or under it: lines of their own in another face of the type.
_ASIDE = re.compile(
    r"^(?:summary\s+of\s+(?:the\s+)?evidence|rationale|justification|remarks?|implementation\s+considerations|"
    r"evidence\s+to\s+(?:decision|recommendations?)|background|research\s+(?:gaps|needs|priorities)|values\s+and\s+preferences|"
    r"(?:benefits|balance)\s+(?:and|of)\s[\w\s]{3,40}|feasibility|acceptability|equity|resource\s+(?:use|implications)|"
    r"practical\s+information|certainty\s+of\s+(?:the\s+)?evidence)\s*:?$",
    re.IGNORECASE,
)
_TABLE_CAPTION = re.compile(r"^(?:Table|Box|Annex table)\s+[\w.]+", re.IGNORECASE)
_NOTE = re.compile(r"^(?:[*†‡§¶ᵃᵇᶜ]|notes?:|abbreviations?:|[a-z]\s[A-Z]|\w{2,8}\s?[:=]\s)", re.IGNORECASE)
_WHO = "World Health Organization"
_CDC = "Centers for Disease Control and Prevention"
_PUBLISHERS = (
    (re.compile(rf"©\s*{_WHO}\s+(?P<year>\d{{4}})|{_WHO}"), _WHO, "INT"),
    (re.compile(rf"{_CDC}|\bCDC\b"), _CDC, "US"),
)
# pdfminer lets errors of its own working out where a file is damaged.
_DAMAGED = (
    *(PdfminerException, MalformedPDFException, PDFSyntaxError),
    *(ValueError, KeyError, TypeError, IndexError, AttributeError),
)


class PdfReader:
    """See the module."""

    name = "pdf"
    version = "pdf-2"

    def matches(self, file: SourceFile) -> bool:
        """See `Reader.matches`."""
        return file.data[:1024].lstrip().startswith(b"%PDF-")

    def read(self, file: SourceFile) -> Iterator[ParsedDocument]:
        """See `Reader.read`."""
        try:
            with pdfplumber.open(io.BytesIO(file.data)) as pdf:
                metadata = dict(pdf.metadata or {})
                pages = []
                for page in pdf.pages:
                    pages.append((float(page.height), page_lines(page)))
                    page.close()  # else every page's characters stay in memory
        except _DAMAGED as error:
            raise ReaderError("is damaged or not a PDF that can be read") from error
        letters = sum(len(line.text) for _, lines in pages for line in lines)
        if letters < 20 * max(len(pages), 1):
            raise ReaderError("has no text layer (a scan?); it must be recognised first")
        body = _body_size([lines for _, lines in pages])
        front = "\n".join(line.text for _, lines in pages[:6] for line in lines)
        title = _title(metadata, pages[0][1] if pages else [], file.path.stem)
        publisher, region, year = _publisher(front + "\n" + str(metadata.get("Author") or ""))
        created = re.search(r"(?:19|20)\d\d", str(metadata.get("CreationDate") or ""))
        kept = _without_running_lines(pages)
        yield ParsedDocument(
            document=Document(
                id=DocumentId(f"pdf/{slug(file.path.stem)}"),
                source=GUIDELINES,
                title=title,
                publisher=publisher or tidy(str(metadata.get("Author") or "")) or "Not stated",
                region=region,
                published=year or (created[0] if created else None),
                licence=_licence(front),
            ),
            blocks=tuple(_blocks(kept, body)),
            condition=title,
        )


def _body_size(pages: Sequence[Sequence[Line]]) -> float:
    sizes: Counter[float] = Counter()
    for lines in pages:
        for line in lines:
            sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] or 10.0


def _title(metadata: dict[str, Any], first: Sequence[Line], fallback: str) -> str:
    stated = tidy(str(metadata.get("Title") or ""))
    if len(stated) > 12 and not re.search(r"\.(?:docx?|indd|pdf)$|^microsoft word|untitled", stated, re.IGNORECASE):
        return stated
    largest = max((line.size for line in first if len(line.text) > 3), default=0.0)
    lines = [line.text for line in first if line.size >= largest * 0.8 and line.text]
    return tidy(" ".join(lines))[:250] or fallback


def _publisher(front: str) -> tuple[str | None, str, str | None]:
    for pattern, name, region in _PUBLISHERS:
        found = list(pattern.finditer(front))
        if found:
            years = [match.groupdict().get("year") for match in found]
            return name, region, next((year for year in years if year), None)
    return None, "INT", None


def _licence(front: str) -> str | None:
    if re.search(r"CC BY-NC-SA 3\.0 IGO", front):
        return "CC BY-NC-SA 3.0 IGO"
    return None


def _without_running_lines(pages: Sequence[tuple[float, list[Line]]]) -> list[list[Line]]:
    """Lines of each page without running heads and feet: at the edge, and on several pages but for numbers."""
    seen: Counter[str] = Counter()
    for height, lines in pages:
        seen.update({_shape(line) for line in lines if _at_edge(line, height)})
    return [
        [
            line
            for line in lines
            if not (_at_edge(line, height) and (seen[_shape(line)] >= _REPEATS or not _shape(line)))
        ]
        for height, lines in pages
    ]


def _at_edge(line: Line, height: float) -> bool:
    return line.table is None and (line.bottom < height * _EDGE or line.top > height * (1 - _EDGE))


def _shape(line: Line) -> str:
    return re.sub(r"\b[ivxlc]{1,6}\b|\d+|\W+", "", line.text.lower())


def _blocks(pages: Sequence[Sequence[Line]], body: float) -> Iterator[Block]:
    recommends = stated = False
    lead = ""
    held: Block | None = None
    last: Block | None = None
    for number, lines in enumerate(pages, start=1):
        for block in _page_blocks(lines, body, number):
            if block.kind == "heading":
                recommends = re.search(r"recommendation", block.text, re.IGNORECASE) is not None
                stated = re.match(r"recommendations?\b", block.text, re.IGNORECASE) is not None
            if block.kind == "item":
                # "1a. Advise ..." under "Recommendations" is one, whatever its words.
                listed = _RECOMMENDATIONS_FOLLOW.match(lead) is not None
                block = replace(block, lead=lead, whole=listed or (stated and _NUMBERED.match(block.text) is not None))
            elif block.kind != "table":
                lead = (
                    block.text
                    if block.kind == "paragraph" and block.text.endswith(":") and len(block.text) < 500
                    else ""
                )
            block = replace(block, recommends=recommends)
            if held is not None and _continues(held, block, number):
                held = replace(held, text=_joined(held.text, block.text))
                continue
            if block.table is not None and not block.table.header and last is not None and last.table is not None:
                # The same table on the next page, or its next section.
                header = last.table.header if len(last.table.header) == len(block.table.rows[0]) else ()
                block = replace(block, table=replace(block.table, header=header))
            last = block
            if held is not None and block.table is not None and _TABLE_CAPTION.match(held.text):
                caption = f"{held.text}: {block.table.caption}" if block.table.caption else held.text
                block = replace(block, table=replace(block.table, caption=caption))
                held = None
            if held is not None and held.table is not None and _is_note(held, block):
                held = replace(held, table=replace(held.table, notes=(*held.table.notes, block.text)))
                continue
            if held is not None:
                yield held
            held = block
    if held is not None:
        yield held


def _continues(held: Block, block: Block, page: int) -> bool:
    """Whether a paragraph goes on at the top of the next page."""
    return (
        held.kind in ("paragraph", "item")
        and block.kind == "paragraph"
        and held.page is not None
        and page in (held.page, held.page + 1)
        and re.search(r"[.:;!?\])]$", held.text) is None
        and block.text[:1].islower()
    )


def _is_note(held: Block, block: Block) -> bool:
    return (
        block.kind == "paragraph"
        and block.page == held.page
        and len(block.text) < 400
        and _NOTE.match(block.text) is not None
    )


def _page_blocks(lines: Sequence[Line], body: float, page: int) -> Iterator[Block]:
    texts: list[str] = []
    kind: str = "paragraph"
    level = 1
    last: Line | None = None

    def done() -> Iterator[Block]:
        if texts:
            text = texts[0]
            for more in texts[1:]:
                text = _joined(text, more)
            if kind == "heading" and len(text) <= _LONGEST_HEADING:
                yield Block("heading", text, level=level, page=page)
            else:
                yield Block("item" if kind == "item" else "paragraph", text, page=page)
            texts.clear()

    for line in lines:
        if line.table is not None:
            yield from done()
            yield Block("table", page=page, table=line.table)
            last = None
            continue
        if not line.text:
            continue
        new_kind, new_level = _kind(line, body)
        bullet = _BULLET.match(line.text) if new_kind != "heading" else None
        gap = line.top - last.bottom if last is not None else 0.0
        apart = last is not None and (
            gap > 0.75 * (line.bottom - line.top) or gap < -20 or abs(line.size - last.size) > 1.2
        )
        heading, was = new_kind == "heading", kind == "heading"
        if bullet or last is None or apart or heading != was or (heading and new_level != level):
            yield from done()
            kind, level = ("item" if bullet else new_kind), new_level
        texts.append(line.text[bullet.end() :] if bullet and not line.text[:1].isalnum() else line.text)
        last = line
    yield from done()


def _kind(line: Line, body: float) -> tuple[str, int]:
    if _ASIDE.match(line.text):
        return "heading", 5
    if len(line.text) <= _LONGEST_HEADING and re.search(r"[A-Za-z]{2}", line.text):
        for ratio, level in _HEADING_SIZES:
            if line.size >= body * ratio:
                return "heading", level
        if line.bold and len(line.text) < 110 and not re.search(r"[.;,:)]$", line.text) and line.size >= body * 0.95:
            return "heading", 4
    return "paragraph", 1


def _joined(text: str, more: str) -> str:
    # A hyphen at the end of a line is kept: in this prose it is more often part of a word ("low-certainty").
    return text + more if re.search(r"\w-$", text) else f"{text} {more}"
