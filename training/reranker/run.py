"""One training run in one folder: data, training, the adapter with its card. Every part is done once and kept.

Everything the run needs is in the library, the config and the question sets; the folder may be removed at any time.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from retrieval import CorpusEntry, Encoder
from retrieval.index import BuildProgress
from retrieval.reranking import BaseModel
from retrieval.search import SearchSettings
from training.decontamination import Contamination, Evaluated
from training.errors import CheckpointError, TrainingConfigError
from training.reranker.config import RerankerConfig
from training.reranker.dataset import Dataset, GradedQuestion, build_dataset
from training.reranker.groups import Group, groups_hash, read_groups, write_groups
from training.reranker.mining import pool_searcher
from training.reranker.questions import TRAINED_CORPORA, Asked, corpus_questions
from training.reranker.schedule import schedule
from training.reranker.steps import StepReport

GROUPS, GRADED, HELD_OUT, COUNTS = "groups.jsonl", "graded.jsonl", "held_out.jsonl", "counts.json"

#: Tensors by the names of the adapter file.
Weights = dict[str, Any]

#: Says what happens now: the stage, done, in all.
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class TrainedAdapter:
    """What a run made."""

    weights: Weights
    data_hash: str
    #: Spent in steps, over all calls that the run took.
    seconds: float


def training_entries(entries: Iterable[CorpusEntry]) -> tuple[CorpusEntry, ...]:
    """The documents of the corpora that are trained on."""
    return tuple(entry for entry in entries if entry.document.id.split("/")[0] in TRAINED_CORPORA)


def prepare_data(
    entries: Iterable[CorpusEntry],
    graded: Iterable[GradedQuestion],
    *,
    evaluated: Sequence[Evaluated],
    graded_from: str,
    encoder: Encoder,
    vectors: Path,
    config: RerankerConfig,
    folder: Path,
    progress: Progress = lambda _stage, _done, _total: None,
) -> None:
    """Build the data into `folder`, once.

    Args:
        evaluated: the sets to keep apart from; one is named `graded_from`.
        graded_from: the set the graded answers belong to, which does not count against themselves.

    Raises:
        TrainingError, RetrievalError: as `build_dataset`.
    """
    if (folder / COUNTS).exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    pool = training_entries(entries)
    asked = corpus_questions(pool, config)

    def encoding(at: BuildProgress) -> None:
        progress("encoding passages", at.done, at.total)

    # Plain fusion: the default ranking was tuned on sets that the reranker is measured on.
    settings = SearchSettings(leg_limit=max(50, config.mined_to), ranking="fused")
    searcher = pool_searcher(pool, encoder, vectors, report=encoding, settings=settings)
    dataset = build_dataset(
        asked,
        graded,
        searcher,
        Contamination(evaluated),
        Contamination(one for one in evaluated if one.name != graded_from),
        config,
        lambda done, total: progress("mining negatives", done, total),
    )
    _write(dataset, folder)


def read_data(folder: Path) -> tuple[tuple[Group, ...], tuple[Group, ...], dict[str, int]]:
    """What `prepare_data` wrote: groups, graded groups, counts.

    Raises:
        CheckpointError: a file there cannot be read.
    """
    try:
        counts: dict[str, int] = json.loads((folder / COUNTS).read_text(encoding="utf-8"))
        return read_groups(folder / GROUPS), read_groups(folder / GRADED), counts
    except (OSError, ValueError) as error:
        raise CheckpointError(f"The training data in {folder.name} cannot be read: remove the folder.") from error


def run_training(
    folder: Path,
    config: RerankerConfig,
    *,
    report: Callable[[StepReport], None] = lambda _: None,
    after_corpora: Callable[[Weights], None] = lambda _: None,
) -> TrainedAdapter:
    """Train on the data in `folder`; goes on where an earlier call stopped.

    Raises:
        CheckpointError: what is in the folder belongs to another run or cannot be read.
        RerankerError: the base is not installed.
        TrainingConfigError: peft is not installed.
    """
    try:
        train = importlib.import_module("training.reranker.train").train
    except ImportError as error:
        raise TrainingConfigError("Training needs torch and peft: pip install 'clinsearch[dense,model]'.") from error
    groups, graded, _ = read_data(folder)
    digest = groups_hash((*groups, *graded))
    weights, seconds = train(
        schedule(groups, graded, config),
        BaseModel(),
        config,
        folder,
        data_hash=digest,
        report=report,
        after_corpora=after_corpora,
    )
    return TrainedAdapter(weights, digest, seconds)


def _write(dataset: Dataset, folder: Path) -> None:
    write_groups(folder / GROUPS, dataset.groups)
    write_groups(folder / GRADED, dataset.graded)
    (folder / HELD_OUT).write_text("".join(json.dumps(_held(one)) + "\n" for one in dataset.held_out), encoding="utf-8")
    # Written last: the data is whole where this is there.
    (folder / COUNTS).write_text(json.dumps(dataset.counts, indent=1, sort_keys=True), encoding="utf-8")


def _held(one: Asked) -> dict[str, str]:
    return {"question": one.question, "document": one.document_id, "section": one.answer.section[-1]}


def kept(weights: Weights, share: float) -> Weights:
    """Weights part of the way from the untrained network (share 0) to the trained one (1).

    Little and uniform training data pulls a model away from what it knew; going back some of the way often serves
    other data better (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022). The update of a layer is
    a product, so scaling one factor scales it.
    """
    scaled = (".lora_B", "head.last.weight", "head.last.bias")
    return {name: value * share if name.endswith(scaled) else value for name, value in weights.items()}
