"""The ICD-10-CM order file: fixed columns of order number, code, header flag, short and long description.

One document for each three-character category, one passage for each code with its category above it.
Columns follow the layout published with the file (order 1-5, code 7-13, flag 15, short 17-76, long 78-).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from retrieval.blocks import Block, ParsedDocument, Table, tidy
from retrieval.documents import Document, DocumentId
from retrieval.readers.base import CODES, ReadItem, Skipped, SourceFile, dates_in

_LINE = re.compile(r"^(\d{5}) ([A-Z]\d[0-9A-Z]{1,5})\s+([01]) (.{60}) (.+?)\s*$")
_HEADER = ("Code", "Meaning", "Use")
_USE = {"0": "heading only, not valid for coding", "1": "valid for coding"}


class Icd10Reader:
    """See the module."""

    name = "icd10cm"
    version = "icd10cm-1"

    def matches(self, file: SourceFile) -> bool:
        """See `Reader.matches`."""
        lines = file.head.splitlines()[:5]
        return bool(lines) and sum(_LINE.match(line) is not None for line in lines[:3]) >= min(2, len(lines))

    def read(self, file: SourceFile) -> Iterator[ReadItem]:
        """See `Reader.read`."""
        rows = []
        bad = 0
        for line in file.text().splitlines():
            if match := _LINE.match(line):
                rows.append((match[2], match[3], tidy(match[5])))
            elif line.strip():
                bad += 1
        if bad:
            yield Skipped(file.name, f"has {bad} lines that are not in the layout of the order file")
        stated = dates_in(file.path.stem.replace("-", " "))
        release = stated[0] if stated else None
        label = f"ICD-10-CM {release[:4]}" if release else "ICD-10-CM"
        for category, group in groupby(rows, key=lambda row: row[0][:3]):
            codes = list(group)
            title = codes[0][2]
            yield ParsedDocument(
                document=Document(
                    id=DocumentId(f"{label.lower().replace(' ', '-')}/{category.lower()}"),
                    source=CODES,
                    title=f"{label}: {category} {title}",
                    publisher="US National Center for Health Statistics",
                    region="US",
                    published=release,
                    version=release,
                    licence="US federal government work",
                ),
                blocks=(
                    Block(
                        "table",
                        table=Table(
                            rows=tuple((_dotted(code), meaning, _USE[flag]) for code, flag, meaning in codes),
                            header=_HEADER,
                            caption=f"{label}, category {category}",
                        ),
                    ),
                ),
                condition=title,
            )


def _dotted(code: str) -> str:
    return f"{code[:3]}.{code[3:]}" if len(code) > 3 else code
