"""Answers, measured: what is shown, and what the gate and the search are worth, on the same questions in one run.

Asking needs a model's server; scoring is pure over recorded runs. Question and answer texts leave it in no report.
"""

from eval.answers.arms import WITHOUT_SEARCH, Arm, Ending, ReadAnswer, ReadSentence, read_answer
from eval.answers.asking import ask_alone, ask_searching
from eval.answers.coverage import (
    Agreement,
    CoverageScorer,
    EncoderCoverage,
    LabelledPair,
    LexicalCoverage,
    agreement,
)
from eval.answers.evaluating import evaluate_answers, models_in
from eval.answers.measures import MEASURES
from eval.answers.number_check import CheckedNumber, Standing, check_numbers
from eval.answers.page import page
from eval.answers.report import AnswersReport
from eval.answers.scoring import Scorers
from eval.answers.sets import SETS, write_rows
from eval.answers.support import LexicalSupport, SupportJudge

__all__ = [
    "MEASURES",
    "SETS",
    "WITHOUT_SEARCH",
    "Agreement",
    "AnswersReport",
    "Arm",
    "CheckedNumber",
    "CoverageScorer",
    "EncoderCoverage",
    "Ending",
    "LabelledPair",
    "LexicalCoverage",
    "LexicalSupport",
    "ReadAnswer",
    "ReadSentence",
    "Scorers",
    "Standing",
    "SupportJudge",
    "agreement",
    "ask_alone",
    "ask_searching",
    "check_numbers",
    "evaluate_answers",
    "models_in",
    "page",
    "read_answer",
    "write_rows",
]
