"""The whole loop as a list of commands: from the library at hand to an adapter, done again after a prompt change.

Each step is a `clinsearch` command that anyone can give by hand. A step that was finished is not done again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from training.config_file import first_fault, read_config_file
from training.errors import TrainingConfigError
from training.stages.config import Stage, StageConfig, read_stage_config

_Count = Annotated[int, Field(ge=1)]


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Questions(_Settings):
    """How many are made; the test part is for `clinsearch eval agent` and is never trained on."""

    train: _Count = 900
    dev: _Count = 200
    test: Annotated[int, Field(ge=0)] = 300
    seed: int = 0
    #: Whether the questions written for this project are trained on too.
    written: bool = True


class OwnRuns(_Settings):
    """The trained model's own runs, from which it learns on."""

    #: Questions of the train part, evenly spread, and runs of each.
    questions: _Count = 600
    n: _Count = 4
    temperature: Annotated[float, Field(ge=0, le=2)] = 0.8
    concurrency: _Count = 16


class LoopConfig(_Settings):
    """The whole loop; what is not said of a stage is as that stage ships."""

    questions: Questions = Questions()
    own_runs: OwnRuns = OwnRuns()
    max_tokens: _Count = 3072
    sft: dict[str, Any] = Field(default_factory=dict)
    selfdistill: dict[str, Any] = Field(default_factory=dict)
    dpo: dict[str, Any] = Field(default_factory=dict)

    def stage(self, stage: Stage) -> StageConfig:
        """Settings of a stage.

        Raises:
            TrainingConfigError: one is unknown or out of range.
        """
        own: dict[str, Any] = getattr(self, stage)
        try:
            return StageConfig.model_validate(read_stage_config(stage).model_dump() | own)
        except ValidationError as error:
            raise TrainingConfigError(f"In the config of the loop, {stage}: {first_fault(error)}.") from error


def read_loop_config(path: Path | None = None) -> LoopConfig:
    """The config in a TOML file; the one that ships where none is named.

    Raises:
        TrainingConfigError: it cannot be read, or a value is unknown or out of range.
    """
    config = read_config_file(path or Path(__file__).with_name("loop.toml"), LoopConfig)
    for stage in Stage:
        config.stage(stage)
    return config


@dataclass(frozen=True, slots=True)
class Step:
    """One command of the loop."""

    name: str
    command: tuple[str, ...]
    #: Removed before the step is done again: the command wants it empty.
    fresh: Path | None = None
    #: The adapter whose model must be served while it runs.
    served: Path | None = None


def steps(folder: Path, config: LoopConfig, base: Path, sample: Path) -> list[Step]:
    """The loop in order.

    Args:
        base: prepared model without adapter.
        sample: where the questions of the own runs will be.
    """
    made, teacher, own = folder / "questions", folder / "teacher", folder / "own"
    train, dev = made / "train.jsonl", made / "dev.jsonl"
    count = config.questions
    at_most = ("--max-tokens", str(config.max_tokens), "--model-dir", str(base))
    found = [
        Step(
            "questions",
            (
                *("questions", "build", "--output", str(made), "--seed", str(count.seed)),
                *("--train", str(count.train), "--dev", str(count.dev), "--test", str(count.test)),
                *(() if count.written else ("--no-written",)),
            ),
        )
    ]
    for part, file in (("train", train), ("dev", dev)):
        runs, kept = teacher / part, teacher / f"{part}-kept"
        found.append(Step(f"teacher-{part}", ("rollouts", "generate", "--policy", "teacher", *_of(file), *_to(runs))))
        # Runs of the dev part measure a loss and train nothing; the filter keeps no run that is for evaluation.
        source = runs if part == "dev" else kept
        if source is kept:
            filtered = ("rollouts", "filter", str(runs), *_of(file), *_to(kept))
            found.append(Step(f"filter-{part}", filtered, fresh=kept))
        exported = (*("rollouts", "export", str(source), "--format", "sft-tokens"), *_to(teacher / f"{part}.jsonl"))
        found.append(Step(f"export-{part}", (*exported, *at_most)))
    held = ("--dev", str(teacher / "dev.jsonl"), "--base", str(base))
    adapters = {stage: folder / stage for stage in Stage}
    runs, kept, rows, pairs = own / "runs", own / "kept", own / "rows.jsonl", own / "pairs.jsonl"
    policy = config.own_runs
    found += [
        Step("sft", _stage(folder, Stage.SFT, teacher / "train.jsonl", *held)),
        Step(
            "own-runs",
            (
                *("rollouts", "generate", "--policy", "model", *_of(sample), *_to(runs), "--n", str(policy.n)),
                *("--temperature", str(policy.temperature), "--concurrency", str(policy.concurrency)),
            ),
            served=adapters[Stage.SFT],
        ),
        Step("filter-own", ("rollouts", "filter", str(runs), *_of(train), *_to(kept)), fresh=kept),
        Step("export-own", ("rollouts", "export", str(kept), "--format", "sft-tokens", *_to(rows), *at_most)),
        Step("export-pairs", ("rollouts", "export", str(runs), "--format", "dpo", *_of(train), *_to(pairs), *at_most)),
        Step(
            "selfdistill",
            _stage(
                *(folder, Stage.SELFDISTILL, rows, *held, "--init", str(adapters[Stage.SFT])),
                *("--earlier", str(teacher / "train.jsonl")),
            ),
        ),
        Step(
            "dpo",
            _stage(folder, Stage.DPO, pairs, "--base", str(base), "--init", str(adapters[Stage.SELFDISTILL])),
        ),
    ]
    return found


def stage_config_file(folder: Path, stage: Stage) -> Path:
    """Where the loop writes a stage's settings for its command."""
    return folder / f"{stage}.toml"


def config_toml(config: StageConfig) -> str:
    """A config as TOML; it holds numbers only."""
    return "".join(f"{name} = {value}\n" for name, value in config.model_dump(mode="json").items())


def _stage(folder: Path, stage: Stage, data: Path, *more: str) -> tuple[str, ...]:
    config = stage_config_file(folder, stage)
    return ("train", stage, "--data", str(data), "--output", str(folder / stage), "--config", str(config), *more)


def _of(questions: Path) -> tuple[str, str]:
    return "--questions", str(questions)


def _to(output: Path) -> tuple[str, str]:
    return "--output", str(output)
