"""Pairs of recommendations: are those that disagree found, and are the others left alone?

`disagreement_pairs.jsonl` was written for this before the rules it measures, and is no guidance: half of its pairs
disagree on one point (direction, choice, dose, duration, age, interval), half differ in ways that are no disagreement
(other people, another route, another drug, other words). The rules were written with the part `seen`; `kept` was looked
at when they stood, and they were made stricter afterwards, on real guidelines.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.disagreements import DifferenceKind, differences_between
from retrieval import Document, DocumentId, Hit, Passage, PassageId, PassageKind, SourceId

PAIRS_FILE = Path(__file__).with_name("disagreement_pairs.jsonl")
PairPart = Literal["seen", "kept"]
PairKind = Literal["direction", "choice", "dose", "duration", "age", "interval", "none"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Side(_Record):
    """One recommendation of a pair."""

    title: str
    text: str
    publisher: str
    strength: str | None = None
    population: str | None = None

    def hit(self, rank: int) -> Hit:
        """It as a search would find it."""
        document = Document(
            id=DocumentId(f"pair-{rank}"),
            source=SourceId("guidelines"),
            title=self.title,
            publisher=self.publisher,
            region="INT",
        )
        passage = Passage(
            id=PassageId(f"{document.id}/1"),
            document_id=document.id,
            kind=PassageKind.RECOMMENDATION,
            section=(self.title,),
            text=self.text,
            strength=self.strength,
            population=self.population,
        )
        return Hit(rank=rank, score=1 / rank, passage=passage, document=document)


class DisagreementPair(_Record):
    """Two recommendations, and on what they disagree."""

    id: str
    part: PairPart
    kind: PairKind
    first: Side
    second: Side

    def found(self) -> frozenset[DifferenceKind]:
        """The differences that the product finds."""
        return frozenset(one.kind for one in differences_between(self.first.hit(1), self.second.hit(2)))

    def is_right(self) -> bool:
        """Whether its disagreement is found; of a pair without one, whether none is."""
        found = self.found()
        return not found if self.kind == "none" else DifferenceKind[self.kind.upper()] in found


def disagreement_pairs(part: PairPart | None = None) -> tuple[DisagreementPair, ...]:
    """The pairs of a part, or all, in the file's order."""
    lines = PAIRS_FILE.read_text(encoding="utf-8").splitlines()
    pairs = (DisagreementPair.model_validate_json(line) for line in lines)
    return tuple(pair for pair in pairs if part in (None, pair.part))
