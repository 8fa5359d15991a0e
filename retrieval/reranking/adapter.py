"""The adapter of the reranker on disk: low-rank updates by layer with a scoring head, and its card.

How it lies there: `retrieval.adapter_kind`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel as Model
from pydantic import ConfigDict, Field

from retrieval.adapter_kind import AdapterKind, Sha256, TrainedOn
from retrieval.errors import RerankerError
from retrieval.low_rank import add_updates
from retrieval.reranking.base_model import NOT_INSTALLED, BaseModel
from retrieval.reranking.text import RERANKED_TEXT_VERSION

if TYPE_CHECKING:
    from retrieval.reranking.network import CrossEncoderNetwork


class SetFigure(Model):
    """A measure on one set none of whose questions was trained on, and what the stage adds to the search without it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    queries: Annotated[int, Field(ge=1)]
    measure: str = "nDCG@10"
    #: The share that is kept and the weight were chosen on this set, so its figure is flattered.
    chose: bool = False
    without: float
    reranked: float
    #: Mean paired difference with its 95 % interval.
    difference: float
    low: float
    high: float


class AdapterCard(TrainedOn):
    """What loading needs to know of an adapter, with where it comes from."""

    schema_version: Literal[2] = 2
    name: str
    text_version: str
    rank: Annotated[int, Field(ge=1)]
    alpha: Annotated[float, Field(gt=0)]
    max_tokens: Annotated[int, Field(ge=32, le=512)]
    #: The learnt score of "none of these": a passage that scores above it is likelier to answer than not, as far as
    #: the questions trained on go. None where it was not learnt.
    none_score: float | None = None
    #: Share of what was learnt that was kept, and the weight of its score in the rerank stage; both chosen on the
    #: named sets alone.
    kept_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    weight: Annotated[float, Field(ge=0)]
    weight_chosen_on: str
    #: Candidates that were reranked in the figures.
    candidates: Annotated[int, Field(ge=2)]
    figures: tuple[SetFigure, ...] = ()
    #: See `helps`: what the setting `auto` follows.
    helps: bool
    #: Hash of the training groups, and how many of what: see CARD.md.
    data_sha256: Sha256
    counts: Mapping[str, int]
    config: Mapping[str, int | float | tuple[float, ...]]
    #: Named sets whose questions are answered by documents that were trained on, with other questions: their figures
    #: are flattered.
    trained_sets: tuple[str, ...] = ()
    training_s: Annotated[float, Field(ge=0)]


RERANKER_ADAPTERS = AdapterKind(AdapterCard, "reranker adapter", RerankerError)
read_card, revise_card = RERANKER_ADAPTERS.read_card, RERANKER_ADAPTERS.revise_card

#: Clinicians' questions on guidelines, which the stage is for: the sets that it must not make worse.
CLINICIANS_SETS = ("guidelines-test", "starter")
#: Those of which it must make one better. The second also chose the share that is kept and the weight.
DECIDING_SETS = ("guidelines-test", "written-dev")


def helps(figures: Iterable[SetFigure]) -> bool:
    """Whether it is clearly better on a deciding set, and clearly worse on no set of clinicians' questions.

    Clearly: the 95 % interval of the paired difference leaves out 0. Sets of another kind, on literature and of
    patients' questions, are reported and decide nothing.
    """
    held = {one.name: one for one in figures}
    better = any(held[name].low > 0 for name in DECIDING_SETS if name in held)
    return better and not any(held[name].high < 0 for name in CLINICIANS_SETS if name in held)


def save_adapter(folder: Path, weights: Mapping[str, Any], **card: Any) -> AdapterCard:
    """Write an adapter with its card.

    Args:
        weights: tensors as `training.reranker.train.trained_weights` names them.
        card: the fields of the card besides the two hashes of what is written and its version.
    """
    return RERANKER_ADAPTERS.save(
        folder,
        weights,
        base=BaseModel.name,
        base_sha256=BaseModel().sha256,
        text_version=RERANKED_TEXT_VERSION,
        **card,
    )


def merged_network(folder: Path, card: AdapterCard, base: BaseModel) -> CrossEncoderNetwork:
    """The base with the adapter's updates added to its weights: see `retrieval.low_rank`.

    Raises:
        RerankerError: the adapter belongs to another base or another text, or the file is not the card's.
    """
    if card.text_version != RERANKED_TEXT_VERSION:
        raise RerankerError("The reranker adapter was trained on other passage texts: train it again.")
    try:
        weights = RERANKER_ADAPTERS.read_weights(folder, card, base.sha256)
        network = base.network()
        network.head.load_state_dict(
            {name.removeprefix("head."): value for name, value in weights.items() if name.startswith("head.")}
        )
        add_updates(network.encoder, weights, rank=card.rank, alpha=card.alpha)
    except ImportError as error:
        raise RerankerError(NOT_INSTALLED) from error
    except (OSError, KeyError, AttributeError, RuntimeError, ValueError) as error:
        raise RerankerError(f"The reranker adapter cannot be loaded: {type(error).__name__}.") from error
    return network
