"""Figures of an evaluation of the agent, for the card of the adapter that was measured."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from eval.agent.report import AgentReport
from eval.retrieval.report import Estimate
from training.errors import TrainingConfigError
from training.stages.card import Figure


def figures_of(report_file: Path, model: str, adapter_sha256: str) -> tuple[Figure, ...]:
    """Every measure of one model in a report.json, in each group of questions, with the report's intervals.

    Args:
        model: its name in the report.
        adapter_sha256: of the card; a report that names another adapter is refused.

    Raises:
        TrainingConfigError: the report cannot be read, has no such model, or measured another adapter.
    """
    try:
        report = AgentReport.model_validate_json(report_file.read_bytes())
    except (OSError, ValidationError) as error:
        raise TrainingConfigError(f"{report_file.name} is no report of `clinsearch eval agent`.") from error
    names = [one.name for one in report.models]
    if model not in names:
        raise TrainingConfigError(f"{report_file.name} has no model {model}: it has {', '.join(names)}.")
    at = names.index(model)
    # "name@start of the hash", where the server's model was prepared here; a server elsewhere does not say.
    _, _, start = (report.models[at].adapter or "").partition("@")
    if start and not adapter_sha256.startswith(start):
        raise TrainingConfigError(f"{report_file.name} measured another adapter under the name {model}.")
    found = []
    for group in report.groups:
        for measure, of_models in group.figures.items():
            figure = of_models[at]
            if figure.estimate is not None:
                found.append(_figure(group.name, measure, figure.estimate, figure.questions))
    if report.reliability is not None:
        values = report.reliability.success[at].values
        for k in (1, len(values)):
            name = f"gold cited and nothing withheld, worst of {k}"
            found.append(_figure("reliability", name, values[k - 1], report.reliability.problems))
    return tuple(found)


def _figure(group: str, name: str, estimate: Estimate, questions: int) -> Figure:
    return Figure(set=group, name=name, value=estimate.mean, low=estimate.low, high=estimate.high, n=questions)
