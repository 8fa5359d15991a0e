"""One training run: the adapter, and how much of what was learnt is kept."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from retrieval import RerankerError
from retrieval.encoders import Vectors
from retrieval.expansion import expanded
from retrieval.query_adapter import QueryAdapterCard, QueryEncoder, save_query_adapter
from retrieval.reranking import BaseModel
from training.errors import TrainingConfigError
from training.query_adapter.config import QueryAdapterConfig
from training.query_adapter.examples import Example, Pool, examples_hash
from training.reranker import RankedQuestion, kept

NAME = "minilm-clinical-queries"
CHOSEN_ON = "written-dev, case-dev and real-dev"

#: Says what happens now: the stage, done, in all.
Progress = Callable[[str, int, int], None]


def train_adapter(
    folder: Path,
    config: QueryAdapterConfig,
    examples: Sequence[Example],
    pool: Pool,
    judge: Callable[[Path], float],
    *,
    counts: Mapping[str, int],
    trained_sets: Sequence[str] = (),
    progress: Progress = lambda _stage, _done, _total: None,
) -> QueryAdapterCard:
    """Train, keep the share that `judge` finds best, and leave the adapter in `folder`.

    Its card says nothing yet of how well it does.

    Args:
        judge: how well a search with the adapter of a folder ranks the development questions' answers.

    Raises:
        TrainingConfigError: the base or torch is not installed.
        EncoderError: the adapter cannot be loaded.
    """
    try:
        train = importlib.import_module("training.query_adapter.train").train
        trained = train(
            examples,
            pool,
            BaseModel(),
            config,
            lambda done, total, loss: progress(f"training, loss {loss:.3f}", done, total),
        )
    except (ImportError, RerankerError) as error:
        raise TrainingConfigError("Training needs torch: pip install 'clinsearch[dense]'.") from error

    def write(share: float) -> QueryAdapterCard:
        return save_query_adapter(
            folder,
            kept(trained.weights, share),
            name=NAME,
            rank=config.rank,
            alpha=config.alpha,
            max_tokens=config.max_tokens,
            kept_share=share,
            share_chosen_on=CHOSEN_ON,
            helps=False,
            data_sha256=examples_hash(examples, pool),
            counts=dict(counts),
            config=config.model_dump(),
            trained_sets=tuple(trained_sets),
            training_s=trained.seconds,
        )

    return write(choose_share(folder, write, config, judge, progress))


def choose_share(
    folder: Path,
    write: Callable[[float], object],
    config: QueryAdapterConfig,
    judge: Callable[[Path], float],
    progress: Progress = lambda _stage, _done, _total: None,
) -> float:
    """The share of what was learnt with which `judge` finds the adapter best; the smallest of equal ones."""
    found = []
    for number, share in enumerate(config.kept_shares, start=1):
        write(share)
        found.append((judge(folder), -share))
        progress("choosing what is kept", number, len(config.kept_shares))
    return -max(found)[1]


def encoded(questions: Sequence[RankedQuestion], encoder: QueryEncoder) -> Vectors:
    """The questions' vectors as a search makes them, shape [questions, dimension]."""
    texts = [expanded(one.question) for one in questions]
    return np.concatenate([encoder.encode_queries(texts[at : at + 32]) for at in range(0, len(texts), 32)])


def reciprocal_ranks(questions: Sequence[RankedQuestion], queries: Vectors, pool: Pool) -> tuple[float, ...]:
    """1 / rank of the first answer among all passages of the pool by cosine; 0 where the pool holds none."""
    found = []
    for one, query in zip(questions, queries, strict=True):
        rows = list(pool.rows_of(one.gold))
        cosines = pool.vectors @ query
        found.append(1.0 / (1 + int((cosines > cosines[rows].max()).sum())) if rows else 0.0)
    return tuple(found)
