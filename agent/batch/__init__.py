"""Batch rollouts: many questions through the same agent the service uses, resumable after any kill."""

from agent.batch.errors import BatchError, TaskError
from agent.batch.generate import BatchProgress, BatchSettings, FollowUp, generate
from agent.batch.ledger import Ledger
from agent.batch.plan import BatchPlan, hold_plan
from agent.batch.sink import BatchSink
from agent.batch.summary import BatchSummary
from agent.batch.tasks import ALL_SHARDS, BadLine, BatchTask, Shard, count_lines, read_tasks

__all__ = [
    "ALL_SHARDS",
    "BadLine",
    "BatchError",
    "BatchPlan",
    "BatchProgress",
    "BatchSettings",
    "BatchSink",
    "BatchSummary",
    "BatchTask",
    "FollowUp",
    "Ledger",
    "Shard",
    "TaskError",
    "count_lines",
    "generate",
    "hold_plan",
    "read_tasks",
]
