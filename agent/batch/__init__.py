"""Batch rollouts: many questions through the same agent the service uses, resumable after any kill."""

from agent.batch.dispatch import (
    Advanced,
    Failed,
    Finished,
    Lost,
    ShardResult,
    ShardRunner,
    WorkerEvent,
    WorkerPool,
    dispatch,
)
from agent.batch.errors import BatchError, TaskError
from agent.batch.generate import Asker, BatchProgress, BatchSettings, FollowUp, generate
from agent.batch.ledger import Ledger
from agent.batch.plan import PLAN_FILE, BatchPlan, check_plan, hold_plan
from agent.batch.ray_pool import RayPool
from agent.batch.sink import BatchSink
from agent.batch.summary import BatchSummary
from agent.batch.tally import Tally
from agent.batch.tasks import ALL_SHARDS, BadLine, BatchTask, Shard, count_lines, read_tasks

__all__ = [
    "ALL_SHARDS",
    "PLAN_FILE",
    "Advanced",
    "Asker",
    "BadLine",
    "BatchError",
    "BatchPlan",
    "BatchProgress",
    "BatchSettings",
    "BatchSink",
    "BatchSummary",
    "BatchTask",
    "Failed",
    "Finished",
    "FollowUp",
    "Ledger",
    "Lost",
    "RayPool",
    "Shard",
    "ShardResult",
    "ShardRunner",
    "Tally",
    "TaskError",
    "WorkerEvent",
    "WorkerPool",
    "check_plan",
    "count_lines",
    "dispatch",
    "generate",
    "hold_plan",
    "read_tasks",
]
