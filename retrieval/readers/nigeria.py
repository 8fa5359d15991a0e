"""Nigeria Standard Treatment Guidelines 2022, one JSON file a condition.

Treatment lines tell the prescriber what to do and are recommendations, one a line under its heading; the
guideline gives them no grade. Features, investigations and the rest are narrative. Cautions about the
drugs of a condition travel with its drug treatment as contraindications only where they say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from retrieval.blocks import Block, ParsedDocument, tidy
from retrieval.documents import Document, DocumentId
from retrieval.errors import ReaderError
from retrieval.readers.base import GUIDELINES, SourceFile, slug

_TREATMENT = (
    ("goals", "Treatment goals", False),
    ("non_drug", "Non-drug treatment", True),
    ("drug", "Drug treatment", True),
    ("supportive_measures", "Supportive measures", True),
    ("adverse_reactions_and_cautions", "Adverse reactions and cautions", False),
)
_LISTS_BEFORE = (
    ("investigations", "Investigations"),
    ("other_investigations", "Other investigations"),
    ("differential_diagnoses", "Differential diagnoses"),
)
_LISTS_AFTER = (
    ("complications", "Complications"),
    ("prevention", "Prevention"),
    ("prognosis", "Prognosis"),
)


class NigeriaReader:
    """See the module."""

    name = "nigeria-stg"
    version = "nigeria-stg-1"

    def matches(self, file: SourceFile) -> bool:
        """See `Reader.matches`."""
        return file.suffix == ".json" and '"condition_name"' in file.head and '"condition_slug"' in file.head

    def read(self, file: SourceFile) -> Iterator[ParsedDocument]:
        """See `Reader.read`."""
        data = file.json()
        if not isinstance(data, dict) or not isinstance(data.get("condition_name"), str):
            raise ReaderError("has no condition_name")
        name = tidy(data["condition_name"])
        blocks = [Block("paragraph", tidy(str(data.get("introduction") or "")))]
        for group in _items(data.get("clinical_features")):
            if isinstance(group, dict):
                kind = tidy(str(group.get("type") or ""))
                heading = "Clinical features" if kind.lower() in ("", "general") else f"Clinical features: {kind}"
                blocks += _list(heading, group.get("features"))
        for key, heading in _LISTS_BEFORE:
            blocks += _list(heading, data.get(key))
        treatment = data.get("treatment") if isinstance(data.get("treatment"), dict) else {}
        assert isinstance(treatment, dict)
        cautions = [tidy(str(line)) for line in _items(treatment.get("adverse_reactions_and_cautions"))]
        for key, heading, recommends in _TREATMENT:
            blocks += _list(heading, treatment.get(key), recommends=recommends)
        blocks += _list("Definitive treatment", data.get("definitive_treatment"), recommends=True)
        for key, heading in _LISTS_AFTER:
            blocks += _list(heading, data.get(key))
        yield ParsedDocument(
            document=Document(
                id=DocumentId(f"nigeria-stg-2022/{slug(file.path.stem)}"),
                source=GUIDELINES,
                title=f"Nigeria Standard Treatment Guidelines 2022: {name}",
                publisher="Federal Ministry of Health, Nigeria",
                region="NG",
                published="2022",
                version=tidy(str(data.get("source") or "")) or None,
                licence="MIT and CC BY 4.0 (both stated)",
            ),
            blocks=tuple(block for block in blocks if block.text),
            condition=name,
            contraindications=tuple(line for line in cautions if re.search(r"contra-?indicat", line, re.IGNORECASE)),
        )


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _list(heading: str, value: Any, *, recommends: bool = False) -> list[Block]:
    lines = [tidy(str(line)) for line in _items(value) if isinstance(line, str)]
    lines = [line for line in lines if line]
    if not lines:
        return []
    blocks = [Block("heading", heading, level=1)]
    lead = ""
    for line in lines:
        if recommends and line.endswith(":"):
            # "Second line:" introduces the lines after it.
            lead = line
            continue
        blocks.append(
            Block("item", line, lead=lead, recommends=recommends, whole=recommends)
            if recommends
            else Block("paragraph", f"- {line}")
        )
    if lead and blocks[-1].lead != lead:
        blocks.append(Block("item", lead))
    return blocks
