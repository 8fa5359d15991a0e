"""Runs of the same question, the good ones apart from those to teach against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from agent import Rollout
from training.export.rows import ExportReport, Refusal
from training.judging import Fault, Limits, Questions, fault, question_of

#: Runs by the key of their question, in the order they came.
ByQuestion = Mapping[str, list[Rollout]]


def good_and_bad(
    rollouts: Iterable[Rollout], questions: Questions, rules: Limits, taught: Collection[Fault], report: ExportReport
) -> tuple[ByQuestion, ByQuestion]:
    """Good runs, and those with a fault that is `taught` against; others are left out, refused consent is counted."""
    good: dict[str, list[Rollout]] = defaultdict(list)
    bad: dict[str, list[Rollout]] = defaultdict(list)
    for rollout in rollouts:
        if any(step.explored for step in rollout.steps):
            report.refused[Refusal.EXPLORED] += 1
            continue
        found = fault(rollout, question_of(rollout, questions), rules)
        if found is Fault.NO_CONSENT:
            report.refused[Refusal.NO_CONSENT] += 1
        elif found is None:
            good[rollout.task_key].append(rollout)
        elif found in taught:
            bad[rollout.task_key].append(rollout)
    return good, bad
