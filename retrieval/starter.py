"""Starter guidelines: the demonstration digest this project ships, one YAML-fronted file a condition.

The files are written in the project's own words from public guidance and labelled as a
demonstration that is not for patient care. Every number in a recommendation must be covered by a
`fact`, a question with its value, because facts are what the second, blind pass restates; what the
two passes did not agree on is not in the files. This module reads and validates; it never edits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationError, model_validator

from retrieval.documents import (
    CorpusEntry,
    Document,
    DocumentId,
    Passage,
    PassageId,
    PassageKind,
    SourceId,
)
from retrieval.errors import StarterFileError

STARTER_DIRECTORY = Path(__file__).parent / "starter_guidelines"
STARTER_SOURCE = SourceId("guidelines")
NOTICE = (
    "Demonstration digest written for clinsearch. Not for patient care: "
    "check the publisher's own guideline before acting."
)

Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
Line = Annotated[str, Field(min_length=2, max_length=400)]
Topic = Literal["diagnosis", "assessment", "treatment", "monitoring", "referral", "prevention", "screening", "safety"]

# libyaml's safe loader where PyYAML was built with it: ten times faster on these files.
_LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# Digits that belong to a name, not to a dose or threshold.
_NAMED_NUMBER = re.compile(
    r"\b(?:types?|stages?|grades?|class|category|steps?|phase|group|factor|vitamin|tier|level|schedule)"
    r"\s+\d+[a-z]?(?:\s*(?:,|or|and|to|-)\s*\d+[a-z]?)*\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![A-Za-z0-9.,])\d+(?:[.,]\d+)*")


def numbers_in(text: str) -> list[str]:
    """Numbers that state a dose, threshold, age or time, as canonical decimal strings.

    Numbers inside names ("type 2", "CHA2DS2-VASc", "stage 3") are left out; thousands separators
    are removed ("1,000" -> "1000").
    """
    found = []
    for match in _NUMBER.finditer(_NAMED_NUMBER.sub(" ", text)):
        raw = match.group().replace(",", "")
        found.append(f"{float(raw):g}" if raw.count(".") <= 1 else raw)
    return found


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StarterSource(_Model):
    """The guideline a recommendation restates."""

    key: Slug
    publisher: Line
    title: Line
    year: Annotated[int, Field(ge=1990, le=2026)]
    region: Annotated[str, Field(pattern=r"^([A-Z]{2}|INT)$")]
    url: HttpUrl


class StarterFact(_Model):
    """One dose or threshold as a question whose wording does not give the value away."""

    ask: Annotated[str, Field(min_length=10, max_length=300)]
    answer: Annotated[str, Field(min_length=1, max_length=200)]


class StarterRecommendation(_Model):
    """One whole recommendation, in this project's own words."""

    id: Slug
    source: Slug
    topic: Topic
    text: Annotated[str, Field(min_length=30, max_length=700)]
    strength: Annotated[str, Field(max_length=80)] | None = None
    certainty: Annotated[str, Field(max_length=80)] | None = None
    population: Line
    contraindications: tuple[Line, ...] = ()
    facts: tuple[StarterFact, ...] = ()

    @model_validator(mode="after")
    def _every_number_is_a_fact(self) -> StarterRecommendation:
        stated = {n for fact in self.facts for n in numbers_in(fact.answer)}
        wanted = numbers_in(" ; ".join([self.text, self.population, *self.contraindications]))
        if missing := sorted(set(wanted) - stated):
            raise ValueError(f"recommendation {self.id}: no fact states {', '.join(missing)}")
        return self


class SecondPass(_Model):
    """How many facts a blind second pass restated, and which recommendations it removed."""

    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    method: Line
    facts: Annotated[int, Field(ge=0)]
    agreed: Annotated[int, Field(ge=0)]
    dropped: tuple[Slug, ...] = ()


