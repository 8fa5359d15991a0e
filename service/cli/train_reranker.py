"""`clinsearch train reranker`: data from the library, training, the share that is kept, and the card's figures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from eval.retrieval import EvaluationError, QuestionSet, load_set
from eval.retrieval.reranking import best_weight, measured_gain
from retrieval import LIBRARY_FILE, CrossEncoderReranker, Library, PassageId
from retrieval.reranking import SetFigure, question_key, revise_card, save_adapter
from service.cli.common import errors_as_sentences, load_settings, out, stop
from service.cli.stages import ShowStage, stages
from service.container import make_encoder
from service.settings import Settings
from training.reranker import (
    Evaluated,
    GradedQuestion,
    RerankerConfig,
    StepReport,
    TrainedAdapter,
    TrainingError,
    card_text,
    kept,
    prepare_data,
    read_config,
    read_data,
    run_training,
)

#: Graded answers that are trained on, and everything training is kept apart from.
_GRADED = "mediqa-alexa"
_APART = ("bioasq", "nfcorpus", "starter", "guidelines", "mediqa-validation", _GRADED)
#: What is kept and the weight of the stage are chosen on the first; the card's figures are of the others.
_CHOSEN_ON = "guidelines-dev"
_FIGURES = ("guidelines-test", "starter", "nfcorpus", "mediqa-validation", "bioasq")
#: Of each set; bioasq's 1 492 alone would take longer than the training.
_MOST_QUERIES = 300


def reranker(
    config_file: Annotated[Path | None, typer.Option("--config", help="TOML; else the settings that ship.")] = None,
    folder: Annotated[Path | None, typer.Option("--folder", help="Keeps data and checkpoints of the run.")] = None,
) -> None:
    """Train the reranker on the corpora in the library and on graded answers, measure it, and write its card.

    Needs MedQuAD, MMWR and the Nigeria guidelines in the library, and the benchmarks it is kept apart from. Stopped at
    any moment, the same command goes on where it was.
    """
    settings = load_settings()
    with _sentences(), stages() as show:
        config = read_config(config_file)
        place = folder or settings.data_dir / "training" / "reranker"
        _prepare(place, config, settings, show)
        adapter = _chosen(place, config, _train(place, config, show), settings, show)
        _measure(adapter, settings, show)
    out.print(f"Adapter and card: {adapter}. Use it with CLINSEARCH_RERANK_ADAPTER.", highlight=False, soft_wrap=True)


def _prepare(place: Path, config: RerankerConfig, settings: Settings, show: ShowStage) -> None:
    sets = {name: load_set(name) for name in _APART}
    with Library(settings.data_dir / LIBRARY_FILE) as library:
        prepare_data(
            library.entries(),
            _graded(sets[_GRADED]),
            evaluated=[_evaluated(question_set) for question_set in sets.values()],
            graded_from=_GRADED,
            encoder=make_encoder(settings),
            vectors=settings.index_dir / "vectors",
            config=config,
            folder=place,
            progress=show,
        )


def _graded(question_set: QuestionSet) -> list[GradedQuestion]:
    texts = {passage.id: passage.text for entry in question_set.entries for passage in entry.passages}
    return [
        GradedQuestion(query.text, tuple((texts[PassageId(key)], gain) for key, gain in sorted(query.grades.items())))
        for query in question_set.queries
    ]


def _evaluated(question_set: QuestionSet) -> Evaluated:
    """Both parts of mediqa search the same answers; to each belong those that were graded for it."""
    graded = {key for query in question_set.queries for key in query.grades}
    whole = not question_set.name.startswith("mediqa-")
    passages = [p.text for entry in question_set.entries for p in entry.passages if whole or p.id in graded]
    return Evaluated(question_set.name, [query.text for query in question_set.queries], passages)


def _train(place: Path, config: RerankerConfig, show: ShowStage) -> TrainedAdapter:
    def told(step: StepReport) -> None:
        show(f"training, loss {step.loss:.3f}, {step.pairs_per_s:.0f} pairs/s", step.step, step.steps)

    return run_training(place, config, report=told)


def _written(place: Path, config: RerankerConfig, trained: TrainedAdapter, share: float) -> Path:
    """The adapter with this share of what was learnt; its card says nothing yet of how well it does."""
    _, graded, counts = read_data(place)
    adapter = place / "adapter"
    save_adapter(
        adapter,
        kept(trained.weights, share),
        name="minilm-cross-encoder",
        rank=config.rank,
        alpha=config.alpha,
        max_tokens=config.max_tokens,
        kept_share=share,
        weight=0.0,
        weight_chosen_on=_CHOSEN_ON,
        candidates=config.candidates,
        helps=False,
        data_sha256=trained.data_hash,
        counts=counts,
        config=config.model_dump(),
        trained_questions=tuple(sorted(question_key(group.question) for group in graded)),
        training_s=trained.seconds,
    )
    return adapter


def _chosen(
    place: Path,
    config: RerankerConfig,
    trained: TrainedAdapter,
    settings: Settings,
    show: ShowStage,
) -> Path:
    """The adapter with the share and the weight that serve one development set best; the smallest of equal shares."""
    found = []
    for share in config.kept_shares:
        model = CrossEncoderReranker(_written(place, config, trained, share))
        folder, encoder = settings.data_dir / "eval", make_encoder(settings)
        weight, mean = best_weight(load_set(_CHOSEN_ON), model, encoder, folder, config.candidates, show)
        found.append((mean, -share, weight))
    _, minus_share, weight = max(found)
    adapter = _written(place, config, trained, -minus_share)
    revise_card(adapter, weight=weight)
    return adapter


def _measure(adapter: Path, settings: Settings, show: ShowStage) -> None:
    """Measure on sets that decided nothing, and write the figures into both cards."""
    model, encoder, folder = CrossEncoderReranker(adapter), make_encoder(settings), settings.data_dir / "eval"
    figures = []
    for name in _FIGURES:
        question_set = load_set(name).first(_MOST_QUERIES)
        gain = measured_gain(question_set, model, encoder, folder, model.card.candidates, model.card.weight, show)
        figures.append(
            SetFigure(
                name=name,
                queries=len(question_set.queries),
                without=gain.without,
                reranked=gain.reranked,
                difference=gain.difference.mean,
                low=gain.difference.low,
                high=gain.difference.high,
            )
        )
    helps = any(one.low > 0 for one in figures) and not any(one.high < 0 for one in figures)
    card = revise_card(adapter, figures=tuple(figures), helps=helps)
    (adapter / "CARD.md").write_text(card_text(card), encoding="utf-8")


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        with errors_as_sentences():
            yield
    except (EvaluationError, TrainingError) as error:
        raise stop(str(error)) from error
    except KeyboardInterrupt:
        raise stop("Interrupted; the same command goes on from the last checkpoint.", 130) from None
