"""`clinsearch train sft|selfdistill|dpo`: train the agent's model, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from service.cli.common import load_settings, out, stop
from service.cli.stages import ShowStage, stages
from service.model.environment import find_model_environment
from service.model.errors import ModelSetupError
from service.model.manifest import read_model_manifest
from service.model.prepare import prepare_model
from training.reranker import TrainingError
from training.stages import (
    Base,
    Stage,
    StageFiles,
    StageRun,
    StepRecord,
    TrainedAdapterCard,
    is_finished,
    read_stage_config,
    read_trained_card,
    run_stage,
    with_figures,
)
from training.stages.figures import figures_of

DataOption = Annotated[Path, typer.Option("--data", help="Rows of `clinsearch rollouts export`.")]
OutputOption = Annotated[Path, typer.Option("--output", help="Folder of the adapter; the same command goes on in it.")]
ConfigOption = Annotated[Path | None, typer.Option("--config", help="TOML; else the settings that ship.")]
DevOption = Annotated[Path | None, typer.Option("--dev", help="Held-out rows of the same form.")]
BaseOption = Annotated[Path | None, typer.Option("--base", help="A prepared model without adapter; else it is made.")]


def sft(
    data: DataOption,
    output: OutputOption,
    config: ConfigOption = None,
    dev: DevOption = None,
    init: Annotated[Path | None, typer.Option("--init", help="Go on from this adapter.")] = None,
    base: BaseOption = None,
) -> None:
    """Train on accepted rollouts (format sft-tokens)."""
    _train(Stage.SFT, StageFiles(data=data, output=output, dev=dev, init=init), config, base)


def selfdistill(
    data: DataOption,
    output: OutputOption,
    init: Annotated[Path, typer.Option("--init", help="The adapter that made the rollouts.")],
    earlier: Annotated[
        Path | None, typer.Option("--earlier", help="Rows of the first stage, of which a share is mixed in.")
    ] = None,
    config: ConfigOption = None,
    dev: DevOption = None,
    base: BaseOption = None,
) -> None:
    """Train on the model's own accepted rollouts (format sft-tokens), from the adapter that made them."""
    files = StageFiles(data=data, output=output, dev=dev, init=init, earlier=earlier)
    _train(Stage.SELFDISTILL, files, config, base)


def dpo(
    data: DataOption,
    output: OutputOption,
    init: Annotated[Path, typer.Option("--init", help="The adapter to start from; also the reference.")],
    config: ConfigOption = None,
    dev: DevOption = None,
    base: BaseOption = None,
) -> None:
    """Train on preference pairs (format dpo or dpo-traj), held to the adapter it starts from."""
    _train(Stage.DPO, StageFiles(data=data, output=output, dev=dev, init=init), config, base)


def card(
    adapter: Annotated[Path, typer.Argument(help="Folder of the adapter.")],
    report: Annotated[
        Path | None, typer.Option(help="report.json of `clinsearch eval agent`; its figures replace earlier ones.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Its name in the report; the folder's if left out.")] = None,
) -> None:
    """Write the figures of an evaluation into an adapter's card."""
    with sentences():
        held = read_trained_card(adapter)
        found = figures_of(report, model or adapter.name, held.adapter_sha256) if report else held.figures
        with_figures(adapter, found)
    out.print(f"{len(found)} figures in {adapter / 'CARD.md'}", highlight=False, markup=False, soft_wrap=True)


def _train(stage: Stage, files: StageFiles, config_file: Path | None, base: Path | None) -> None:
    with sentences(), stages() as show:
        if is_finished(files.output):
            trained = read_trained_card(files.output)
        else:
            config = read_stage_config(stage, config_file)
            run = StageRun(stage=stage, files=files, base=base_model(base), config=config)
            trained = run_stage(run, report=_told(show))
    _say(trained, files.output)


def _told(show: ShowStage) -> Callable[[StepRecord], None]:
    def told(step: StepRecord) -> None:
        held = "" if step.dev_loss is None else f", held-out {step.dev_loss:.3f}"
        show(f"training, loss {step.loss:.3f}, {step.tokens_per_s:.0f} tokens/s{held}", step.step, step.steps)

    return told


def _say(card: TrainedAdapterCard, output: Path) -> None:
    lines = [
        f"adapter   {output}",
        f"steps     {card.steps}",
        f"loss      {card.final_loss}",
        f"held-out  {card.dev_loss_before} before, {card.dev_loss} after",
        f"time      {card.seconds / 60:.1f} min, {card.tokens_per_s:.0f} tokens/s, {card.peak_memory_gb:.1f} GB",
    ]
    for line in lines:
        out.print(line, highlight=False, markup=False, soft_wrap=True)


def base_model(path: Path | None) -> Base:
    """The model to train: the one named, or the one the service uses, prepared without adapter."""
    settings = load_settings()
    folder = path or settings.data_dir / "training" / "base"
    if path is None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        environment = find_model_environment()
        device = environment.device if environment else "cpu"
        prepare_model(folder, device=device, gpu_model=settings.gpu_model, adapter=None, report=lambda _: None)
    manifest = read_model_manifest(folder)
    if manifest is None:
        raise stop(f"{folder.name} is no prepared model: make one with `clinsearch model prepare`.")
    if manifest.adapter is not None:
        raise stop(f"{folder.name} has the adapter {manifest.adapter} merged in: train on a model without one.")
    weights = any(folder.glob("*.safetensors"))
    path_or_name = str(folder) if weights else manifest.base
    return Base(path=path_or_name, name=manifest.base, sha256=manifest.base_sha256)


@contextmanager
def sentences() -> Iterator[None]:
    """Errors of training and of preparing the model in one sentence."""
    try:
        yield
    except (TrainingError, ModelSetupError) as error:
        raise stop(str(error)) from error
    except KeyboardInterrupt:
        raise stop("Interrupted; the same command goes on from the last checkpoint.", 130) from None
