"""The query adapter of the search: from clinicians' questions with the passages that answer them to an adapter.

`examples` says what is learnt from, `train` learns it (with torch, imported when it is called), `run` chooses how much
is kept and writes the adapter with its cards.
"""

from training.query_adapter.card import query_card_text
from training.query_adapter.config import QueryAdapterConfig, read_query_config
from training.query_adapter.examples import SOURCE, Example, Pool, build_examples, examples_hash, read_pool
from training.query_adapter.run import choose_share, encoded, reciprocal_ranks, train_adapter

__all__ = [
    "SOURCE",
    "Example",
    "Pool",
    "QueryAdapterConfig",
    "build_examples",
    "choose_share",
    "encoded",
    "examples_hash",
    "query_card_text",
    "read_pool",
    "read_query_config",
    "reciprocal_ranks",
    "train_adapter",
]
