"""Encoders: texts to unit vectors, one module each; `base` says what they share."""

from retrieval.encoders.base import EncodeProgress, Encoder, Vectors, unit_rows
from retrieval.encoders.hashing import HashingEncoder
from retrieval.encoders.minilm import MiniLmEncoder

__all__ = ["EncodeProgress", "Encoder", "HashingEncoder", "MiniLmEncoder", "Vectors", "unit_rows"]
