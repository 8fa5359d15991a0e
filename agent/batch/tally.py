"""Sums over runs that were kept."""

from __future__ import annotations

from collections import Counter

from agent.rollout import Rollout


class Tally:
    """How runs ended, and what they took."""

    def __init__(self) -> None:
        self.stop_reasons: Counter[str] = Counter()
        #: Failures that were handled inside the runs, by code.
        self.failures: Counter[str] = Counter()
        self.searches = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0
        #: Runs that are the first turn of their episode: askings.
        self.askings = 0

    def add(self, rollout: Rollout) -> None:
        """Count one run."""
        self.stop_reasons[str(rollout.outcome.stop_reason or rollout.outcome.status)] += 1
        self.failures.update(failure.code for failure in rollout.outcome.failures)
        self.searches += rollout.outcome.searches
        self.prompt_tokens += sum(step.usage.prompt_tokens or 0 for step in rollout.steps)
        self.completion_tokens += sum(step.usage.completion_tokens or 0 for step in rollout.steps)
        self.askings += rollout.provenance.episode in (None, rollout.task_key)
