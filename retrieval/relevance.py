"""How likely a hit is on the subject of the question, and the floor below which a result is not shown.

A search always ranks something first, also where the corpus holds nothing on a question. A small logistic model over
what the search already knows (cosine, how far it lies behind the best, how many of the question's terms a passage
has) gives each hit a probability of being on the subject. The floor is for the result as a whole: it holds nothing on
the subject when none of its first hits reaches the floor. It leaves no single hit out of a result that holds
something, because among those it does not tell answers from the rest (docs/adr/0015). It was chosen to keep answers.
Weights and floor are fitted by `clinsearch eval relevance --fit` on development questions and kept with their figures
in `relevance.json`. They belong to one encoder, whose cosines they read: with another nothing is judged and nothing
left out. A hit is judged against the first query, the clinician's own words, never against a model's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from retrieval.documents import Document, Passage, PassageId
from retrieval.searched_text import bm25_text
from retrieval.stores.base import Leg
from retrieval.tokens import tokenise

RELEVANCE_FILE = Path(__file__).with_name("relevance.json")

Feature = Literal["cosine", "cosine_behind_best", "coverage"]
FEATURES: tuple[Feature, ...] = ("cosine", "cosine_behind_best", "coverage")
#: Hits that a result is judged by: what an answer lists.
LISTED = 5
#: Terms that are full coverage (the median of the development questions). A case history has thrice as many, most of
#: them about the patient and in no guideline: as a share of all, coverage would fall with every detail given.
FULL_COVERAGE = 8
#: Questions are nearer to each other than to the passages that the model was fitted on: so much is taken off the cosine
#: of a predicted query before it stands for the passage's own, see docs/adr/0037.
PREDICTED_MARGIN = 0.15


class RelevanceModel(BaseModel):
    """A logistic model with the floor of its probability, and what it was fitted on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_: Literal["relevance.v1"] = Field(default="relevance.v1", alias="schema")
    #: Name of the encoder whose cosines were read.
    encoder: str
    weights: dict[Feature, float]
    bias: float
    #: A result whose first hits are all below this probability is not shown; 0 shows all.
    floor: float = Field(ge=0, le=1)
    #: What was fitted on and what it does there, for people.
    fitted: dict[str, str] = {}

    def probability(self, features: Mapping[Feature, float]) -> float:
        """The probability that a hit is on the subject, 0 .. 1."""
        value = self.bias + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, value))))

    def below_floor(self, probabilities: Sequence[float]) -> bool:
        """Whether a result holds nothing on the subject; `probabilities` are its hits', best hit first."""
        return max(probabilities[:LISTED], default=0.0) < self.floor


@lru_cache(maxsize=1)
def packaged_relevance() -> RelevanceModel:
    """The model that comes with the project."""
    return RelevanceModel.model_validate_json(RELEVANCE_FILE.read_bytes())


def relevance_for(encoder_name: str) -> RelevanceModel | None:
    """The packaged model, or None where it was fitted with another encoder."""
    model = packaged_relevance()
    return model if model.encoder == encoder_name else None


class Asked:
    """A query with its dense leg, ready to give the features of passages."""

    def __init__(self, query: str, dense: Leg) -> None:
        """`dense` is the whole leg of this query, best first."""
        self._terms = frozenset(tokenise(query))
        self._cosines: dict[PassageId, float] = dict(dense)
        self._best_cosine = max(self._cosines.values(), default=0.0)
        # A passage that the leg does not hold is at most as near as the last one it holds.
        self._least_cosine = min(self._cosines.values(), default=0.0)

    def features(
        self, passage: Passage, document: Document, predicted_cosine: float | None = None
    ) -> dict[Feature, float]:
        """The features of one passage, each in -1 .. 2.

        `predicted_cosine` is of the nearest query predicted for it, None where there is none: a passage found by those
        is on the subject though its own words are far.
        """
        cosine = self._cosines.get(passage.id, self._least_cosine)
        if predicted_cosine is not None:
            cosine = max(cosine, predicted_cosine - PREDICTED_MARGIN)
        shared = self._terms.intersection(tokenise(bm25_text(passage, document)))
        return {
            "cosine": cosine,
            "cosine_behind_best": max(0.0, self._best_cosine - cosine),
            "coverage": min(1.0, len(shared) / min(len(self._terms), FULL_COVERAGE)) if self._terms else 0.0,
        }
