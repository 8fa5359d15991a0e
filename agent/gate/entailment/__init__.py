"""Entailment: a learnt second opinion on whether a statement says what a sentence says.

The names below are the public ones. `network` imports torch and is imported only where a model is loaded.
"""

from agent.gate.entailment.base import EntailmentScorer, ScriptedEntailment, premise
from agent.gate.entailment.decision import Decision

__all__ = ["Decision", "EntailmentScorer", "ScriptedEntailment", "premise"]
