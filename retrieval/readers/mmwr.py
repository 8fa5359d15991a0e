"""CDC MMWR Supplements: a JSON object of page address to Markdown, with the page's chrome around each.

What is kept is the article: from its title to its references. Navigation, sharing links, author
affiliations in tables of links, disclaimers and the agency's footer are dropped, as are reference
lists, which answer nothing. Pages before 2000 came as one table cell; it is read as the prose it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from retrieval.blocks import Block, ParsedDocument, tidy
from retrieval.documents import Document, DocumentId
from retrieval.errors import ReaderError
from retrieval.readers.base import GUIDELINES, PUBLIC_HEALTH_REPORTS, ReadItem, Skipped, SourceFile, dates_in, slug
from retrieval.readers.markdown import markdown_blocks
from retrieval.readers.markup import recommending

_ASSISTIVE = re.compile(r"Persons using assistive technology.{0,400}?subject line of e-mail\.", re.DOTALL)
_TITLE = re.compile(r"^# (?!#)(.+?)\s*#*\s*$", re.MULTILINE)
# The first of these after the title ends the article.
_END = re.compile(
    r"^#{1,6} _*References?_* *#*\s*$|^_{0,3}References_{0,3}\s*$|All _?MMWR_? HTML (?:versions|documents)|"
    r"\[HOME\]\(/mmwr|Use of trade names and commercial sources is for identification|"
    r"^#{1,6} *Exit Notification|^A-Z Index\s*$|^\**Page last (?:reviewed|updated)|__Disclaimer__",
    re.MULTILINE,
)
_FURNITURE = re.compile(
    r"^(?:Related Pages|Section Navigation|Print|Share|Top|Return to (?:your place.*|top.*)|Article Metrics|"
    r"Altmetric:?|On This Page|Related Materials|Back to top|.*\{ *$|^\}$|display: \w+;|"
    r"View suggested citation.*|TABLES?$)$",
    re.IGNORECASE,
)
# What a report of recommendations is called; a survey of how often people follow some is not one.
_RECOMMENDS = re.compile(
    r"guidelines?\b|\brecommendations\b|\brecommended\s+immunization|\bguidance\s+for\b|\bmanagement\s+of\s+patients\b",
    re.IGNORECASE,
)
_SURVEYS = re.compile(
    r"\b(?:survey|surveys|surveillance system|prevalence|coverage)\b.*(?:United States|\d{4})|\bdevelopment of CDC\b",
    re.IGNORECASE,
)
_FULL_DATE = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)"
    r" (?:\d{1,2}, )?(?:19|20)\d\d\b"
)
_ENDS = re.compile(r"[.!?:;][\"')\]]*\s*$")
# Words that end no sentence and no heading; in lower case, for "Hepatitis A" and "May" do.
_GOES_ON = re.compile(
    r"[,(/]$|\b(?:an?|the|of|and|or|to|for|from|in|on|at|by|with|as|than|that|which|who|whose|if|when|is|are|was|were|be|been|has|"
    r"have|had|should|must|may|can|will|not|no|their|its|these|this|those|such|any|all|other|between|through|within|"
    r"The|An|In|For|If|When|From|With|These|This|Those|Their)$"
)
# A whole line of running text, before what stands in brackets: a heading is shorter or ends in a capital letter's word.
_RUNNING = re.compile(r"^.{40,}\s[a-z][a-z-]*$", re.DOTALL)
_PARTED = re.compile(r"[a-z]-$")
_OLD_CELL = 1500  # characters; a table cell longer than this holds an article, not a datum


class MmwrReader:
    """See the module."""

    name = "mmwr"
    version = "mmwr-3"

    def matches(self, file: SourceFile) -> bool:
        """See `Reader.matches`."""
        return re.match(r"\s*\{\s*\"https?://www\.cdc\.gov/mmwr/", file.head) is not None

    def read(self, file: SourceFile) -> Iterator[ReadItem]:
        """See `Reader.read`."""
        pages = file.json()
        if not isinstance(pages, dict):
            raise ReaderError("is not an object of addresses to pages")
        for url, page in pages.items():
            parsed = _page(str(url), page) if isinstance(page, str) and page.strip() else None
            yield parsed or Skipped(str(url), "has no article on its page")


def _page(url: str, page: str) -> ParsedDocument | None:
    title, body = _article(page)
    blocks = tuple(_cleaned(markdown_blocks(_plain_markup(body))))
    if not title or not blocks:
        return None
    recommends = _RECOMMENDS.search(title) is not None and _SURVEYS.search(title) is None
    name = url.rsplit("/", 1)[-1].removesuffix(".html").removesuffix(".htm")
    return ParsedDocument(
        document=Document(
            id=DocumentId(f"mmwr/{slug(name)}"),
            source=GUIDELINES if recommends else PUBLIC_HEALTH_REPORTS,
            title=title,
            publisher="Centers for Disease Control and Prevention",
            region="US",
            published=_published(name, page),
            version=f"MMWR Supplement {name}",
            url=url,
            licence="Public domain (US federal)",
        ),
        # A report that only mentions the recommendations of others grades nothing itself.
        blocks=recommending(blocks) if recommends else tuple(replace(block, explains=True) for block in blocks),
        condition=title,
    )


def _article(page: str) -> tuple[str, str]:
    """Title and body of a page, without what stands before and after the article."""
    heading = _TITLE.search(page)
    if heading is not None:
        title, body = tidy(_plain_markup(heading[1])), page[heading.end() :]
    else:
        found = _ASSISTIVE.search(page)
        body = page[found.end() if found else 0 :]
        title = tidy(_plain_markup(re.split(r"\s{2,}|\n|__", body.strip(), maxsplit=1)[0]))[:300]
        body = "\n\n".join(_rejoined(re.split(r"\s{2,}|\n", body)))
        body = re.sub(r"\s*\|\s*", " ", body)
    end = _END.search(body)
    return title, body[: end.start()] if end else body


def _rejoined(pieces: list[str]) -> Iterator[str]:
    """Paragraphs of a page whose line breaks are runs of spaces, as are the breaks between its paragraphs.

    Pages before 2000 were set in lines of fixed width. What goes on in lower case, or stands behind a word that ends no
    sentence and no heading, is the same paragraph: else "should" would be a recommendation of its own.
    """
    held = ""
    for piece in pieces:
        if held and not _ENDS.search(held) and _continues(held, piece):
            parted = _PARTED.search(held) and piece[:1].islower() and not re.match(r"(?:and|or)\b", piece)
            held = f"{held[:-1]}{piece}" if parted else f"{held} {piece}"
            continue
        if held:
            yield held
        held = piece
    if held:
        yield held


def _continues(held: str, piece: str) -> bool:
    bracket = piece.startswith("(") and _RUNNING.search(held) is not None
    return piece[:1].islower() or bracket or _GOES_ON.search(held) is not None


def _plain_markup(text: str) -> str:
    """Markdown without links, pictures and raised marks, which stand for nothing once the page is gone."""
    text = re.sub(r"!\[[^\]]*\]\([^)]*\)", "", text)
    text = re.sub(r"^\s*[*+-]\s+\[[^\]]*\]\([^)]*\)\s*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\[([^\[\]]*)\]\([^()\s]*(?:\([^()]*\)[^()\s]*)*(?:\s+\"[^\"]*\")?\)", r"\1", text)
    text = re.sub(r"\^+([^^\n]{1,12})\^+", r"\1", text)
    text = re.sub(r"(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)", "", text)
    return re.sub(r"^(#{1,6} .*?)\s#+\s*$", r"\1", text, flags=re.MULTILINE)


def _cleaned(blocks: tuple[Block, ...]) -> Iterator[Block]:
    for block in blocks:
        if block.kind == "table" and block.table is not None:
            cells = [cell for row in (block.table.header, *block.table.rows) for cell in row if cell]
            if any(len(cell) > _OLD_CELL for cell in cells):
                yield from (Block("paragraph", tidy(cell)) for cell in cells)
            elif len(cells) > 1:
                yield block
        elif block.text and not _FURNITURE.match(block.text):
            yield block


def _published(name: str, page: str) -> str | None:
    """The date on the page ("Supplements / July 8, 2016 / 65(3)"), or the year that the volume gives."""
    if match := re.search(r"_?Supplements?_?\s*/\s*([A-Z][a-z]+ \d{1,2}, \d{4})\s*/", page):
        return dates_in(match[1])[0]
    if match := re.match(r"su(\d\d)", name):
        return str(1951 + int(match[1]))  # volume 1 of MMWR is 1952
    head = page[:6000]
    if match := re.search(r"MMWR\s+((?:19|20)\d\d)", head):
        return match[1]
    found = _FULL_DATE.search(head)
    return dates_in(found[0])[0] if found else None
