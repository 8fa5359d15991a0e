"""The set of questions for training and testing: real ones, written ones, and ones built from the corpora."""

from training.questionset.build import SHARES, TRAIN_SHARES, BuildPlan, Built, build, overlaps
from training.questionset.evaluated import evaluated_sets
from training.questionset.facts import FactFinder
from training.questionset.judged import Judged, judged_questions
from training.questionset.library_words import LibraryWords
from training.questionset.parts import DocumentParts
from training.questionset.real import REAL_FILE, RealQuestionsError, read_real_questions, read_rows
from training.questionset.report import QuestionsReport, lines, markdown, report_of
from training.questionset.terms import PARTS, Part
from training.questionset.written import read_written_questions, written_questions

__all__ = [
    "PARTS",
    "REAL_FILE",
    "SHARES",
    "TRAIN_SHARES",
    "BuildPlan",
    "Built",
    "DocumentParts",
    "FactFinder",
    "Judged",
    "LibraryWords",
    "Part",
    "QuestionsReport",
    "RealQuestionsError",
    "build",
    "evaluated_sets",
    "judged_questions",
    "lines",
    "markdown",
    "overlaps",
    "read_real_questions",
    "read_rows",
    "read_written_questions",
    "report_of",
    "written_questions",
]
