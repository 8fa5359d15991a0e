"""The loop, small: fifty questions, ten steps of each stage, one command, on a CPU with a model of random weights.

If this fails, a change of the prompt leaves the product without a model, because nobody can make the next one.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent.client import CompletionRequest
from agent.scripted import ByTurn
from training.stages import Stage, TrainingConfigError, read_metrics, read_trained_card
from training.stages.loop import LoopConfig, config_toml, read_loop_config, steps

from ...training.stages.conftest import tiny_base  # noqa: F401 - a fixture
from .scripted_server import scripted_server

ROOT = Path(__file__).parents[3]
SMALL = """
max_tokens = 30000
[questions]
train = 50
dev = 6
test = 10
written = false
[own_runs]
questions = 50
n = 2
[sft]
max_steps = 10
rank = 4
rows_per_step = 2
max_tokens = 30000
processes = 2
dev_rows = 4
dev_checks = 0
[selfdistill]
max_steps = 10
rows_per_step = 2
max_tokens = 30000
processes = 1
dev_rows = 4
dev_checks = 0
[dpo]
max_steps = 10
rows_per_step = 2
max_tokens = 30000
processes = 1
"""


def test_the_loop_that_ships_can_be_read_and_feeds_each_step_with_an_earlier_one(tmp_path: Path) -> None:
    config = read_loop_config()
    plan = steps(tmp_path, config, Path("base"), tmp_path / "own" / "questions.jsonl")
    assert len({step.name for step in plan}) == len(plan)
    assert [step.name for step in plan if step.name in list(Stage)] == list(Stage)
    made = {str(tmp_path / "own" / "questions.jsonl"), *(str(tmp_path / f"{stage}.toml") for stage in Stage)}
    for step in plan:
        reads = [word for word in step.command if word.startswith(str(tmp_path))]
        writes = step.command[step.command.index("--output") + 1]
        for path in reads:
            assert path == writes or any(path == one or path.startswith(f"{one}/") for one in made), (step.name, path)
        made.add(writes)


def test_a_setting_of_a_stage_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "loop.toml"
    path.write_text("[dpo]\nbeta = -1\n")
    with pytest.raises(TrainingConfigError, match="dpo: beta"):
        read_loop_config(path)


def test_a_config_survives_being_written(tmp_path: Path) -> None:
    import tomllib

    config = LoopConfig(sft={"rank": 4}).stage(Stage.SFT)
    assert tomllib.loads(config_toml(config)) == config.model_dump(mode="json")


class Uneven:
    """Every other answer gives a dose that no passage holds."""

    def __init__(self) -> None:
        self._good = ByTurn()
        self._answers = itertools.count()

    def __call__(self, request: CompletionRequest) -> str:
        text = self._good(request)
        if text.startswith("{") or next(self._answers) % 2:
            return text
        return "Give 900 mg of paracetamol."


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*is_gradient_checkpointing:FutureWarning")
def test_the_whole_loop_in_one_command(tiny_base: Path, tmp_path: Path) -> None:  # noqa: F811 - the fixture
    (tmp_path / "loop.toml").write_text(SMALL)
    environment = os.environ | {
        "CLINSEARCH_DATA_DIR": str(tmp_path / "data"),
        "CLINSEARCH_ENCODER": "hashing",
        "CLINSEARCH_BENCHMARKS": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    output = tmp_path / "loop"

    def clinsearch(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "service.cli", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert clinsearch("index", "build").returncode == 0
    everything = ("train", "all", "--output", str(output), "--config", str(tmp_path / "loop.toml"))
    with scripted_server("sft", script=Uneven()) as url:
        command = (*everything, "--base", str(tiny_base), "--model-url", url)
        first = clinsearch(*command, "--until", "sft")
        assert first.returncode == 0, first.stderr
        assert not (output / "own").exists()
        rest = clinsearch(*command)
        assert rest.returncode == 0, rest.stderr
    assert "sft" not in [line.split()[-1] for line in rest.stderr.splitlines() if line.startswith("[")]
    cards = {stage: read_trained_card(output / stage) for stage in Stage}
    assert [card.steps for card in cards.values()] == [10, 10, 10]
    assert (cards[Stage.SELFDISTILL].init, cards[Stage.DPO].init) == ("sft", "selfdistill")
    assert len({card.adapter_sha256 for card in cards.values()}) == 3
    assert len(cards[Stage.SELFDISTILL].data) == 2
    losses = [step.loss for step in read_metrics(output / "sft")]
    assert losses[-1] < losses[0]
    assert _merged_differs(tiny_base, output / "dpo")
    assert json.loads((output / "run.json").read_text())["prompt"] == cards[Stage.SFT].prompt_sha256


def _merged_differs(base: Path, adapter: Path) -> bool:
    """Whether the adapter can be merged, as serving on a CPU does, and changes what the model says."""
    import peft
    import torch
    import transformers

    ids = torch.arange(3, 40)[None]
    model: Any = transformers.AutoModelForCausalLM.from_pretrained(str(base))
    with torch.no_grad():
        before = model(input_ids=ids).logits
        merged: Any = peft.PeftModel.from_pretrained(model, str(adapter)).merge_and_unload(safe_merge=True)
        return not torch.allclose(before, merged(input_ids=ids).logits)
