"""Support: how well a passage bears a sentence out, as one number between 0 and 1.

The gate's own support is lexical: the share of a sentence's words that the statement has, words of the frame left out.
A scorer of another make may be put beside it, an encoder's nearness here, an entailment model later. The lower of the
two counts, so a scorer can only make the gate stricter. An encoder takes longer than the gate may, so none is used
unless one is given. The thresholds and the table they were chosen by stand in `support_thresholds.yaml`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from retrieval import Encoder
from retrieval.data_files import read_yaml

THRESHOLDS_FILE = Path(__file__).with_name("support_thresholds.yaml")


class SupportThresholds(BaseModel):
    """What `support_thresholds.yaml` holds; its comments say how it was chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lexical: float = Field(ge=0, le=1)
    nearness: float = Field(ge=0, le=1)
    #: Kind of pair to (withheld, all), on the development pairs.
    table: dict[str, tuple[int, int]]


@cache
def support_thresholds() -> SupportThresholds:
    """The thresholds that ship with the package."""
    return SupportThresholds.model_validate(read_yaml(THRESHOLDS_FILE))


#: Least support with which a sentence is shown.
MIN_SUPPORT = support_thresholds().lexical


class SupportScorer(Protocol):
    """Anything that says how well a passage supports a sentence."""

    def score(self, sentence: str, passage: str) -> float:
        """From 0 (not at all) to 1 (says the same); `MIN_SUPPORT` is where it begins to be enough."""
        ...


class EncoderSupport:
    """Nearness in meaning by an encoder, put on the gate's scale so that its threshold falls on `MIN_SUPPORT`."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def score(self, sentence: str, passage: str) -> float:
        """The two texts' cosine, stretched piece by piece: 0 to 0, the threshold to `MIN_SUPPORT`, 1 to 1."""
        (asked,) = self._encoder.encode_queries([sentence])
        (held,) = self._encoder.encode_passages([passage])
        cosine = min(max(float(asked @ held), 0.0), 1.0)
        least = support_thresholds().nearness
        if cosine < least:
            return cosine / least * MIN_SUPPORT
        return MIN_SUPPORT + (cosine - least) / (1 - least) * (1 - MIN_SUPPORT) if least < 1 else MIN_SUPPORT
