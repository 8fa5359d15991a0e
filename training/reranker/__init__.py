"""Training of the reranker: questions from the corpora, graded answers, a low-rank adapter with its card.

The names below are the public ones. Torch and peft are imported when a run begins to train.
"""

from training.decontamination import Contamination, Evaluated
from training.errors import CheckpointError, TrainingConfigError, TrainingDataError, TrainingError
from training.reranker.card import card_text
from training.reranker.config import RerankerConfig, read_config
from training.reranker.dataset import GradedQuestion
from training.reranker.groups import Group
from training.reranker.run import TrainedAdapter, kept, prepare_data, read_data, run_training
from training.reranker.steps import StepReport

__all__ = [
    "CheckpointError",
    "Contamination",
    "Evaluated",
    "GradedQuestion",
    "Group",
    "RerankerConfig",
    "StepReport",
    "TrainedAdapter",
    "TrainingConfigError",
    "TrainingDataError",
    "TrainingError",
    "card_text",
    "kept",
    "prepare_data",
    "read_config",
    "read_data",
    "run_training",
]
