"""`clinsearch train all`: the whole loop in one command, from questions to the last adapter."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from agent.prompts import prompt_sha256
from agent.templates import chat_template_sha256
from service.cli.common import err, out, stop
from service.cli.train_stages import BaseOption, base_model, sentences
from training.stages import Stage, gate_sha256
from training.stages.checkpoints import hold_run
from training.stages.loop import LoopConfig, Step, config_toml, read_loop_config, stage_config_file, steps

#: A server on a loaded CPU converts and warms up for minutes.
_SERVER_START_S = 900.0
_POLL_S = 1.0


def train_all(
    output: Annotated[Path, typer.Option("--output", help="Folder of the loop; the same command goes on in it.")],
    config: Annotated[Path | None, typer.Option("--config", help="TOML; else the loop that ships.")] = None,
    base: BaseOption = None,
    model_url: Annotated[
        str | None, typer.Option(help="A server that has the trained model for its own runs; else one is started.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="The last step to do, for example sft.")] = None,
) -> None:
    """Make questions, teacher runs, rows and all adapters anew: what a change of the prompt needs.

    Stopped at any moment, the same command goes on; each step is a command that is shown and can be given by hand.
    """
    with sentences():
        settings = read_loop_config(config)
        model = base_model(base)
        identity = {
            "base": model.sha256 or model.name,
            "config": settings.model_dump(mode="json"),
            "prompt": prompt_sha256(),
            "template": chat_template_sha256(),
            "gate": gate_sha256(),
        }
        hold_run(output, identity)
        for stage in Stage:
            stage_config_file(output, stage).write_text(config_toml(settings.stage(stage)), encoding="utf-8")
        sample = output / "own" / "questions.jsonl"
        plan = steps(output, settings, Path(model.path), sample)
        names = [step.name for step in plan]
        if until is not None and until not in names:
            raise stop(f"There is no step {until}: use one of {', '.join(names)}.")
        for number, step in enumerate(plan, 1):
            done = output / "done" / step.name
            if not done.is_file():
                err.print(f"[{number}/{len(plan)}] {step.name}", highlight=False, markup=False)
                _do(step, settings, output, sample, model_url)
                done.parent.mkdir(exist_ok=True)
                done.write_text(json.dumps(step.command), encoding="utf-8")
            if step.name == until:
                break
    out.print(f"Done: {output}. Measure the adapters with `clinsearch eval agent`.", highlight=False, soft_wrap=True)


def _do(step: Step, config: LoopConfig, output: Path, sample: Path, model_url: str | None) -> None:
    if step.fresh is not None:
        shutil.rmtree(step.fresh, ignore_errors=True)
    if step.served is None:
        _run(step.command)
        return
    if not sample.is_file():
        _sample(output / "questions" / "train.jsonl", sample, config.own_runs.questions)
    serving = _served(step.served) if model_url is None else nullcontext(model_url)
    with serving as url:
        _run((*step.command, "--model-url", url, "--model-name", step.served.name))


def _run(command: tuple[str, ...]) -> None:
    code = subprocess.run([sys.executable, "-m", "service.cli", *command], check=False).returncode  # noqa: S603
    if code != 0:
        raise stop(f"The step `clinsearch {' '.join(command[:2])}` did not end well; the same command goes on from it.")


def _sample(questions: Path, sample: Path, count: int) -> None:
    """Evenly spread lines of the file."""
    lines = questions.read_text(encoding="utf-8").splitlines()
    every = max(1, len(lines) // count)
    sample.parent.mkdir(exist_ok=True)
    part = sample.with_suffix(".part")
    part.write_text("".join(f"{line}\n" for line in lines[::every][:count]), encoding="utf-8")
    part.replace(sample)


@contextmanager
def _served(adapter: Path) -> Iterator[str]:
    """The URL of a server with this adapter, which ends with the block, or with this program."""
    _run(("model", "prepare", "--model", str(adapter)))
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
    url = f"http://127.0.0.1:{port}/v1"
    command = [sys.executable, "-m", "service.cli", "model", "serve", "--model", str(adapter), "--port", str(port)]
    with (adapter.parent / "server.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen([*command, "--end-with-parent"], stdout=log, stderr=log, env=os.environ)  # noqa: S603
    try:
        deadline = time.monotonic() + _SERVER_START_S
        while not _answers(url):
            if server.poll() is not None or time.monotonic() > deadline:
                raise stop(f"The model server did not start; {adapter.parent.name}/server.log says why.")
            time.sleep(_POLL_S)
        yield url
    finally:
        server.terminate()
        server.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/models", timeout=5) as reply:  # noqa: S310 - loopback
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False
