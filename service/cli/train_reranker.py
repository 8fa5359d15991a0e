"""`clinsearch train reranker`: data from the library and its index, training, what is kept of it, its figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from eval.retrieval import load_set
from eval.retrieval.reranking import Gain, Measure, first_at_10, gain_of, measured_gain, ndcg_at_10
from retrieval import CrossEncoderReranker, RerankSettings
from retrieval.reranking import SetFigure, helps, revise_card, save_adapter
from service.cli.common import load_settings, out
from service.cli.stages import ShowStage, stages
from service.cli.training_material import read_material, training_sentences
from service.container import make_encoder, open_service_searcher
from service.settings import Settings
from training.reranker import (
    DevQuestion,
    RerankerConfig,
    Scores,
    StepReport,
    best_weight,
    candidate_scores,
    card_text,
    is_prepared,
    kept,
    kept_none_score,
    prepare_data,
    read_config,
    read_data,
    reciprocal_ranks,
    run_training,
)

#: Sets that decided nothing, for the card's figures: the set, the row's name, its measure.
_FIGURES: tuple[tuple[str, str, str, Measure], ...] = (
    ("guidelines-test", "guidelines-test", "nDCG@10", ndcg_at_10),
    # Every recommendation of the right condition is relevant there, whether or not it answers: the first one counts.
    ("starter", "starter", "MRR@10", first_at_10),
    ("starter", "starter-every-recommendation", "nDCG@10", ndcg_at_10),
    ("nfcorpus", "nfcorpus", "nDCG@10", ndcg_at_10),
    ("mediqa-validation", "mediqa-validation", "nDCG@10", ndcg_at_10),
    ("bioasq", "bioasq", "nDCG@10", ndcg_at_10),
)
#: Said where it is interrupted.
_GOES_ON = "Interrupted; the same command goes on from the last checkpoint."
#: Of each set: bioasq's 1 492 alone would take longer than the training.
_MOST_QUERIES = 300
#: Sets whose questions are answered by documents that are trained on, with other questions.
_TRAINED_SETS = (
    "guidelines",
    "guidelines-dev",
    "starter",
    "starter-every-recommendation",
    "mediqa",
    "mediqa-alexa",
    "mediqa-validation",
)
#: The development questions that choose; those on other sources are reported.
_CHOOSING_SOURCE = "guidelines"
_CHOSEN_ON = "written-dev, case-dev and real-dev"


def reranker(
    config_file: Annotated[Path | None, typer.Option("--config", help="TOML; else the settings that ship.")] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="Keeps data and checkpoints of the run.")] = None,
) -> None:
    """Train the reranker on written and real questions, measure it, and write its card.

    Needs the corpora in the library, a built index, the publishers' files of the real questions, and the benchmarks it
    is kept apart from. Stopped at any moment, the same command goes on where it was.
    """
    settings = load_settings()
    with training_sentences(_GOES_ON), stages() as show:
        config = read_config(config_file)
        place = folder or settings.data_dir / "training" / "reranker"
        if not is_prepared(place):
            _prepare(place, config, settings, show)
        adapter = place / "adapter"
        write, dev = _train(place, adapter, config, show)
        choose(adapter, write, dev, config, show)
        measure(adapter, dev, settings, show)
    out.print(f"Adapter and card: {adapter}. Use it with CLINSEARCH_RERANK_ADAPTER.", highlight=False, soft_wrap=True)


def _prepare(place: Path, config: RerankerConfig, settings: Settings, show: ShowStage) -> None:
    material = read_material(settings, show)
    # The search as it is without this stage, and the same wherever it is deployed.
    plain = settings.model_copy(update={"rerank": "off", "home_region": None})
    with closing(open_service_searcher(plain)) as searcher:
        prepare_data(
            place,
            config,
            material=material,
            searcher=searcher,
            progress=show,
        )


#: Writes the adapter with a share of what was learnt.
_Write = Callable[[float], None]


def _train(
    place: Path, adapter: Path, config: RerankerConfig, show: ShowStage
) -> tuple[_Write, tuple[DevQuestion, ...]]:
    def told(step: StepReport) -> None:
        show(f"training, loss {step.loss:.3f}, {step.pairs_per_s:.0f} pairs/s", step.step, step.steps)

    trained, digest = run_training(place, config, report=told)
    _, dev, counts = read_data(place, config)

    def write(share: float) -> None:
        write_adapter(
            adapter,
            trained.weights,
            share,
            config,
            none_score=trained.none_score,
            data_sha256=digest,
            counts=counts,
            training_s=trained.seconds,
        )

    return write, dev


def write_adapter(
    adapter: Path, weights: Mapping[str, Any], share: float, config: RerankerConfig, *, none_score: float, **card: Any
) -> None:
    """Write the adapter with this share of what was learnt; its card says nothing yet of how well it does.

    Args:
        weights: all that was learnt.
        none_score: the learnt score of "none of these".
        card: hash and counts of the data, and the seconds of training.
    """
    save_adapter(
        adapter,
        kept(weights, share),
        name="minilm-cross-encoder",
        rank=config.rank,
        alpha=config.alpha,
        max_tokens=config.max_tokens,
        none_score=kept_none_score(none_score, share, config),
        kept_share=share,
        weight=0.0,
        weight_chosen_on=_CHOSEN_ON,
        candidates=config.candidates,
        helps=False,
        config=config.model_dump(),
        trained_sets=_TRAINED_SETS,
        **card,
    )


def choose(adapter: Path, write: _Write, dev: Sequence[DevQuestion], config: RerankerConfig, show: ShowStage) -> None:
    """Leave the adapter with the share and the weight that serve the development questions best.

    The smallest of equal shares and of equal weights.
    """
    choosing = [one for one in dev if one.asked.source == _CHOOSING_SOURCE]
    found = []
    for share in config.kept_shares:
        write(share)
        scores = _scores(choosing, CrossEncoderReranker(adapter), f"keeping {share:.0%}", show)
        weight, mean = best_weight(choosing, scores)
        found.append((mean, -share, weight))
    _, minus_share, weight = max(found)
    write(-minus_share)
    revise_card(adapter, weight=weight)


def measure(adapter: Path, dev: Sequence[DevQuestion], settings: Settings, show: ShowStage) -> None:
    """Measure on the development questions and on sets that decided nothing, and write the figures into both cards."""
    model, encoder = CrossEncoderReranker(adapter), make_encoder(settings)
    candidates, weight = model.card.candidates, model.card.weight
    stage = RerankSettings(candidates=candidates, weight=weight)
    figures = []
    for name, questions in _by_sort(dev).items():
        scores = _scores(questions, model, name, show)
        gain = gain_of(reciprocal_ranks(questions, scores, weight), reciprocal_ranks(questions, scores, 0.0))
        chose = questions[0].asked.source == _CHOOSING_SOURCE
        figures.append(_figure(name, len(questions), gain, measure=f"MRR@{candidates}", chose=chose))
    for set_name, name, measure_name, value in _FIGURES:
        question_set = load_set(set_name).first(_MOST_QUERIES)
        gain = measured_gain(question_set, model, encoder, settings.data_dir / "eval", stage, show, value)
        figures.append(_figure(name, len(question_set.queries), gain, measure=measure_name))
    card = revise_card(adapter, figures=tuple(figures), helps=helps(figures))
    (adapter / "CARD.md").write_text(card_text(card), encoding="utf-8")


def _by_sort(dev: Sequence[DevQuestion]) -> dict[str, list[DevQuestion]]:
    """By who asked and, but for guidelines, where: "written-dev", "real-dev-patient_information"."""
    found: dict[str, list[DevQuestion]] = {}
    for one in dev:
        of_source = "" if one.asked.source == _CHOOSING_SOURCE else f"-{one.asked.source}"
        found.setdefault(f"{one.asked.origin}-dev{of_source}", []).append(one)
    return found


def _scores(questions: Sequence[DevQuestion], model: CrossEncoderReranker, what: str, show: ShowStage) -> Scores:
    return candidate_scores(questions, model, lambda done, total: show(f"{what}: reranking", done, total))


def _figure(name: str, queries: int, gain: Gain, **fields: Any) -> SetFigure:
    difference = gain.difference
    return SetFigure(
        name=name,
        queries=queries,
        without=gain.without,
        reranked=gain.improved,
        difference=difference.mean,
        low=difference.low,
        high=difference.high,
        **fields,
    )
