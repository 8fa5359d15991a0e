"""The written word lists that questions are made with (terms.yaml) and the wordings (frames.yaml)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from retrieval.data_files import read_yaml

Part = Literal["train", "dev", "test"]
PARTS: tuple[Part, ...] = ("train", "dev", "test")
_HERE = Path(__file__).parent


class Specialty(BaseModel):
    """Conditions by beginnings of their words, and what may be asked about in them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    conditions: tuple[str, ...]
    terms: tuple[str, ...]


class Terms(BaseModel):
    """What terms.yaml holds; its comments say what each list is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    drug_endings: tuple[str, ...]
    not_drugs: frozenset[str]
    drugs: tuple[str, ...]
    heads: dict[str, tuple[str, ...]]
    heads_need_more: frozenset[str]
    not_in_phrases: frozenset[str]
    cues: frozenset[str]
    after_drugs: frozenset[str]
    inner_words: frozenset[str]
    generic: frozenset[str]
    not_conditions: tuple[str, ...]
    names: frozenset[str]
    classes: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    code_words: frozenset[str]
    new_drugs: dict[str, str]
    specialties: dict[str, Specialty]


class Wordings(BaseModel):
    """Wordings of one kind of question; none stands in two parts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    train: tuple[str, ...] = Field(min_length=1)
    dev: tuple[str, ...] = Field(min_length=1)
    test: tuple[str, ...] = Field(min_length=1)

    def of(self, part: Part) -> tuple[str, ...]:
        """The wordings of one part."""
        return {"train": self.train, "dev": self.dev, "test": self.test}[part]


@cache
def terms() -> Terms:
    """The word lists that ship with the package."""
    return Terms.model_validate(read_yaml(_HERE / "terms.yaml"))


@cache
def frames() -> dict[str, Wordings]:
    """The wordings by what they ask."""
    loaded = read_yaml(_HERE / "frames.yaml")
    return {name: Wordings.model_validate(value) for name, value in loaded.items()}


@cache
def replies() -> dict[str, Wordings]:
    """The wordings that need no search, by the reply they want."""
    loaded = read_yaml(_HERE / "replies.yaml")
    return {name: Wordings.model_validate(value) for name, value in loaded.items()}
