"""A query adapter on disk: low-rank updates by layer, and its card; see `retrieval.adapter_kind`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel as Model
from pydantic import ConfigDict, Field

from retrieval.adapter_kind import AdapterKind, Sha256, TrainedOn
from retrieval.errors import EncoderError, RerankerError
from retrieval.low_rank import add_updates
from retrieval.reranking import BaseModel

NOT_INSTALLED = "The query adapter is not installed: pip install 'clinsearch[dense]'."


class QueryFigure(Model):
    """A measure on one set none of whose questions was trained on, without and with the adapter."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    queries: Annotated[int, Field(ge=1)]
    measure: str
    #: What is searched with: the dense leg alone, or the product's search before its reranker.
    system: Literal["dense", "tuned"]
    #: The share that is kept was chosen on this set, so its figure is flattered.
    chose: bool = False
    without: float
    adapted: float
    #: Mean paired difference with its 95 % interval.
    difference: float
    low: float
    high: float


class QueryAdapterCard(TrainedOn):
    """What loading needs to know of an adapter, with where it comes from."""

    schema_version: Literal[1] = 1
    #: The base is the encoder whose passages it searches.
    name: str
    rank: Annotated[int, Field(ge=1)]
    alpha: Annotated[float, Field(gt=0)]
    #: A query is cut here.
    max_tokens: Annotated[int, Field(ge=32, le=512)]
    #: Share of what was learnt that was kept, and the sets it was chosen on.
    kept_share: Annotated[float, Field(ge=0, le=1)] = 1.0
    share_chosen_on: str
    figures: tuple[QueryFigure, ...] = ()
    #: See `query_adapter_helps`: what the setting `auto` follows.
    helps: bool
    #: Hash of the training examples, and how many of what.
    data_sha256: Sha256
    counts: Mapping[str, int]
    config: Mapping[str, int | float | tuple[float, ...]]
    #: Sets whose questions are answered by documents that were trained on, with other questions: their figures are
    #: flattered.
    trained_sets: tuple[str, ...] = ()
    training_s: Annotated[float, Field(ge=0)]


QUERY_ADAPTERS = AdapterKind(QueryAdapterCard, "query adapter", EncoderError)

#: Clinicians' questions on guidelines, which it is for: the set that it must make better, and those it must not harm.
_DECIDING = "guidelines-test"
_CLINICIANS = ("guidelines-test", "starter")


def query_adapter_helps(figures: Iterable[QueryFigure]) -> bool:
    """Whether the product's search is clearly better on guidelines-test with it, and clearly worse on no such set.

    Clearly: the 95 % interval of the paired difference leaves out 0.
    """
    held = {one.name: one for one in figures if one.system == "tuned"}
    better = _DECIDING in held and held[_DECIDING].low > 0
    return better and not any(held[name].high < 0 for name in _CLINICIANS if name in held)


def save_query_adapter(folder: Path, weights: Mapping[str, Any], **card: Any) -> QueryAdapterCard:
    """Write an adapter with its card.

    Args:
        weights: "<layer>.lora_A" and "<layer>.lora_B", torch tensors.
        card: the fields of the card besides the base and the hashes.
    """
    return QUERY_ADAPTERS.save(folder, weights, base=BaseModel.name, base_sha256=BaseModel().sha256, **card)


def adapted_encoder(folder: Path, card: QueryAdapterCard, base: BaseModel) -> Any:
    """The base with the adapter's updates added to its weights, float32, in evaluation mode.

    Raises:
        EncoderError: the adapter belongs to another base, or the file is not the card's.
    """
    try:
        weights = QUERY_ADAPTERS.read_weights(folder, card, base.sha256)
        encoder = base.encoder().eval()
        add_updates(encoder, weights, rank=card.rank, alpha=card.alpha)
    except (ImportError, RerankerError) as error:
        raise EncoderError(NOT_INSTALLED) from error
    except (OSError, KeyError, AttributeError, RuntimeError, ValueError) as error:
        raise EncoderError(f"The query adapter cannot be loaded: {type(error).__name__}.") from error
    return encoder
