"""What a match with a predicted query counts in the order of a search.

    score'(p) = score(p) + w * max(0, q(p) - cos(p) - m)

`q` is the cosine of the query with the nearest predicted query of a passage, `cos` its cosine with the passage itself.
Questions are nearer to each other than to what answers them, by some `m`; only what goes beyond it says something of
this passage. A passage without predicted queries keeps its score, and stands behind one that has a query which matches.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from retrieval.documents import PassageId
from retrieval.predicted_queries.table import PredictedMatch

# As in `retrieval.rescoring`: scores that agree to this many decimals count as equal.
_DECIMALS = 5


class PredictedSettings(BaseModel):
    """How many passages predicted queries bring in, and what their matches count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Passages that are candidates by their predicted queries alone; 0 brings none in.
    limit: Annotated[int, Field(ge=0, le=1000)] = 30
    #: `m`.
    margin: Annotated[float, Field(ge=-1, le=1)] = 0.05
    #: `w`.
    weight: Annotated[float, Field(ge=0)] = 0.65


DEFAULT_PREDICTED = PredictedSettings()


def weighed(
    ordered: Sequence[tuple[PassageId, float]],
    cosines: Sequence[float],
    match: PredictedMatch,
    settings: PredictedSettings = DEFAULT_PREDICTED,
) -> list[tuple[PassageId, float]]:
    """Passages with their scores and what their matches add, best first, equal scores by passage id.

    Args:
        cosines: of the query with each of `ordered`.
    """
    scored = []
    for (passage, score), cosine in zip(ordered, cosines, strict=True):
        nearest = match.cosine(passage)
        more = 0.0 if nearest is None else max(0.0, nearest - cosine - settings.margin)
        scored.append((passage, round(score + settings.weight * more, _DECIMALS)))
    return sorted(scored, key=lambda item: (-item[1], item[0]))
