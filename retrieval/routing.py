"""Which source a question is searched in where no trained model decides.

A model that was not trained for the actions chooses sources no better than chance, so for it, and where the
service searches by itself, the question is compared with each source's description by the encoder. Care
questions must not end in codes or leaflets, so another source than the guidelines has to be nearer by a margin.
Margin and descriptions were chosen on development questions alone: `clinsearch eval sources`, ADR 0015.

A description says what a source is about, not what it holds. So where descriptions chose, the passages have the last
word: how near the nearest passage of each source is to the question.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np

from retrieval.documents import SourceId
from retrieval.encoders import Encoder, Vectors
from retrieval.sources import Source

GUIDELINES = SourceId("guidelines")
PATIENT_INFORMATION = SourceId("patient_information")
#: Not prose: how near a code's name is to a question says nothing of whether a code was asked for.
CODES = SourceId("codes")
#: Difference of cosines, for the encoder it was chosen with.
MARGIN = 0.12
#: How much nearer than the nearest passage of guidelines one for patients has to be, how much where the descriptions
#: chose it as well, and how much farther the nearest of another source may be; differences of cosines, chosen on
#: training and development questions (docs/adr/0015).
NEARER_FOR_PATIENTS = 0.07
NEARER_AS_DESCRIBED = 0.03
FARTHER_ELSEWHERE = 0.05
#: How much nearer the nearest passage of guidelines has to be for leaflets not to be offered to a model that chooses.
NEARER_FOR_GUIDELINES = 0.05
#: The encoder that `MARGIN` was chosen with; cosines of others spread differently.
MARGIN_ENCODER = "all-MiniLM-L6-v2"


class SourceRouter(Protocol):
    """Chooses a source for a question; safe to call from several threads."""

    def choose(self, question: str, sources: Sequence[Source]) -> SourceId:
        """One of `sources` (at least one, the first is the default).

        Raises:
            RetrievalError: the encoder failed.
        """
        ...

    def near(self, question: str, sources: Sequence[Source]) -> tuple[SourceId, ...]:
        """Those of `sources` that a model may sensibly search first, at least one, in their order.

        Raises:
            RetrievalError: the encoder failed.
        """
        ...


class FirstSource:
    """Always the first: what is safe where nothing was measured."""

    def choose(self, question: str, sources: Sequence[Source]) -> SourceId:
        """See `SourceRouter.choose`."""
        del question
        return sources[0].id

    def near(self, question: str, sources: Sequence[Source]) -> tuple[SourceId, ...]:
        """All: nothing was measured that could rule one out."""
        del question
        return tuple(source.id for source in sources)


class DescriptionRouter:
    """The source whose description is nearest to the question; guidelines unless another is nearer by `margin`."""

    def __init__(self, encoder: Encoder, *, margin: float = MARGIN) -> None:
        self._encoder = encoder
        self._margin = margin
        self._lock = threading.Lock()
        self._described: tuple[tuple[str, ...], Vectors] | None = None

    def choose(self, question: str, sources: Sequence[Source]) -> SourceId:
        """See `SourceRouter.choose`."""
        if len(sources) == 1:
            return sources[0].id
        scores = self.scores(question, sources)
        return max(sources, key=lambda source: scores[source.id]).id

    def near(self, question: str, sources: Sequence[Source]) -> tuple[SourceId, ...]:
        """All: a description rules out nothing that a trained model would choose."""
        del question
        return tuple(source.id for source in sources)

    def scores(self, question: str, sources: Sequence[Source]) -> dict[SourceId, float]:
        """Cosine of the question with each description, the margin added for guidelines."""
        (vector,) = self._encoder.encode_queries([question])
        cosines = np.asarray(self._descriptions(sources) @ vector, dtype=np.float64).tolist()
        return {
            source.id: cosine + (self._margin if source.id == GUIDELINES else 0.0)
            for source, cosine in zip(sources, cosines, strict=True)
        }

    def _descriptions(self, sources: Sequence[Source]) -> Vectors:
        texts = tuple(source.description for source in sources)
        with self._lock:
            if self._described is None or self._described[0] != texts:
                self._described = (texts, self._encoder.encode_queries(list(texts)))
            return self._described[1]


#: The largest cosine of a passage of each source with a question; a source that holds none is left out.
Nearest = Callable[[str, Sequence[SourceId]], Mapping[SourceId, float]]


class PassageRouter:
    """Another router's choice, but guidelines or information for patients by which of them has the nearer passage."""

    def __init__(self, described: SourceRouter, nearest: Nearest) -> None:
        self._described = described
        self._nearest = nearest

    def choose(self, question: str, sources: Sequence[Source]) -> SourceId:
        """See `SourceRouter.choose`."""
        chosen = self._described.choose(question, sources)
        offered = [source.id for source in sources if source.id in (GUIDELINES, PATIENT_INFORMATION, chosen)]
        if chosen == CODES or len(offered) == 1:
            return chosen
        near = self._nearest(question, offered)
        if GUIDELINES not in near:
            return chosen
        if (
            chosen not in (GUIDELINES, PATIENT_INFORMATION)
            and near.get(chosen, 0.0) >= near[GUIDELINES] - FARTHER_ELSEWHERE
        ):
            return chosen
        margin = NEARER_AS_DESCRIBED if chosen == PATIENT_INFORMATION else NEARER_FOR_PATIENTS
        for_patients = near.get(PATIENT_INFORMATION, 0.0) > near[GUIDELINES] + margin
        return PATIENT_INFORMATION if for_patients else GUIDELINES

    def near(self, question: str, sources: Sequence[Source]) -> tuple[SourceId, ...]:
        """All but guidelines or information for patients, where the nearest passage of the other is clearly nearer.

        See `SourceRouter.near`.
        """
        offered = tuple(source.id for source in sources)
        if GUIDELINES not in offered or PATIENT_INFORMATION not in offered:
            return offered
        cosines = self._nearest(question, (GUIDELINES, PATIENT_INFORMATION))
        ahead = cosines.get(PATIENT_INFORMATION, 0.0) - cosines.get(GUIDELINES, 0.0)
        if ahead > NEARER_FOR_PATIENTS:
            return tuple(name for name in offered if name != GUIDELINES)
        if ahead < -NEARER_FOR_GUIDELINES:
            return tuple(name for name in offered if name != PATIENT_INFORMATION)
        return offered


def router_for(encoder: Encoder, nearest: Nearest) -> SourceRouter:
    """The router measured with this encoder, or the first source where none was."""
    return PassageRouter(DescriptionRouter(encoder), nearest) if encoder.name == MARGIN_ENCODER else FirstSource()
