"""What of a batch's runs is kept: everything that says something about the model or the question.

A run that was cancelled, or that ended because the model server was away, says nothing about either; it is not
kept and stays owed.
"""

from __future__ import annotations

from collections import Counter

from agent.errors import JournalError, ModelUnavailableError
from agent.journal import RolloutSink
from agent.rollout import Rollout, RolloutId


class BatchSink:
    """A journal between the agent and the real one."""

    def __init__(self, journal: RolloutSink) -> None:
        self._journal = journal
        self._kept: set[RolloutId] = set()
        #: The disk's refusal, once there was one; the agent itself only notes it.
        self.error: JournalError | None = None
        #: Runs dropped because the server was away.
        self.outages = 0
        self.stop_reasons: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.searches = 0
        self.prompt_tokens = 0
        self.completion_tokens = 0

    def append(self, rollout: Rollout) -> None:
        """Keep a run, or leave it owed. Raises JournalError."""
        codes = [failure.code for failure in rollout.outcome.failures]
        if rollout.outcome.status == "aborted":
            return
        if ModelUnavailableError.code in codes:
            self.outages += 1
            return
        try:
            self._journal.append(rollout)
        except JournalError as error:
            self.error = error
            raise
        self._kept.add(rollout.rollout_id)
        self.stop_reasons[str(rollout.outcome.stop_reason or rollout.outcome.status)] += 1
        self.failures.update(codes)
        self.searches += rollout.outcome.searches
        self.prompt_tokens += sum(step.usage.prompt_tokens or 0 for step in rollout.steps)
        self.completion_tokens += sum(step.usage.completion_tokens or 0 for step in rollout.steps)

    def took(self, rollout_id: RolloutId) -> bool:
        """Whether a finished run was kept; asked once for each run."""
        if rollout_id in self._kept:
            self._kept.remove(rollout_id)
            return True
        return False
