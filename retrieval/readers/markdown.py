"""Markdown with optional YAML front matter.

Front matter may give any field of a document (id, title, publisher, region, language, published,
review_by, version, supersedes, url, licence, source, condition, synonyms, population); an unknown or malformed
field is an error, not a guess. The body is CommonMark with tables, read through its HTML.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from markdown_it import MarkdownIt
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from retrieval.blocks import Block, ParsedDocument
from retrieval.dates import PartialDate
from retrieval.documents import Document, DocumentId, SourceId
from retrieval.errors import ReaderError
from retrieval.readers.base import GUIDELINES, SourceFile, slug
from retrieval.readers.markup import html_blocks, recommending

_FRONT = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)


class FrontMatter(BaseModel):
    """What a Markdown or JSONL document may say of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)

    id: str | None = None
    source: str = GUIDELINES
    title: str | None = None
    publisher: str = "Not stated"
    region: str = "INT"
    language: str = "en"
    published: PartialDate | None = None
    review_by: PartialDate | None = None
    version: str | None = None
    supersedes: str | None = None
    url: str | None = None
    licence: str | None = None
    notice: str | None = None
    condition: str | None = None
    synonyms: tuple[str, ...] = ()
    population: str | None = None
    contraindications: tuple[str, ...] = ()

    @field_validator("published", "review_by", mode="before")
    @classmethod
    def _date_as_text(cls, value: Any) -> Any:
        # YAML reads 2024-05-01 as a date and 2024 as a number.
        return str(value) if value is not None else None

    def document(self, fallback_id: str, fallback_title: str) -> Document:
        """The document it describes."""
        return Document(
            id=DocumentId(self.id or fallback_id),
            source=SourceId(self.source),
            title=self.title or fallback_title,
            supersedes=DocumentId(self.supersedes) if self.supersedes else None,
            **self.model_dump(
                include={
                    "publisher",
                    "region",
                    "language",
                    "published",
                    "review_by",
                    "version",
                    "url",
                    "licence",
                    "notice",
                }
            ),
        )


class MarkdownReader:
    """See the module."""

    name = "markdown"
    version = "markdown-1"

    def matches(self, file: SourceFile) -> bool:
        """See `Reader.matches`."""
        return file.suffix in (".md", ".markdown", ".mdown")

    def read(self, file: SourceFile) -> Iterator[ParsedDocument]:
        """See `Reader.read`."""
        text = file.text()
        front = FrontMatter()
        if match := _FRONT.match(text):
            front = _front_matter(match[1])
            text = text[match.end() :]
        blocks = markdown_blocks(text)
        if not blocks:
            raise ReaderError("has no text")
        heading = next((block.text for block in blocks if block.kind == "heading"), file.path.stem)
        document = front.document(f"markdown/{slug(str(file.path.with_suffix('')))}", heading)
        yield ParsedDocument(
            document=document,
            blocks=recommending(blocks),
            condition=front.condition or document.title,
            synonyms=front.synonyms,
            population=front.population,
            contraindications=front.contraindications,
        )


def markdown_blocks(text: str) -> tuple[Block, ...]:
    """Blocks of a Markdown text."""
    return html_blocks(MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(text))


def _front_matter(text: str) -> FrontMatter:
    try:
        return FrontMatter.model_validate(yaml.safe_load(text) or {})
    except yaml.YAMLError as error:
        raise ReaderError("has front matter that is not YAML") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ReaderError(f"has front matter with a wrong {'.'.join(map(str, first['loc'])) or 'form'}") from error
