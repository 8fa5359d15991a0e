"""Predicted queries: a recommendation is also found by what clinicians are likely to ask for it with.

A question and the recommendation that answers it often share neither words nor meaning as an encoder sees it ("61M,
third stent, how long on both?" and "continue dual antiplatelet therapy for at least 12 months"); two questions for one
recommendation mostly do. So questions are written for each recommendation once, ahead of any search, and a query is
held against those as well as against the passage (Nogueira, Yang, Lin, Cho: "Document Expansion by Query Prediction",
2019; here the queries have vectors of their own instead of adding words to the passage). They are searched, never
shown and never cited: what a clinician reads is the recommendation.

`reading` is what lies on disk (`queries/`, written by language models, see `docs/adr/0037`), `table` the vectors of
one index, `weighing` what a match counts in the order of a search.
"""

from retrieval.predicted_queries.reading import (
    NO_PREDICTED_QUERIES,
    PACKAGED_PREDICTED_QUERIES,
    PredictedFor,
    PredictedQueries,
    predicted_hash,
    read_predicted_queries,
)
from retrieval.predicted_queries.table import PredictedMatch, PredictedQueryTable
from retrieval.predicted_queries.weighing import DEFAULT_PREDICTED, PredictedSettings, weighed

__all__ = [
    "DEFAULT_PREDICTED",
    "NO_PREDICTED_QUERIES",
    "PACKAGED_PREDICTED_QUERIES",
    "PredictedFor",
    "PredictedMatch",
    "PredictedQueries",
    "PredictedQueryTable",
    "PredictedSettings",
    "predicted_hash",
    "read_predicted_queries",
    "weighed",
]
