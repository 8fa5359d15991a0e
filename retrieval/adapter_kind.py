"""Adapters on disk: what was trained, and the card that says of what and how well. One mechanism for all kinds.

A folder with `adapter.safetensors` (a scoring head in float32, all else in bfloat16), `card.json` (read here) and
`CARD.md` (for people). Loading refuses a file that is not the card's and a base that is not the one the adapter was
trained on: both would give numbers nobody measured.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel as Model
from pydantic import ConfigDict, Field, ValidationError

from retrieval.files import write_atomically

ADAPTER_FILE, CARD_FILE = "adapter.safetensors", "card.json"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class TrainedOn(Model):
    """What every card says: which weights these are, and of which base."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Name of the base, and hash of its weights and tokeniser.
    base: str
    base_sha256: Sha256
    adapter_sha256: Sha256


Card = TypeVar("Card", bound=TrainedOn)


class AdapterKind(Generic[Card]):
    """Reading and writing adapters of one kind."""

    def __init__(self, card: type[Card], what: str, error: type[Exception]) -> None:
        """Name the kind.

        Args:
            card: what its cards hold.
            what: it is called in messages, "reranker adapter".
            error: an adapter is refused with.
        """
        self._card = card
        self._what = what
        self._error = error

    def save(self, folder: Path, weights: Mapping[str, Any], *, base: str, base_sha256: str, **card: Any) -> Card:
        """Write an adapter with its card.

        Args:
            weights: torch tensors by name; those of a head begin with "head.".
            card: the fields of the card besides the base and the hashes.
        """
        torch, safetensors = importlib.import_module("torch"), importlib.import_module("safetensors.torch")
        folder.mkdir(parents=True, exist_ok=True)
        held = {
            name: value.contiguous() if name.startswith("head.") else value.to(torch.bfloat16).contiguous()
            for name, value in sorted(weights.items())
        }
        content: bytes = safetensors.save(held)
        digest = hashlib.sha256(content).hexdigest()
        made = self._card(base=base, base_sha256=base_sha256, adapter_sha256=digest, **card)
        with write_atomically(folder / ADAPTER_FILE) as file:
            file.write(content)
        self._write_card(folder, made)
        return made

    def revise_card(self, folder: Path, **changes: Any) -> Card:
        """Write the card in `folder` anew with some fields changed; the adapter stays.

        Raises:
            The kind's error: there is no card, or it is damaged or of another version.
        """
        card = self._card.model_validate({**self.read_card(folder).model_dump(), **changes})
        self._write_card(folder, card)
        return card

    def read_card(self, folder: Path) -> Card:
        """The card in `folder`.

        Raises:
            The kind's error: there is none, or it is damaged or of another version.
        """
        try:
            return self._card.model_validate_json((folder / CARD_FILE).read_bytes())
        except OSError as error:
            raise self._error(f"There is no {self._what} in {folder.name}.") from error
        except ValidationError as error:
            raise self._error(
                f"The card of the {self._what} in {folder.name} is damaged, or of another version: train it again."
            ) from error

    def read_weights(self, folder: Path, card: Card, base_sha256: str) -> dict[str, Any]:
        """The tensors by name, as they were saved.

        Args:
            base_sha256: of the base that is installed.

        Raises:
            The kind's error: the adapter belongs to another base, or the file is not the card's.
            ImportError: safetensors or torch is not installed.
            OSError: the file cannot be read.
        """
        if card.base_sha256 != base_sha256:
            raise self._error(f"The {self._what} was trained on another {card.base} than the one installed.")
        content = (folder / ADAPTER_FILE).read_bytes()
        if hashlib.sha256(content).hexdigest() != card.adapter_sha256:
            raise self._error(f"The {self._what} is not the one its card describes: install it again.")
        weights: dict[str, Any] = importlib.import_module("safetensors.torch").load(content)
        return weights

    def _write_card(self, folder: Path, card: Card) -> None:
        with write_atomically(folder / CARD_FILE) as file:
            file.write(card.model_dump_json(indent=1).encode() + b"\n")
