"""Guideline summaries of the National Guideline Clearinghouse: XML with escaped HTML in its fields.

Recommendations come from "Major Recommendations"; the scope, benefits, harms, contraindications,
warnings and grading schemes are read as narrative. How the guideline was made, who paid, and the
clearinghouse's own notices are left out: they answer no clinical question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from bs4 import BeautifulSoup
from defusedxml.ElementTree import ParseError, fromstring

from retrieval.blocks import Block, ParsedDocument, tidy
from retrieval.documents import Document, DocumentId
from retrieval.errors import ReaderError
from retrieval.readers.base import GUIDELINES, SourceFile, dates_in, slug
from retrieval.readers.markup import MarkupOptions, html_blocks, recommending

_RECOMMENDATIONS = "Major Recommendations"
_SCHEMES = (
    "Rating Scheme for the Strength of the Recommendations",
    "Rating Scheme for the Strength of the Evidence",
)
_NARRATIVE = (
    "FDA Warning/Regulatory Alert",
    "Guideline Objective(s)",
    "Target Population",
    "Interventions and Practices Considered",
    "Contraindications",
    "Potential Benefits",
    "Potential Harms",
    "Qualifying Statements",
    *_SCHEMES,
)
# Where the clearinghouse repeats in "Major Recommendations" what a grade means, no recommendation stands.
# "Definition of Family Planning Services" or "Strength of the desire to die" is clinical.
_DEFINITIONS = re.compile(
    r"^(?:definitions?\s*:?\s*$|definitions?\s+of\s+(?:the\s+)?(?:grad|levels?|ratings?|strength|terms)|"
    r"what the .*grades? mean|(?:USPSTF\s+)?levels? of (?:certainty|evidence)|rating scheme|"
    r"(?:grading|rating|categories|categorization|classification|grades?)\s+(?:of|scheme|system|for)\b.*|"
    r"(?:recommendation|evidence)\s+(?:categor|grad|rating)|grade\s+definitions?|final\s+grade\s+of|"
    r"(?:overall\s+)?(?:strength|quality)\s+of\s+(?:the\s+)?(?:recommendation|evidence)s?\b.*(?:rating|scheme|grad))",
    re.IGNORECASE,
)
_LONGEST_SHARED = 400  # characters of a contraindications field that is repeated beside every recommendation
_NOT_STATED = re.compile(r"^(?:not stated|none (?:available|provided)|not applicable|none)\.?$", re.IGNORECASE)


class NgcReader:
    """See the module."""

    name = "ngc"
    version = "ngc-2"

    def matches(self, file: SourceFile) -> bool:
        """See `Reader.matches`."""
        return file.suffix == ".xml" and "FieldID=" in file.head and "<FieldValue" in file.head

    def read(self, file: SourceFile) -> Iterator[ParsedDocument]:
        """See `Reader.read`."""
        fields = _fields(file.data)
        title = _plain(fields.get("Guideline Title", ""))
        if not title:
            raise ReaderError("has no guideline title")
        if not _plain(fields.get(_RECOMMENDATIONS, "")):
            raise ReaderError("has no recommendations")
        released = dates_in(_plain(fields.get("Date Released", "")))
        document = Document(
            id=DocumentId(f"ngc/{slug(file.path.stem.removeprefix('ngc-'))}"),
            source=GUIDELINES,
            title=title,
            publisher=_publisher(fields.get("Guideline Developer(s)", "")),
            region="US",
            published=max(released) if released else None,
            version=f"NGC summary {file.path.stem.removeprefix('ngc-')}",
            url=_first_link(fields.get("Guideline Availability", "")),
            licence=_licence(_plain(fields.get("Copyright Statement", ""))),
        )
        blocks: list[Block] = [Block("heading", _RECOMMENDATIONS, level=1)]
        options = MarkupOptions(bold_headings=True)
        # What a grade means is repeated here from the fields of rating schemes, which are read below.
        repeated = _words(" ".join(_plain(fields.get(name, "")) for name in _SCHEMES))
        for block in _definitions_explain(html_blocks(fields[_RECOMMENDATIONS], options)):
            if not (block.explains and _repeats(block, repeated)):
                blocks.append(block)
        for name in _NARRATIVE:
            html = fields.get(name, "")
            if not _plain(html) or _NOT_STATED.match(_plain(html)):
                continue
            blocks.append(Block("heading", name, level=1))
            blocks.extend(_plainly(block) for block in html_blocks(html, options))
        population = _plain(fields.get("Target Population", ""))
        contraindications = _plain(fields.get("Contraindications", ""))
        yield ParsedDocument(
            document=document,
            blocks=tuple(blocks),
            condition=title,
            population=population if population and not _NOT_STATED.match(population) else None,
            contraindications=(contraindications,) if 0 < len(contraindications) <= _LONGEST_SHARED else (),
        )


def _definitions_explain(blocks: Iterable[Block]) -> Iterator[Block]:
    """The blocks as recommendations, those that define grades as explanations."""
    defining: int | None = None  # level of the heading that opened the definitions
    for block in recommending(tuple(blocks)):
        caption = block.table.caption if block.table is not None else ""
        if block.kind == "heading":
            if _DEFINITIONS.match(block.text):
                defining = block.level if defining is None else min(defining, block.level)
            elif defining is not None and block.level <= defining:
                defining = None
        elif block.kind == "paragraph" and re.match(r"^definitions?:", block.text, re.IGNORECASE):
            defining = 9
        if block.kind == "heading" and defining is not None:
            yield replace(block, explains=True)
        elif defining is not None or _DEFINITIONS.match(caption) or _heads_a_scheme(block):
            yield _plainly(block)
        else:
            yield block


def _heads_a_scheme(block: Block) -> bool:
    return block.table is not None and any(_DEFINITIONS.match(name) for name in block.table.header)


def _repeats(block: Block, said: str) -> bool:
    """Whether every line or cell of a block stands in `said`."""
    cells = [cell for row in (block.table.header, *block.table.rows) for cell in row] if block.table else [block.text]
    return all(_words(line) in said for cell in cells for line in re.split(r"[\n;]", cell))


def _words(text: str) -> str:
    return " ".join(re.findall(r"[a-z]+|\d+", text.lower()))


def _plainly(block: Block) -> Block:
    """The block as an explanation: nothing in it is a recommendation."""
    return Block(block.kind, block.text, block.level, block.page, block.table, block.lead, explains=True)


def _fields(data: bytes) -> dict[str, str]:
    try:
        root = fromstring(data)
    except (ParseError, ValueError) as error:
        raise ReaderError("is not well-formed XML") from error
    fields: dict[str, str] = {}
    for field in root.iter("Field"):
        name = field.get("Name", "")
        # Some fields stand twice, once in the general section; the first is the fullest.
        if name not in fields:
            fields[name] = "\n".join(value.get("Value", "") for value in field.iter("FieldValue"))
    return fields


def _plain(html: str) -> str:
    return tidy(BeautifulSoup(html, "lxml").get_text(" ")) if html.strip() else ""


def _publisher(html: str) -> str:
    names = [re.sub(r"\s+-\s+.*$", "", tidy(line)) for line in BeautifulSoup(html, "lxml").get_text("\n").splitlines()]
    return "; ".join(dict.fromkeys(name for name in names if name)) or "Not stated"


def _first_link(html: str) -> str | None:
    for anchor in BeautifulSoup(html, "lxml").find_all("a", href=True):
        href = str(anchor["href"]).strip()
        if re.match(r"https?://[^\s]+$", href):
            return href
    return None


def _licence(statement: str) -> str:
    if re.search(r"no copyright|not copyright|public domain|free of copyright", statement, re.IGNORECASE):
        return "No copyright restrictions stated (US federal)"
    return "See the publisher's copyright statement"
