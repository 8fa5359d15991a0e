"""What a run tells while it goes on: one record a step, kept as metrics.jsonl and drawn as a plot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

METRICS = "metrics.jsonl"


class StepRecord(BaseModel):
    """One update of the weights."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    step: int
    steps: int
    #: Mean over the tokens that carry loss (of a pair: the stage's whole loss).
    loss: float
    learning_rate: float
    #: All tokens that were computed, since the step before.
    tokens_per_s: float
    #: Seconds in steps so far, over all calls that the run took.
    seconds: float
    #: Of held-out rows, where they were measured after this step.
    dev_loss: float | None = None
    #: DPO: share of pairs whose chosen words became more likely than the rejected ones.
    reward_accuracy: float | None = None


Report = Callable[[StepRecord], None]


def read_metrics(folder: Path, *, up_to: int | None = None) -> list[StepRecord]:
    """Records of a run, oldest first; of a step that was done twice, the later one. A torn last line is left out."""
    try:
        lines = (folder / METRICS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found: dict[int, StepRecord] = {}
    for line in lines:
        try:
            record = StepRecord.model_validate_json(line)
        except ValidationError:
            continue
        if up_to is None or record.step <= up_to:
            found[record.step] = record
    return [found[step] for step in sorted(found)]


def write_metrics(folder: Path, records: list[StepRecord]) -> None:
    """Replace what the folder holds."""
    text = "".join(json.dumps(record.model_dump(exclude_none=True)) + "\n" for record in records)
    part = folder / f"{METRICS}.part"
    part.write_text(text, encoding="utf-8")
    part.replace(folder / METRICS)


def append_metrics(folder: Path, record: StepRecord) -> None:
    """One more line."""
    with (folder / METRICS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record.model_dump(exclude_none=True)) + "\n")
