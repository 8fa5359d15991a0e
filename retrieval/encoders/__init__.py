"""Encoders: texts to unit vectors, one module each; `base` says what they share, `choice` which one is used."""

from retrieval.encoders.base import EncodeProgress, Encoder, Vectors, unit_rows
from retrieval.encoders.choice import UNPROVEN, EncoderKind, EncoderOptions, make_encoder
from retrieval.encoders.config import EncoderConfig, Pooling, Precision, TowerConfig
from retrieval.encoders.hashing import HashingEncoder
from retrieval.encoders.local import LocalEncoder
from retrieval.encoders.minilm import MiniLmEncoder
from retrieval.encoders.remote import RemoteConfig, RemoteEncoder

__all__ = [
    "UNPROVEN",
    "EncodeProgress",
    "Encoder",
    "EncoderConfig",
    "EncoderKind",
    "EncoderOptions",
    "HashingEncoder",
    "LocalEncoder",
    "MiniLmEncoder",
    "Pooling",
    "Precision",
    "RemoteConfig",
    "RemoteEncoder",
    "TowerConfig",
    "Vectors",
    "make_encoder",
    "unit_rows",
]
