"""Training of the reranker: written and real questions, hard negatives of the search, an adapter with its card.

The names below are the public ones. Torch is imported when a run begins to train.
"""

from training.errors import CheckpointError, TrainingConfigError, TrainingDataError, TrainingError
from training.reranker.card import card_text
from training.reranker.choosing import DevQuestion, Scores, best_weight, candidate_scores, reciprocal_ranks
from training.reranker.config import RerankerConfig, read_config
from training.reranker.groups import Group
from training.reranker.material import Material
from training.reranker.passage_questions import CASE_QUESTIONS_FILE, PassageQuestion, read_passage_questions
from training.reranker.questions import RankedQuestion
from training.reranker.run import is_prepared, kept, kept_none_score, prepare_data, read_data, run_training
from training.reranker.steps import StepReport

__all__ = [
    "CASE_QUESTIONS_FILE",
    "CheckpointError",
    "DevQuestion",
    "Group",
    "Material",
    "PassageQuestion",
    "RankedQuestion",
    "RerankerConfig",
    "Scores",
    "StepReport",
    "TrainingConfigError",
    "TrainingDataError",
    "TrainingError",
    "best_weight",
    "candidate_scores",
    "card_text",
    "is_prepared",
    "kept",
    "kept_none_score",
    "prepare_data",
    "read_config",
    "read_data",
    "read_passage_questions",
    "reciprocal_ranks",
    "run_training",
]
