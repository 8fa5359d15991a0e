"""The agent, measured: every question through the real loop with each model, one table with paired intervals.

Asking needs a model's server; scoring is pure over recorded runs. Question and answer texts leave it in no report.
"""

from eval.agent.asking import Asked, Progress, ask_model, patient
from eval.agent.evaluating import QUESTIONS_FILE, evaluate_runs, found_models
from eval.agent.measures import MEASURES, Measure
from eval.agent.page import page
from eval.agent.plot import plot
from eval.agent.questions import AgentQuestion, chosen_keys, read_questions, write_questions
from eval.agent.reliability import worst_at_k
from eval.agent.report import AgentReport
from eval.agent.table import table

__all__ = [
    "MEASURES",
    "QUESTIONS_FILE",
    "AgentQuestion",
    "AgentReport",
    "Asked",
    "Measure",
    "Progress",
    "ask_model",
    "chosen_keys",
    "evaluate_runs",
    "found_models",
    "page",
    "patient",
    "plot",
    "read_questions",
    "table",
    "worst_at_k",
    "write_questions",
]
