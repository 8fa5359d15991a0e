"""The predicted queries that settings ask for, ready for an index to be built with."""

from __future__ import annotations

from retrieval import PredictedQueries, read_predicted_queries
from retrieval.predicted_queries import NO_PREDICTED_QUERIES, PACKAGED_PREDICTED_QUERIES
from service.settings import Settings


def predicted_queries(settings: Settings) -> PredictedQueries:
    """Those that come with the package and those written on this machine; none where they are off.

    Raises:
        CorpusError: a file of them cannot be read; the message names it and the line.
    """
    if settings.predicted_queries == "off":
        return NO_PREDICTED_QUERIES
    own = sorted(settings.predicted_dir.glob("*.jsonl"))
    return read_predicted_queries((*PACKAGED_PREDICTED_QUERIES, *own))
