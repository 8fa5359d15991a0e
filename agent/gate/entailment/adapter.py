"""The adapter of the entailment scorer on disk: the upper layers of the encoder with a head, and its card.

How it lies there: `retrieval.adapter_kind`.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel as Model
from pydantic import ConfigDict, Field

from agent.errors import EntailmentError
from agent.gate.entailment.decision import Decision
from retrieval import RerankerError
from retrieval.adapter_kind import AdapterKind, Sha256, TrainedOn
from retrieval.reranking import BaseModel

if TYPE_CHECKING:
    from agent.gate.entailment.network import EntailmentNetwork

NOT_INSTALLED = "The entailment scorer is not installed: pip install 'clinsearch[dense]'."


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


class EntailmentCard(TrainedOn):
    """What loading needs to know of an adapter, with where it comes from."""

    schema_version: Literal[1] = 1
    name: str
    #: Layers of the base that stay as they are, counted from below.
    kept_layers: Annotated[int, Field(ge=0)]
    max_tokens: Annotated[int, Field(ge=32, le=512)]
    #: How sure the scorer must be to overrule which objection of the rules.
    decision: Decision
    figures: tuple[EntailmentFigure, ...] = ()
    #: Hash of the training pairs, and how many of what: see CARD.md.
    data_sha256: Sha256
    counts: Mapping[str, int]
    config: Mapping[str, int | float]
    training_s: Annotated[float, Field(ge=0)]


ENTAILMENT_ADAPTERS = AdapterKind(EntailmentCard, "entailment adapter", EntailmentError)
read_card, revise_card = ENTAILMENT_ADAPTERS.read_card, ENTAILMENT_ADAPTERS.revise_card


def save_adapter(folder: Path, weights: Mapping[str, Any], **card: Any) -> EntailmentCard:
    """Write an adapter with its card.

    Args:
        weights: tensors by their names in the network: "encoder. ..." of the trained layers, "head. ..." all.
        card: the fields of the card besides the base and the hashes.
    """
    return ENTAILMENT_ADAPTERS.save(folder, weights, base=BaseModel.name, base_sha256=BaseModel().sha256, **card)


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
        weights = ENTAILMENT_ADAPTERS.read_weights(folder, card, base.sha256)
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
