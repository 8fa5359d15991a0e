"""Plain HTML pages of guidelines.

The main part of the page is read, navigation and page furniture are not. Title, publisher, date and
language come from what the page says of itself; nothing is guessed from its words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag

from retrieval.blocks import ParsedDocument, tidy
from retrieval.documents import Document, DocumentId
from retrieval.errors import ReaderError
from retrieval.readers.base import GUIDELINES, SourceFile, dates_in, slug
from retrieval.readers.markup import html_blocks, recommending

_FURNITURE = ["nav", "header", "footer", "aside"]


class HtmlReader:
    """See the module."""

    name = "html"
    version = "html-1"

    def matches(self, file: SourceFile) -> bool:
        """See `Reader.matches`."""
        start = file.head.lstrip()[:600].lower()
        return file.suffix in (".html", ".htm", ".xhtml") or start.startswith("<!doctype html") or "<html" in start

    def read(self, file: SourceFile) -> Iterator[ParsedDocument]:
        """See `Reader.read`."""
        soup = BeautifulSoup(file.text(), "lxml")
        main = soup.find("main") or soup.find("article") or soup.find(attrs={"role": "main"}) or soup.body
        if not isinstance(main, Tag):
            raise ReaderError("has no page body")
        for tag in main.find_all(_FURNITURE):
            # The heading of an article often stands in a <header> of its own.
            if tag.name != "header" or tag.find(["h1", "h2"]) is None:
                tag.decompose()
        title = _meta(soup, "dc.title", "og:title", "citation_title") or _text(soup.find("h1")) or _text(soup.title)
        title = title or file.path.stem
        blocks = recommending(html_blocks(str(main)))
        if not any(block.text or block.table for block in blocks):
            raise ReaderError("has no text")
        stated = _meta(soup, "dc.date", "dcterms.issued", "article:published_time", "citation_publication_date", "date")
        dates = dates_in(stated or "")
        language = soup.html.get("lang") if soup.html else None
        canonical = soup.find("link", rel="canonical")
        href = str(canonical.get("href") or "") if isinstance(canonical, Tag) else ""
        yield ParsedDocument(
            document=Document(
                id=DocumentId(f"html/{slug(str(file.path.with_suffix('')))}"),
                source=GUIDELINES,
                title=title,
                publisher=_meta(soup, "dc.publisher", "citation_publisher", "og:site_name", "author") or "Not stated",
                region=_meta(soup, "dc.coverage", "region") or "INT",
                language=str(language) if language else "en",
                published=dates[0] if dates else None,
                url=href if re.match(r"https?://", href) else None,
                licence=_meta(soup, "dc.rights", "license", "licence"),
            ),
            blocks=blocks,
            condition=title,
        )


def _meta(soup: BeautifulSoup, *names: str) -> str | None:
    for name in names:
        pattern = re.compile(rf"^{re.escape(name)}$", re.IGNORECASE)
        for tag in (soup.find("meta", attrs={"name": pattern}), soup.find("meta", attrs={"property": pattern})):
            if isinstance(tag, Tag) and (content := tidy(str(tag.get("content") or ""))):
                return content
    return None


def _text(tag: object) -> str:
    return tidy(tag.get_text(" ")) if isinstance(tag, Tag) else ""
