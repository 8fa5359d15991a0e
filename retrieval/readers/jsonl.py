"""JSONL: one document a line, and the BEIR layout of a corpus.

A line gives `text` and any field of Markdown's front matter. BEIR (Thakur et al., NeurIPS 2021) keeps
`_id`, `title` and `text` in a file called corpus.jsonl; the queries and judgements beside it are for
measuring and are not documents.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from retrieval.blocks import Block, ParsedDocument, tidy
from retrieval.documents import Document, DocumentId
from retrieval.readers.base import GUIDELINES, ReadItem, Skipped, SourceFile, slug
from retrieval.readers.markdown import FrontMatter, markdown_blocks
from retrieval.readers.markup import recommending


class JsonlReader:
    """See the module."""

    name = "jsonl"
    version = "jsonl-1"

    def matches(self, file: SourceFile) -> bool:
        """See `Reader.matches`."""
        return file.suffix in (".jsonl", ".ndjson") and '"text"' in file.head and '"_id"' not in file.head

    def read(self, file: SourceFile) -> Iterator[ReadItem]:
        """See `Reader.read`."""
        for number, line in _lines(file):
            where = f"{file.name} line {number}"
            if line is None or not isinstance(line.get("text"), str) or not line["text"].strip():
                yield Skipped(where, "is not a JSON object with a text")
                continue
            text = line.pop("text")
            try:
                front = FrontMatter.model_validate(line)
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]
                yield Skipped(where, f"has a wrong field {'.'.join(map(str, first['loc']))}")
                continue
            blocks = markdown_blocks(text)
            fallback = f"jsonl/{slug(str(file.path.with_suffix('')))}/{number}"
            document = front.document(fallback, tidy(text)[:80])
            yield ParsedDocument(
                document=document,
                blocks=recommending(blocks),
                condition=front.condition or document.title,
                synonyms=front.synonyms,
                population=front.population,
                contraindications=front.contraindications,
            )


class BeirReader:
    """See the module."""

    name = "beir"
    version = "beir-1"

    def matches(self, file: SourceFile) -> bool:
        """See `Reader.matches`."""
        return (
            file.suffix == ".jsonl"
            and '"_id"' in file.head
            and '"text"' in file.head
            and "queries" not in file.path.stem
        )

    def read(self, file: SourceFile) -> Iterator[ReadItem]:
        """See `Reader.read`."""
        folder = slug(file.path.parent.name or "corpus")
        for number, line in _lines(file):
            if (
                line is None
                or not line.get("_id")
                or not tidy(str(line.get("text") or "") + str(line.get("title") or ""))
            ):
                yield Skipped(f"{file.name} line {number}", "is not a document with an _id and a text")
                continue
            title = tidy(str(line.get("title") or ""))
            text = str(line.get("text") or "").strip() or title
            metadata = line.get("metadata") if isinstance(line.get("metadata"), dict) else {}
            url = str((metadata or {}).get("url") or "")
            yield ParsedDocument(
                document=Document(
                    id=DocumentId(f"beir/{folder}/{line['_id']}"),
                    source=GUIDELINES,
                    title=title or tidy(text)[:80],
                    publisher="Not stated",
                    region="INT",
                    url=url if re.match(r"https?://", url) else None,
                ),
                blocks=tuple(
                    Block("paragraph", tidy(part), explains=True) for part in re.split(r"\n\s*\n", text) if tidy(part)
                ),
                condition=title or tidy(text)[:80],
            )


def _lines(file: SourceFile) -> Iterator[tuple[int, dict[str, Any] | None]]:
    """Every line that is not empty, with its number from 1; None where it is not a JSON object."""
    for number, line in enumerate(file.text().split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        yield number, value if isinstance(value, dict) else None
