"""Rollouts as files that TRL's trainers take without conversion."""

from training.export.preference import divergence_pairs, thumbs_rows
from training.export.rendering import Renderer, TokenizerRenderer
from training.export.rows import Export, ExportReport, Refusal, standing
from training.export.supervised import message_rows, prompt_rows, token_rows
from training.export.trajectory import trajectory_pairs

__all__ = [
    "Export",
    "ExportReport",
    "Refusal",
    "Renderer",
    "TokenizerRenderer",
    "divergence_pairs",
    "message_rows",
    "prompt_rows",
    "standing",
    "thumbs_rows",
    "token_rows",
    "trajectory_pairs",
]
