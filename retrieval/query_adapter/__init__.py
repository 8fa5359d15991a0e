"""Query adapters: queries of some sources encoded by weights of their own, passages and their vectors as they are.

A clinician's question and the recommendation that answers it often share no word and no wording. An encoder that was
trained on sentences of like meaning does not know that; one side of it can learn it without a passage being encoded
anew. `base` is what the search is given, `adapter` what lies on disk, `encoder` the real one, `minilm_adapter/` the
adapter that ships.
"""

from retrieval.query_adapter.adapter import (
    QUERY_ADAPTERS,
    QueryAdapterCard,
    QueryFigure,
    query_adapter_helps,
    save_query_adapter,
)
from retrieval.query_adapter.base import AdaptedQueries, QueryEncoder
from retrieval.query_adapter.encoder import PACKAGED_QUERY_ADAPTER, MiniLmQueryEncoder

__all__ = [
    "PACKAGED_QUERY_ADAPTER",
    "QUERY_ADAPTERS",
    "AdaptedQueries",
    "MiniLmQueryEncoder",
    "QueryAdapterCard",
    "QueryEncoder",
    "QueryFigure",
    "query_adapter_helps",
    "save_query_adapter",
]
