"""Training of the gate's entailment scorer.

The names below are the public ones. `train` imports torch and is imported only where it trains.
"""

from training.entailment.config import EntailmentConfig, read_config
from training.entailment.dataset import Pair, training_pairs
from training.entailment.deciding import Objected, choose_decision
from training.entailment.run import decide, train_scorer
from training.entailment.sentences import (
    LabelledSentence,
    WrittenSentences,
    labelled,
    read_written_sentences,
)

__all__ = [
    "EntailmentConfig",
    "LabelledSentence",
    "Objected",
    "Pair",
    "WrittenSentences",
    "choose_decision",
    "decide",
    "labelled",
    "read_config",
    "read_written_sentences",
    "train_scorer",
    "training_pairs",
]
