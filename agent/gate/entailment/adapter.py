"""The adapter of the entailment scorer on disk: what was trained, and the card that says of what and how well.

A folder with `adapter.safetensors` (the upper layers of the encoder in bfloat16, the head in float32), `card.json`
(read here) and `CARD.md` (for people). Loading refuses a file that is not the card's and a base that is not the one
the adapter was trained on: both would give scores nobody measured.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel as Model
from pydantic import ConfigDict, Field, ValidationError

from agent.errors import EntailmentError
from agent.gate.entailment.decision import Decision
from retrieval import RerankerError
from retrieval.files import write_atomically
from retrieval.reranking import BaseModel

if TYPE_CHECKING:
    from agent.gate.entailment.network import EntailmentNetwork

ADAPTER_FILE, CARD_FILE = "adapter.safetensors", "card.json"
NOT_INSTALLED = "The entailment scorer is not installed: pip install 'clinsearch[dense]'."
_Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class EntailmentFigure(Model):
    """The gate on one set of pairs, without and with the scorer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Which pairs, and of what kind.
    name: str
    pairs: Annotated[int, Field(ge=1)]
    #: Whether the sentences are faithful, so that showing them is right.
    faithful: bool
    #: Whether the decision was fitted on them, which flatters the figure.
    chose: bool = False
    withheld_without: Annotated[int, Field(ge=0)]
    withheld: Annotated[int, Field(ge=0)]


class EntailmentCard(Model):
    """What loading needs to know of an adapter, with where it comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: Literal[1] = 1
    name: str
    base: str
    base_sha256: _Sha256
    adapter_sha256: _Sha256
    #: Layers of the base that stay as they are, counted from below.
    kept_layers: Annotated[int, Field(ge=0)]
    max_tokens: Annotated[int, Field(ge=32, le=512)]
    #: How sure the scorer must be to overrule which objection of the rules.
    decision: Decision
    figures: tuple[EntailmentFigure, ...] = ()
    #: Hash of the training pairs, and how many of what: see CARD.md.
    data_sha256: _Sha256
    counts: Mapping[str, int]
    config: Mapping[str, int | float]
    training_s: Annotated[float, Field(ge=0)]


def save_adapter(folder: Path, weights: Mapping[str, Any], **card: Any) -> EntailmentCard:
    """Write an adapter with its card.

    Args:
        weights: tensors by their names in the network: "encoder. ..." of the trained layers, "head. ..." all.
        card: the fields of the card besides the hashes of the base and of what is written.
    """
    torch, safetensors = importlib.import_module("torch"), importlib.import_module("safetensors.torch")
    folder.mkdir(parents=True, exist_ok=True)
    held = {
        name: value.contiguous() if name.startswith("head.") else value.to(torch.bfloat16).contiguous()
        for name, value in sorted(weights.items())
    }
    content: bytes = safetensors.save(held)
    made = EntailmentCard(
        base=BaseModel.name,
        base_sha256=BaseModel().sha256,
        adapter_sha256=hashlib.sha256(content).hexdigest(),
        **card,
    )
    with write_atomically(folder / ADAPTER_FILE) as file:
        file.write(content)
    write_card(folder, made)
    return made


def write_card(folder: Path, card: EntailmentCard) -> None:
    """Write the card that loading reads; the adapter stays."""
    with write_atomically(folder / CARD_FILE) as file:
        file.write(card.model_dump_json(indent=1).encode() + b"\n")


def read_card(folder: Path) -> EntailmentCard:
    """The card in `folder`.

    Raises:
        EntailmentError: there is none, or it is damaged or of another version.
    """
    try:
        return EntailmentCard.model_validate_json((folder / CARD_FILE).read_bytes())
    except OSError as error:
        raise EntailmentError(f"There is no entailment adapter in {folder.name}.") from error
    except ValidationError as error:
        raise EntailmentError(
            f"The card of the entailment adapter in {folder.name} is damaged, or of another version: train it again."
        ) from error


def new_network(base: BaseModel) -> EntailmentNetwork:
    """The base with an untrained head, float32, in evaluation mode.

    Raises:
        EntailmentError: a package is missing or the weights cannot be read.
    """
    try:
        network = importlib.import_module("agent.gate.entailment.network").EntailmentNetwork
        return network(base.encoder(), base.width).eval()  # type: ignore[no-any-return]
    except (ImportError, RerankerError) as error:
        raise EntailmentError(NOT_INSTALLED) from error


def loaded_network(folder: Path, card: EntailmentCard, base: BaseModel) -> EntailmentNetwork:
    """The base with the adapter's layers and head in place.

    Raises:
        EntailmentError: the adapter belongs to another base, or the file is not the card's.
    """
    try:
        if card.base_sha256 != base.sha256:
            raise EntailmentError(f"The entailment adapter was trained on another {card.base} than the one installed.")
        content = (folder / ADAPTER_FILE).read_bytes()
        if hashlib.sha256(content).hexdigest() != card.adapter_sha256:
            raise EntailmentError("The entailment adapter is not the one its card describes: install it again.")
        weights = importlib.import_module("safetensors.torch").load(content)
        network = new_network(base)
        own = network.state_dict()
        wrong = [name for name, value in weights.items() if name not in own or own[name].shape != value.shape]
        missing = [name for name in own if name.startswith("head.") and name not in weights]
        if wrong or missing:
            raise EntailmentError("The entailment adapter does not fit this version: train it again.")
        network.load_state_dict({**own, **{name: value.float() for name, value in weights.items()}})
    except ImportError as error:
        raise EntailmentError(NOT_INSTALLED) from error
    except RerankerError as error:
        raise EntailmentError("The base of the entailment scorer cannot be read: install it again.") from error
    except (OSError, RuntimeError, ValueError) as error:
        raise EntailmentError(f"The entailment adapter cannot be loaded: {type(error).__name__}.") from error
    return network
