"""What defines a local encoder: a model for queries, one for passages, and how texts become vectors.

Everything here decides vectors, and so stands in the fingerprint, except `precision` and `batch_tokens`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

#: "mean" of all tokens, the first token ("cls"), or the last one ("last", of models that read left to right).
Pooling = Literal["mean", "cls", "last"]
#: Of passages; queries are always fp32. "auto": bf16 where the CPU multiplies it natively.
Precision = Literal["auto", "bf16", "fp32"]


class TowerConfig(BaseModel):
    """One model and how it is fed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: A directory in the transformers layout, or a hub id ("org/name"), which is then downloaded once.
    model: str
    pooling: Pooling
    #: Tokens after which a text is cut, prefix and marks of beginning and end included.
    max_tokens: Annotated[int, Field(ge=8)]
    #: Put before every text, as it stands.
    prefix: str = ""
    #: Where a text is cut into a title and a body, given to the model as a pair; None: one text.
    pair_separator: str | None = None


class EncoderConfig(BaseModel):
    """A local encoder. A symmetric one has the same tower twice."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    queries: TowerConfig
    passages: TowerConfig
    #: Leading components that are kept (Matryoshka); None keeps all.
    dimension: Annotated[int | None, Field(ge=2)] = None
    precision: Precision = "auto"
    #: Tokens in one forward pass, padding included: bounds memory, and more is not faster on CPUs.
    batch_tokens: Annotated[int, Field(ge=8)] = 4096
