"""Reranking: a second look at the first candidates of a search, question and passage read together.

The names below are the public ones.
"""

from retrieval.reranking.base_model import BaseModel
from retrieval.reranking.text import RERANKED_TEXT_VERSION, reranked_text

__all__ = ["BaseModel", "RERANKED_TEXT_VERSION", "reranked_text"]
