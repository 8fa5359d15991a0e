"""Retrieval, measured: question sets with judgements, systems, measures with intervals, one table.

The names below are the public ones. It reads `retrieval` and never changes an index; question and passage texts
leave it in no record.
"""

from eval.retrieval.bootstrap import Interval, mean_interval, paired_difference
from eval.retrieval.errors import (
    EvaluationError,
    ExtraMissingError,
    OutputError,
    SetInvalidError,
    SetMissingError,
    UnknownSystemError,
)
from eval.retrieval.indexed import MeasuredReranking
from eval.retrieval.measures import MEASURES, Measure, all_measures
from eval.retrieval.plot import check_plot, plot
from eval.retrieval.question_set import Query, QuestionSet
from eval.retrieval.report import RetrievalReport
from eval.retrieval.run import evaluate_retrieval
from eval.retrieval.sets import NAMED_SETS, load_set
from eval.retrieval.systems import SYSTEMS, checked_systems
from eval.retrieval.table import ORACLE_TOLERANCE, table

__all__ = [
    "MEASURES",
    "NAMED_SETS",
    "ORACLE_TOLERANCE",
    "SYSTEMS",
    "EvaluationError",
    "ExtraMissingError",
    "Interval",
    "Measure",
    "MeasuredReranking",
    "OutputError",
    "Query",
    "QuestionSet",
    "RetrievalReport",
    "SetInvalidError",
    "SetMissingError",
    "UnknownSystemError",
    "all_measures",
    "check_plot",
    "checked_systems",
    "evaluate_retrieval",
    "load_set",
    "mean_interval",
    "paired_difference",
    "plot",
    "table",
]