class CorpusComparison(_Model):
    """Facts that a public corpus states too, and what came of comparing them."""

    corpus: Line
    compared: Annotated[int, Field(ge=0)]
    agreed: Annotated[int, Field(ge=0)]
    dropped: tuple[Slug, ...] = ()
    note: Annotated[str, Field(max_length=300)] | None = None


class SafetyReview(_Model):
    """A reading of the whole file for what is wrong, or dangerous read alone; what was flagged is gone."""

    date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
    method: Line
    dropped: tuple[Slug, ...] = ()
    grades_removed: tuple[Slug, ...] = ()


class StarterChecks(_Model):
    """The record of how a file was checked."""

    second_pass: SecondPass
    review: SafetyReview
    corpora: tuple[CorpusComparison, ...] = ()


class StarterFile(_Model):
    """The front matter of one starter guideline file."""

    id: Slug
    condition: Line
    also_called: tuple[Line, ...] = ()
    sources: Annotated[tuple[StarterSource, ...], Field(min_length=1)]
    recommendations: Annotated[tuple[StarterRecommendation, ...], Field(min_length=1)]
    checks: StarterChecks | None = None

    @model_validator(mode="after")
    def _references_resolve(self) -> StarterFile:
        keys = [source.key for source in self.sources]
        ids = [recommendation.id for recommendation in self.recommendations]
        for name, values in (("source key", keys), ("recommendation id", ids)):
            if len(values) != len(set(values)):
                raise ValueError(f"a {name} stands twice")
        used = {recommendation.source for recommendation in self.recommendations}
        if unknown := used - set(keys):
            raise ValueError(f"recommendations name unknown sources: {', '.join(sorted(unknown))}")
        if unused := set(keys) - used:
            raise ValueError(f"sources without a recommendation: {', '.join(sorted(unused))}")
        return self


def read_starter_file(path: Path) -> StarterFile:
    """Read and validate one file.

    Raises:
        StarterFileError: the front matter is missing or breaks the schema.
    """
    text = path.read_text(encoding="utf-8")
    parts = text.split("\n---\n", 1)
    if not text.startswith("---\n") or len(parts) != 2:
        raise StarterFileError(f"{path.name}: expected YAML front matter between two '---' lines")
    try:
        parsed = StarterFile.model_validate(yaml.load(parts[0][4:], Loader=_LOADER))  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValidationError) as error:
        raise StarterFileError(f"{path.name}: {error}") from error
    if parsed.id != path.stem:
        raise StarterFileError(f"{path.name}: id {parsed.id!r} is not the file's name")
    return parsed


def starter_entries(directory: Path = STARTER_DIRECTORY) -> Iterator[CorpusEntry]:
    """Yield one corpus entry per (condition, guideline) pair, ordered by file name.

    Raises:
        StarterFileError: a file breaks the schema; nothing after it is read.
    """
    for path in sorted(directory.glob("*.md")):
        file = read_starter_file(path)
        for source in file.sources:
            document_id = DocumentId(f"starter/{file.id}/{source.key}")
            passages = tuple(
                Passage(
                    id=PassageId(f"{document_id}/{recommendation.id}"),
                    document_id=document_id,
                    kind=PassageKind.RECOMMENDATION,
                    section=(file.condition, recommendation.topic),
                    synonyms=file.also_called,
                    text=recommendation.text,
                    strength=recommendation.strength,
                    certainty=recommendation.certainty,
                    population=recommendation.population,
                    contraindications=recommendation.contraindications,
                )
                for recommendation in file.recommendations
                if recommendation.source == source.key
            )
            yield CorpusEntry(
                document=Document(
                    id=document_id,
                    source=STARTER_SOURCE,
                    title=source.title,
                    publisher=source.publisher,
                    region=source.region,
                    published=str(source.year),
                    url=str(source.url),
                    licence="Apache-2.0 (this digest's own wording)",
                    notice=NOTICE,
                ),
                passages=passages,
            )
