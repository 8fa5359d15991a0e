"""Runs of a batch between the agent that made them and the journal that keeps them.

A run that was cancelled, or that ended because the model server was away, says nothing about the model or the
question; it is not kept and stays owed. Every other one is kept, however it ended.
"""

from __future__ import annotations

from collections.abc import Sequence

from agent.batch.errors import BatchError
from agent.batch.tally import Tally
from agent.errors import JournalError, ModelUnavailableError
from agent.journal import RolloutSink
from agent.rollout import Rollout, RolloutId


class BatchSink(Tally):
    """Takes runs from the agent as they end; the batch collects each and says when it is written."""

    def __init__(self, journal: RolloutSink) -> None:
        super().__init__()
        self._journal = journal
        self._ended: dict[RolloutId, Rollout] = {}

    def append(self, rollout: Rollout) -> None:
        """Hold a run until it is collected; one that was cancelled is dropped."""
        if rollout.outcome.status != "aborted":
            self._ended[rollout.rollout_id] = rollout

    def collect(self, rollout_id: RolloutId) -> Rollout | None:
        """The run that ended, or None where the model server was away and it is to be made again."""
        rollout = self._ended.pop(rollout_id)
        away = any(failure.code == ModelUnavailableError.code for failure in rollout.outcome.failures)
        return None if away else rollout

    def write(self, rollouts: Sequence[Rollout]) -> None:
        """Put runs into the journal, in this order, and count them.

        Raises:
            BatchError: the journal refused one.
        """
        for rollout in rollouts:
            try:
                self._journal.append(rollout)
            except JournalError as error:
                raise BatchError(
                    f"A run could not be written: {error}. Free some space and run the command again."
                ) from error
            self.add(rollout)
