"""If these fail, training is not what the files and the card say: another end after a kill, another update."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from training.stages import Base, Stage, StageConfig, StageFiles, StageRun, StepRecord, read_metrics, run_stage

from .conftest import many_rows, write_rows

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

ROOT = Path(__file__).parents[3]
CONFIG = StageConfig(
    learning_rate=1e-2,
    rank=4,
    alpha=8,
    rows_per_step=4,
    dev_rows=4,
    dev_checks=1,
    checkpoint_minutes=1e-6,
    processes=1,
    threads=1,
)


def stage_run(base: Path, folder: Path, name: str, config: StageConfig = CONFIG, **files: Any) -> StageRun:
    data = write_rows(folder / "rows.jsonl", many_rows(24))
    dev = write_rows(folder / "dev.jsonl", many_rows(6))
    return StageRun(
        stage=Stage.SFT,
        files=StageFiles(data=data, dev=dev, output=folder / name, **files),
        base=Base(path=str(base), name="tiny", sha256="0" * 64),
        config=config,
    )


def weights(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return load_file(folder / "adapter_model.safetensors")


class KilledError(Exception):
    pass


def test_a_run_that_was_stopped_ends_as_one_that_was_not(tiny_base: Path, tmp_path: Path) -> None:
    import torch

    card = run_stage(stage_run(tiny_base, tmp_path, "whole"))

    def stop_at_three(step: StepRecord) -> None:
        if step.step == 4:
            raise KilledError

    with pytest.raises(KilledError):
        run_stage(stage_run(tiny_base, tmp_path, "stopped"), report=stop_at_three)
    run_stage(stage_run(tiny_base, tmp_path, "stopped"))
    whole, stopped = weights(tmp_path / "whole"), weights(tmp_path / "stopped")
    assert whole.keys() == stopped.keys()
    assert all(torch.equal(whole[name], stopped[name]) for name in whole)
    assert [one.step for one in read_metrics(tmp_path / "stopped")] == [1, 2, 3, 4, 5, 6]
    assert card.steps == 6
    assert card.dev_loss is not None
    assert card.dev_loss_before is not None
    assert card.dev_loss < card.dev_loss_before
    assert not list((tmp_path / "stopped").glob("checkpoint-*"))


def test_two_processes_learn_what_one_does(tiny_base: Path, tmp_path: Path) -> None:
    import torch

    one = run_stage(stage_run(tiny_base, tmp_path, "one"))
    two = run_stage(stage_run(tiny_base, tmp_path, "two", CONFIG.model_copy(update={"processes": 2})))
    assert two.steps == one.steps
    losses = [[step.loss for step in read_metrics(tmp_path / name)] for name in ("one", "two")]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert two.dev_loss == pytest.approx(one.dev_loss, rel=0.02)
    # Single weights may differ: where a gradient is almost nothing, rounding decides the way an update goes.
    own, other = weights(tmp_path / "one"), weights(tmp_path / "two")
    flat = [torch.cat([held[name].float().ravel() for name in sorted(held)]) for held in (own, other)]
    assert torch.nn.functional.cosine_similarity(flat[0], flat[1], dim=0) > 0.9


def test_the_adapter_names_no_path_of_this_machine(tiny_base: Path, tmp_path: Path) -> None:
    run_stage(stage_run(tiny_base, tmp_path, "run"))
    for path in (tmp_path / "run").iterdir():
        if path.suffix in (".json", ".md", ".jsonl"):
            assert str(tmp_path) not in path.read_text(), path.name
            assert str(tiny_base) not in path.read_text(), path.name
    config = json.loads((tmp_path / "run" / "adapter_config.json").read_text())
    assert config["r"] == 4


def test_a_killed_command_goes_on_and_leaves_no_worker(tiny_base: Path, tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"processes": 2, "max_steps": 12})
    whole = run_stage(stage_run(tiny_base, tmp_path, "whole", config))
    run = stage_run(tiny_base, tmp_path, "killed", config)
    code = (
        "import sys; from training.stages import StageRun, run_stage; "
        "run_stage(StageRun.model_validate_json(sys.stdin.read()))"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin is not None
        process.stdin.write(run.model_dump_json())
        process.stdin.close()
        while len(read_metrics(run.files.output)) < 3:
            assert process.poll() is None
            time.sleep(0.05)
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.kill()
    assert len(workers) == 2
    deadline = time.monotonic() + 60
    while any(_running(worker) for worker in workers):
        assert time.monotonic() < deadline, "a worker outlived the command"
        time.sleep(0.05)
    again = run_stage(run)
    assert [one.step for one in read_metrics(run.files.output)] == list(range(1, 13))
    assert again.dev_loss == pytest.approx(whole.dev_loss, rel=0.02)


def _running(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
