"""Reranking: a second look at the first candidates of a search, question and passage read together.

The names below are the public ones. `network` imports torch and is imported only where a model is loaded.
"""

from retrieval.reranking.adapter import AdapterCard, SetFigure, helps, read_card, revise_card, save_adapter
from retrieval.reranking.base import Reranker, ScriptedReranker
from retrieval.reranking.base_model import BaseModel
from retrieval.reranking.cross_encoder import PACKAGED_ADAPTER, CrossEncoderReranker
from retrieval.reranking.pair_network import PairNetwork
from retrieval.reranking.stage import (
    LONGEST_DEADLINE_MS,
    NotReranked,
    Reranked,
    RerankSettings,
    RerankStage,
    mixed_order,
)
from retrieval.reranking.text import RERANKED_TEXT_VERSION, reranked_text

__all__ = [
    "LONGEST_DEADLINE_MS",
    "PACKAGED_ADAPTER",
    "RERANKED_TEXT_VERSION",
    "AdapterCard",
    "BaseModel",
    "CrossEncoderReranker",
    "NotReranked",
    "PairNetwork",
    "RerankSettings",
    "RerankStage",
    "Reranked",
    "Reranker",
    "ScriptedReranker",
    "SetFigure",
    "helps",
    "mixed_order",
    "read_card",
    "reranked_text",
    "revise_card",
    "save_adapter",
]
