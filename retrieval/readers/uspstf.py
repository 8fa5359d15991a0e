"""The US Preventive Services Task Force's JSON of recommendations.

Each general recommendation is one document; its specific recommendations, one passage each, carry the
grade, the ages, the sex and the risk group that the file states apart from the text. Rationale,
clinical considerations and discussion are narrative. Tool links and the grade's own definition are not text
of a recommendation and are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from retrieval.blocks import Block, ParsedDocument, tidy, tidy_lines
from retrieval.documents import Document, DocumentId
from retrieval.errors import ReaderError
from retrieval.readers.base import GUIDELINES, ReadItem, Skipped, SourceFile
from retrieval.readers.markup import MarkupOptions, html_blocks
from retrieval.recommendations import Grade

_SECTIONS = (
    ("rationale", "Rationale"),
    ("clinical", "Clinical considerations"),
    ("other", "Other considerations"),
    ("discussion", "Discussion"),
)
_PUBLISHER = "U.S. Preventive Services Task Force"


class UspstfReader:
    """See the module."""

    name = "uspstf"
    version = "uspstf-1"

    def matches(self, file: SourceFile) -> bool:
        """See `Reader.matches`."""
        return file.head.lstrip().startswith("{") and "specificRecommendations" in file.head

    def read(self, file: SourceFile) -> Iterator[ReadItem]:
        """See `Reader.read`."""
        data = file.json()
        if not isinstance(data, dict) or not isinstance(data.get("generalRecommendations"), dict):
            raise ReaderError("has no generalRecommendations")
        specific: dict[str, list[dict[str, Any]]] = {}
        for number, item in enumerate(data.get("specificRecommendations") or []):
            if not isinstance(item, dict) or not str(item.get("text") or "").strip():
                yield Skipped(f"specificRecommendations[{number}]", "has no text")
                continue
            specific.setdefault(str(item.get("general")), []).append(item)
        stated = data.get("risks")
        risks: dict[str, Any] = stated if isinstance(stated, dict) else {}
        for key, general in data["generalRecommendations"].items():
            if not isinstance(general, dict) or not general.get("title"):
                yield Skipped(f"generalRecommendations[{key}]", "has no title")
                continue
            yield _document(str(key), general, specific.pop(str(key), []), risks, _stamp(data))
        for key, items in specific.items():
            for item in items:
                yield Skipped(f"specificRecommendations id {item.get('id')}", f"belongs to {key}, which is not there")


def _stamp(data: dict[str, Any]) -> str | None:
    stamp = data.get("lastUpdated")
    if not isinstance(stamp, int):
        return None
    return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d")


def _document(
    key: str, general: dict[str, Any], items: list[dict[str, Any]], risks: dict[str, Any], stamp: str | None
) -> ParsedDocument:
    title = tidy(str(general["title"]))
    year = str(general.get("topicYear") or "")
    alias = str(general.get("uspstfAlias") or "")
    blocks = [Block("heading", "Recommendation", level=1)] if items else []
    blocks += [
        Block(
            "paragraph",
            _text(str(item["text"])),
            recommends=True,
            whole=True,
            grade=_grade(item),
            population=_population(item, title, risks),
        )
        for item in items
    ]
    for name, heading in _SECTIONS:
        html = str(general.get(name) or "")
        if html.strip():
            parts = html_blocks(html, MarkupOptions(bold_headings=True, base_level=4))
            if not (parts and parts[0].kind == "heading" and parts[0].level <= 2):
                blocks.append(Block("heading", heading, level=2))
            # The sections restate the recommendation; the passage with the grade is the one above.
            blocks.extend(Block(b.kind, b.text, b.level, b.page, b.table, b.lead, explains=True) for b in parts)
    document = Document(
        id=DocumentId(f"uspstf/{key}"),
        source=GUIDELINES,
        title=title,
        publisher=_PUBLISHER,
        region="US",
        published=year if re.fullmatch(r"(19|20)\d\d", year) else None,
        version=f"as published on {stamp}" if stamp else None,
        url=f"https://www.uspreventiveservicestaskforce.org/uspstf/recommendation/{alias}" if alias else None,
        licence="US federal government work (AHRQ)",
    )
    return ParsedDocument(document=document, blocks=tuple(blocks), condition=title)


def _grade(item: dict[str, Any]) -> Grade | None:
    letter = str(item.get("grade") or "").strip().upper()
    if not letter:
        return None
    return Grade("I statement" if letter == "I" else f"Grade {letter}")


def _text(html: str) -> str:
    return tidy_lines("\n".join(block.text for block in html_blocks(html) if block.text))


def _population(item: dict[str, Any], title: str, risks: dict[str, Any]) -> str:
    """Whom a specific recommendation is for: the file's own words, then its ages, sex and risk group."""
    parts = []
    named = tidy(str(item.get("title") or ""))
    if named:
        parts.append(named.removeprefix(title).lstrip(" -") or named)
    ages = item.get("ageRange")
    if isinstance(ages, list) and len(ages) == 2 and all(isinstance(age, int) for age in ages):
        low, high = ages
        parts.append(f"aged {low} to {high} years" if high < 100 else f"aged {low} years and over")
    sex = str(item.get("sex") or item.get("gender") or "")
    if sex in ("female", "women"):
        parts.append("female")
    elif sex in ("male", "men"):
        parts.append("male")
    names = [str((risks.get(str(risk)) or {}).get("name") or "") for risk in item.get("risk") or []]
    if any(names):
        parts.append("risk group: " + ", ".join(name for name in names if name))
    elif item.get("riskName"):
        parts.append("risk group: " + tidy(str(item["riskName"])))
    return "; ".join(dict.fromkeys(parts))
