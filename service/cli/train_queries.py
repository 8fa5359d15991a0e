"""`clinsearch train queries`: the search's query adapter, its choice of what is kept, its figures and its card."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from statistics import fmean
from typing import Annotated

import typer

from eval.retrieval import load_set
from eval.retrieval.measures import reciprocal_rank
from eval.retrieval.query_adapter import adapted_gain
from eval.retrieval.reranking import Gain, Measure, first_at_10, gain_of, ndcg_at_10
from retrieval import Encoder, MiniLmQueryEncoder, SearchFilters, SearchRequest
from retrieval.generations import IndexDirectory
from retrieval.query_adapter import QUERY_ADAPTERS, QueryFigure, query_adapter_helps
from retrieval.vectors import VectorStore
from service.cli.common import load_settings, out
from service.cli.stages import ShowStage, stages
from service.cli.training_material import read_material, training_sentences
from service.container import make_encoder, open_batch_searcher
from service.settings import Settings
from training.query_adapter import (
    SOURCE,
    Pool,
    build_examples,
    encoded,
    query_card_text,
    read_pool,
    read_query_config,
    reciprocal_ranks,
    train_adapter,
)
from training.reranker import RankedQuestion, TrainingDataError

#: Sets that decided nothing: the set, its measure and what computes it. In starter every recommendation of the right
#: condition is relevant, whether or not it answers: the first one counts.
_FIGURES: tuple[tuple[str, str, Measure], ...] = (
    ("guidelines-test", "nDCG@10", ndcg_at_10),
    ("starter", "MRR@10", first_at_10),
)
#: Among which an answer counts where the share is chosen.
_SEARCHED_HITS = 20
_TRAINED_SETS = ("guidelines", "guidelines-dev", "starter")


def queries(
    config_file: Annotated[Path | None, typer.Option("--config", help="TOML; else the settings that ship.")] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="The adapter is written here.")] = None,
) -> None:
    """Train the query adapter of guideline searches, measure it, and write its card. It takes minutes.

    Needs the corpora in the library, an index built with the encoder minilm, the publishers' files of the real
    questions, and the benchmarks it is kept apart from.
    """
    settings = load_settings()
    with training_sentences("Interrupted; the same command begins again."), stages() as show:
        config = read_query_config(config_file)
        adapter = folder or settings.data_dir / "training" / "queries"
        encoder = make_encoder(settings)
        questions, pool, counts = _read(settings, encoder, show)
        examples, counted = build_examples(questions, pool)
        dev = [one for one in questions if one.part == "dev" and one.source == SOURCE and pool.rows_of(one.gold)]
        if not dev:
            raise TrainingDataError("No development question has its answer in the library: nothing can be chosen on.")
        train_adapter(
            adapter,
            config,
            examples,
            pool,
            lambda folder: searched(folder, dev, pool, settings),
            counts={**counts, **counted},
            trained_sets=_TRAINED_SETS,
            progress=show,
        )
        measure(adapter, dev, pool, encoder, settings, show)
    out.print(f"Adapter and card: {adapter}. Use it with CLINSEARCH_QUERY_ADAPTER.", highlight=False, soft_wrap=True)


def _read(
    settings: Settings, encoder: Encoder, show: ShowStage
) -> tuple[tuple[RankedQuestion, ...], Pool, dict[str, int]]:
    """The questions of both parts, the passages they may find, and what was left out."""
    if settings.encoder != "minilm":
        raise TrainingDataError("The query adapter is trained for the encoder minilm: set CLINSEARCH_ENCODER=minilm.")
    material = read_material(settings, show)
    trainable = material.trainable()
    questions, left_out = material.questions()
    predicted, more = material.predicted_questions(trainable)
    vectors = VectorStore(
        IndexDirectory(settings.index_dir).vectors, fingerprint=encoder.fingerprint, dimension=encoder.dimension
    )
    pool = read_pool(material.words, trainable, vectors)
    return (*questions, *predicted), pool, dict(left_out + more)


def searched(adapter: Path, dev: Sequence[RankedQuestion], pool: Pool, settings: Settings) -> float:
    """Mean reciprocal rank of the first answer among the hits of the product's search with this adapter, 0 .. 1.

    Raises:
        TrainingDataError: a search was not reranked.
        RetrievalError: a search failed.
    """
    used = {"query_adapter": adapter, "adapted_queries": "on", "adapted_query_sources": (SOURCE,)}
    ranks = []
    with closing(open_batch_searcher(settings.model_copy(update=used))) as searcher:
        searcher.wait_for_reranker()
        for one in dev:
            request = SearchRequest(
                queries=(one.question,), filters=SearchFilters(source=one.source), limit=_SEARCHED_HITS
            )
            result = searcher.search(request)
            if not result.reranked:
                raise TrainingDataError("What is kept is chosen with the reranker on: set CLINSEARCH_RERANK=auto.")
            answers = frozenset(pool.ids[row] for row in pool.rows_of(one.gold))
            ranks.append(reciprocal_rank([hit.passage.id for hit in result.hits], answers, _SEARCHED_HITS))
    return fmean(ranks)


def measure(
    adapter: Path, dev: Sequence[RankedQuestion], pool: Pool, encoder: Encoder, settings: Settings, show: ShowStage
) -> None:
    """Measure on the development questions and on sets that decided nothing, and write the figures into both cards."""
    adapted = MiniLmQueryEncoder(adapter)
    figures = []
    for origin in dict.fromkeys(one.origin for one in dev):
        asked = [one for one in dev if one.origin == origin]
        with_adapter, without = (
            reciprocal_ranks(asked, encoded(asked, queries), pool) for queries in (adapted, encoder)
        )
        figures.append(_figure(f"{origin}-dev", len(asked), gain_of(with_adapter, without), "MRR", "dense", chose=True))
    for name, measure_name, value in _FIGURES:
        question_set = load_set(name)
        gain = adapted_gain(question_set, adapted, encoder, settings.data_dir / "eval", show, value)
        figures.append(_figure(name, len(question_set.queries), gain, measure_name, "tuned"))
    card = QUERY_ADAPTERS.revise_card(adapter, figures=tuple(figures), helps=query_adapter_helps(figures))
    (adapter / "CARD.md").write_text(query_card_text(card), encoding="utf-8")


def _figure(name: str, count: int, gain: Gain, measure_name: str, system: str, *, chose: bool = False) -> QueryFigure:
    return QueryFigure.model_validate(
        {
            "name": name,
            "queries": count,
            "measure": measure_name,
            "system": system,
            "chose": chose,
            "without": gain.without,
            "adapted": gain.improved,
            "difference": gain.difference.mean,
            "low": gain.difference.low,
            "high": gain.difference.high,
        }
    )
