"""Training the agent's model: supervised, self-distilled, preferred; each stage an adapter with its card.

TRL and PEFT do the training. What is here is what they leave open: rows checked, the gate frozen, checkpoints by the
clock, a head and low-rank layers that a CPU can afford, and the card.
"""

from training.errors import (
    CheckpointError,
    GateChangedError,
    TrainingConfigError,
    TrainingDataError,
    TrainingError,
)
from training.stages.card import (
    Figure,
    TrainedAdapterCard,
    card_text,
    read_trained_card,
    with_caution,
    with_figures,
    write_card,
)
from training.stages.config import Stage, StageConfig, read_stage_config
from training.stages.gate_hash import gate_files, gate_sha256, require_same_gate
from training.stages.pairs import Pair, describe_pairs, read_pairs
from training.stages.progress import StepRecord, read_metrics
from training.stages.rows import DataFile, TokenRow, describe, mixed, read_token_rows
from training.stages.run import is_finished, run_stage
from training.stages.spec import Base, StageFiles, StageRun

__all__ = [
    "Base",
    "CheckpointError",
    "DataFile",
    "Figure",
    "GateChangedError",
    "Pair",
    "Stage",
    "StageConfig",
    "StageFiles",
    "StageRun",
    "StepRecord",
    "TokenRow",
    "TrainedAdapterCard",
    "TrainingConfigError",
    "TrainingDataError",
    "TrainingError",
    "card_text",
    "describe",
    "describe_pairs",
    "gate_files",
    "gate_sha256",
    "is_finished",
    "mixed",
    "read_metrics",
    "read_pairs",
    "read_stage_config",
    "read_token_rows",
    "read_trained_card",
    "require_same_gate",
    "run_stage",
    "with_caution",
    "with_figures",
    "write_card",
]
