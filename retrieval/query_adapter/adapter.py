"""A query adapter on disk: what was trained, and the card that says of what and how well.

A folder with `adapter.safetensors` (low-rank updates by layer, bfloat16), `card.json` (read here) and `CARD.md` (for
people). Loading refuses a file that is not the card's and a base that is not the one the adapter was trained on: both
would give vectors nobody measured.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel as Model
from pydantic import ConfigDict, Field, ValidationError

from retrieval.errors import EncoderError, RerankerError
from retrieval.files import write_atomically
from retrieval.low_rank import add_updates
from retrieval.reranking import BaseModel

ADAPTER_FILE, CARD_FILE = "adapter.safetensors", "card.json"
NOT_INSTALLED = "The query adapter is not installed: pip install 'clinsearch[dense]'."
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


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


class QueryAdapterCard(Model):
    """What loading needs to know of an adapter, with where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    name: str
    #: Name of the encoder whose passages it searches, and hash of its weights and tokeniser.
    base: str
    base_sha256: _Sha256
    adapter_sha256: _Sha256
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
    data_sha256: _Sha256
    counts: Mapping[str, int]
    config: Mapping[str, int | float | tuple[float, ...]]
    #: Sets whose questions are answered by documents that were trained on, with other questions: their figures are
    #: flattered.
    trained_sets: tuple[str, ...] = ()
    training_s: Annotated[float, Field(ge=0)]


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
        card: the fields of the card besides the base and the two hashes.
    """
    torch, safetensors = importlib.import_module("torch"), importlib.import_module("safetensors.torch")
    folder.mkdir(parents=True, exist_ok=True)
    content: bytes = safetensors.save(
        {name: value.to(torch.bfloat16).contiguous() for name, value in sorted(weights.items())}
    )
    made = QueryAdapterCard(
        base=BaseModel.name,
        base_sha256=BaseModel().sha256,
        adapter_sha256=hashlib.sha256(content).hexdigest(),
        **card,
    )
    with write_atomically(folder / ADAPTER_FILE) as file:
        file.write(content)
    _write_card(folder, made)
    return made


def revise_query_card(folder: Path, **changes: Any) -> QueryAdapterCard:
    """Write the card in `folder` anew with some fields changed; the adapter stays.

    Raises:
        EncoderError: there is no card, or it is damaged or of another version.
    """
    card = QueryAdapterCard.model_validate({**read_query_card(folder).model_dump(), **changes})
    _write_card(folder, card)
    return card


def read_query_card(folder: Path) -> QueryAdapterCard:
    """The card in `folder`.

    Raises:
        EncoderError: there is none, or it is damaged or of another version.
    """
    try:
        return QueryAdapterCard.model_validate_json((folder / CARD_FILE).read_bytes())
    except OSError as error:
        raise EncoderError(f"There is no query adapter in {folder.name}.") from error
    except ValidationError as error:
        raise EncoderError(
            f"The card of the query adapter in {folder.name} is damaged, or of another version: train it again."
        ) from error


def adapted_encoder(folder: Path, card: QueryAdapterCard, base: BaseModel) -> Any:
    """The base with the adapter's updates added to its weights, float32, in evaluation mode.

    Raises:
        EncoderError: the adapter belongs to another base, or the file is not the card's.
    """
    try:
        if card.base_sha256 != base.sha256:
            raise EncoderError(f"The query adapter was trained on another {card.base} than the one installed.")
        content = (folder / ADAPTER_FILE).read_bytes()
        if hashlib.sha256(content).hexdigest() != card.adapter_sha256:
            raise EncoderError("The query adapter is not the one its card describes: install it again.")
        weights = importlib.import_module("safetensors.torch").load(content)
        encoder = base.encoder().eval()
        add_updates(encoder, weights, rank=card.rank, alpha=card.alpha)
    except (ImportError, RerankerError) as error:
        raise EncoderError(NOT_INSTALLED) from error
    except (OSError, KeyError, AttributeError, RuntimeError, ValueError) as error:
        raise EncoderError(f"The query adapter cannot be loaded: {type(error).__name__}.") from error
    return encoder


def _write_card(folder: Path, card: QueryAdapterCard) -> None:
    with write_atomically(folder / CARD_FILE) as file:
        file.write(card.model_dump_json(indent=1).encode() + b"\n")
