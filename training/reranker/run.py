"""One training run in one folder: hits, data, training. Every part is done once and kept.

Everything the run needs is in the library, the index, the questions and the config; the folder may be removed at any
time.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from retrieval.files import write_atomically
from retrieval.reranking import BaseModel
from retrieval.search import Searcher
from training.errors import CheckpointError, TrainingConfigError
from training.reranker.choosing import DevQuestion, dev_questions
from training.reranker.config import RerankerConfig
from training.reranker.dataset import build_groups
from training.reranker.groups import Group, groups_hash
from training.reranker.lines import read_lines, write_lines
from training.reranker.material import Material
from training.reranker.mining import mine
from training.reranker.schedule import schedule
from training.reranker.steps import StepReport

if TYPE_CHECKING:
    from training.reranker.train import Trained

HITS, GROUPS, DEV, DATA = "hits.jsonl", "groups.jsonl", "dev.jsonl", "data.json"

#: Says what happens now: the stage, done, in all.
Progress = Callable[[str, int, int], None]


def is_prepared(folder: Path) -> bool:
    """Whether the data is there as a whole."""
    return (folder / DATA).exists()


def prepare_data(
    folder: Path,
    config: RerankerConfig,
    *,
    material: Material,
    searcher: Searcher,
    progress: Progress = lambda _stage, _done, _total: None,
) -> None:
    """Build the data into `folder`; goes on where an earlier call stopped.

    Args:
        material: of the library that the index of `searcher` was built from.
        searcher: without a reranker.

    Raises:
        TrainingError, RetrievalError: as `mine` and `build_groups`.
        SetInvalidError: the guideline questions cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True)
    progress("keeping questions apart", 0, 1)
    asked, left_out = material.questions()
    words, trainable = material.words, material.trainable()
    mined = mine(asked, searcher, folder / HITS, config.hits, lambda done, total: progress("searching", done, total))
    groups, counts = build_groups(mined, words, trainable, config)
    write_lines(folder / GROUPS, groups)
    write_lines(folder / DEV, dev_questions(mined, words, config.candidates))
    content = {"config": config.of_data, "counts": {**left_out, **counts}}
    # Written last: the data is whole where this is there.
    with write_atomically(folder / DATA) as file:
        file.write(json.dumps(content, indent=1, sort_keys=True).encode())


#: Groups, development questions, counts.
Data = tuple[tuple[Group, ...], tuple[DevQuestion, ...], dict[str, int]]


def read_data(folder: Path, config: RerankerConfig) -> Data:
    """What `prepare_data` wrote.

    Raises:
        CheckpointError: a file there cannot be read, or another config made it.
    """
    try:
        content: dict[str, Any] = json.loads((folder / DATA).read_text(encoding="utf-8"))
        if content["config"] != config.of_data:
            raise CheckpointError(f"The data in {folder.name} is of another config: use another folder, or remove it.")
        groups, dev = read_lines(folder / GROUPS, Group), read_lines(folder / DEV, DevQuestion)
        return groups, dev, dict(content["counts"])
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"The training data in {folder.name} cannot be read: remove the folder.") from error


def run_training(
    folder: Path, config: RerankerConfig, *, report: Callable[[StepReport], None] = lambda _: None
) -> tuple[Trained, str]:
    """Train on the data in `folder`; goes on where an earlier call stopped.

    Returns:
        What was learnt, and the hash of what it was learnt from.

    Raises:
        CheckpointError: what is in the folder belongs to another run or cannot be read.
        RerankerError: the base is not installed.
        TrainingConfigError: torch is not installed.
    """
    try:
        train = importlib.import_module("training.reranker.train").train
    except ImportError as error:
        raise TrainingConfigError("Training needs torch: pip install 'clinsearch[dense]'.") from error
    groups, _, _ = read_data(folder, config)
    digest = groups_hash(groups)
    return train(schedule(groups, config), BaseModel(), config, folder, data_hash=digest, report=report), digest


def kept(weights: Mapping[str, Any], share: float) -> dict[str, Any]:
    """Weights part of the way from the untrained network (share 0) to the trained one (1).

    Little and uniform training data pulls a model away from what it knew; going back some of the way often serves
    other data better (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022). The update of a layer is
    a product, so scaling one factor scales it.
    """
    scaled = (".lora_B", "head.last.weight", "head.last.bias")
    return {name: value * share if name.endswith(scaled) else value for name, value in weights.items()}


def kept_none_score(score: float, share: float, config: RerankerConfig) -> float:
    """The score of "none of these" as far of the way.

    With a share below 1 no score stands where it was learnt, so what it says is only roughly right.
    """
    return config.none_start + share * (score - config.none_start)
