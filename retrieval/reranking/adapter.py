"""The adapter of the reranker on disk: what was trained, and the card that says of what and how well.

A folder with `adapter.safetensors` (low-rank updates by layer in bfloat16, the scoring head in float32), `card.json`
(read here) and `CARD.md` (for people). Loading refuses a file that is not the card's and a base that is not the one
the adapter was trained on: both would give scores nobody measured.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel as Model
from pydantic import ConfigDict, Field, ValidationError

from retrieval.errors import RerankerError
from retrieval.files import write_atomically
from retrieval.low_rank import add_updates
from retrieval.reranking.base_model import NOT_INSTALLED, BaseModel
from retrieval.reranking.text import RERANKED_TEXT_VERSION

if TYPE_CHECKING:
    from retrieval.reranking.network import CrossEncoderNetwork

ADAPTER_FILE, CARD_FILE = "adapter.safetensors", "card.json"
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


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


class AdapterCard(Model):
    """What loading needs to know of an adapter, with where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[2] = 2
    name: str
    base: str
    base_sha256: _Sha256
    adapter_sha256: _Sha256
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
    data_sha256: _Sha256
    counts: Mapping[str, int]
    config: Mapping[str, int | float | tuple[float, ...]]
    #: Named sets whose questions are answered by documents that were trained on, with other questions: their figures
    #: are flattered.
    trained_sets: tuple[str, ...] = ()
    training_s: Annotated[float, Field(ge=0)]


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
    torch, safetensors = importlib.import_module("torch"), importlib.import_module("safetensors.torch")
    folder.mkdir(parents=True, exist_ok=True)
    held = {
        name: value.contiguous() if name.startswith("head.") else value.to(torch.bfloat16).contiguous()
        for name, value in sorted(weights.items())
    }
    content: bytes = safetensors.save(held)
    made = AdapterCard(
        base=BaseModel.name,
        base_sha256=BaseModel().sha256,
        adapter_sha256=hashlib.sha256(content).hexdigest(),
        text_version=RERANKED_TEXT_VERSION,
        **card,
    )
    with write_atomically(folder / ADAPTER_FILE) as file:
        file.write(content)
    with write_atomically(folder / CARD_FILE) as file:
        file.write(made.model_dump_json(indent=1).encode() + b"\n")
    return made


def revise_card(folder: Path, **changes: Any) -> AdapterCard:
    """Write the card in `folder` anew with some fields changed; the adapter stays.

    Raises:
        RerankerError: there is no card, or it is damaged or of another version.
    """
    card = AdapterCard.model_validate({**read_card(folder).model_dump(), **changes})
    with write_atomically(folder / CARD_FILE) as file:
        file.write(card.model_dump_json(indent=1).encode() + b"\n")
    return card


def read_card(folder: Path) -> AdapterCard:
    """The card in `folder`.

    Raises:
        RerankerError: there is none, or it is damaged or of another version.
    """
    try:
        return AdapterCard.model_validate_json((folder / CARD_FILE).read_bytes())
    except OSError as error:
        raise RerankerError(f"There is no reranker adapter in {folder.name}.") from error
    except ValidationError as error:
        raise RerankerError(
            f"The card of the reranker adapter in {folder.name} is damaged, or of another version: train it again."
        ) from error


def merged_network(folder: Path, card: AdapterCard, base: BaseModel) -> CrossEncoderNetwork:
    """The base with the adapter's updates added to its weights: see `retrieval.low_rank`.

    Raises:
        RerankerError: the adapter belongs to another base or another text, or the file is not the card's.
    """
    if card.text_version != RERANKED_TEXT_VERSION:
        raise RerankerError("The reranker adapter was trained on other passage texts: train it again.")
    if card.base_sha256 != base.sha256:
        raise RerankerError(f"The reranker adapter was trained on another {card.base} than the one installed.")
    try:
        content = (folder / ADAPTER_FILE).read_bytes()
        if hashlib.sha256(content).hexdigest() != card.adapter_sha256:
            raise RerankerError("The reranker adapter is not the one its card describes: install it again.")
        weights = importlib.import_module("safetensors.torch").load(content)
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
