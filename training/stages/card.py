"""The card of an adapter: what it is, where it comes from, how well it does.

`adapter.json` is what loading reads (service/model/adapter.py) and everything else known of the adapter; `CARD.md` says
the same to people.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.caution import Caution
from training.errors import TrainingConfigError
from training.stages.rows import DataFile

CARD_NAME, CARD_TEXT, WEIGHTS_NAME = "adapter.json", "CARD.md", "adapter_model.safetensors"


class Figure(BaseModel):
    """One measured quantity with its 95 % interval."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    set: str
    name: str
    value: float
    low: float | None = None
    high: float | None = None
    n: Annotated[int, Field(ge=0)] | None = None


class TrainedAdapterCard(BaseModel):
    """What is known of a trained adapter; hashes are SHA-256 in hex."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    schema_version: Literal[1] = 1
    name: str
    stage: str
    base: str
    base_sha256: str | None
    #: The adapter that the stage started from.
    init: str | None = None
    init_sha256: str | None = None
    template_sha256: str
    prompt_sha256: str
    adapter_sha256: str
    gate_sha256: str
    data: tuple[DataFile, ...]
    #: Trained on, where more was given than used.
    rows: int
    config: Mapping[str, Any]
    steps: int
    tokens: int
    seconds: float
    tokens_per_s: float
    peak_memory_gb: float
    hardware: str
    final_loss: float | None = None
    dev_loss_before: float | None = None
    dev_loss: float | None = None
    dev_data: DataFile | None = None
    versions: Mapping[str, str]
    trained_at: datetime
    #: Fitted on development questions, see `agent.run.AgentSettings.caution`; part of what is served.
    caution: Caution = Caution()
    figures: tuple[Figure, ...] = ()
    limits: tuple[str, ...] = (
        "English only. Questions were built from the corpora or written by language models; real ones are fewer, and "
        "no clinician judged which passages answer them.",
        "It chooses actions and words an answer from the passages shown; it knows no medicine by itself, and every "
        "sentence still passes the gate before it is shown.",
        "It is bound to the chat template and the prompt by their hashes; after either changes it is trained again.",
        "It has seen no question about a single real patient.",
    )


def write_card(folder: Path, card: TrainedAdapterCard) -> None:
    """Both files."""
    (folder / CARD_NAME).write_text(card.model_dump_json(indent=1) + "\n", encoding="utf-8")
    (folder / CARD_TEXT).write_text(card_text(card), encoding="utf-8")


def read_trained_card(folder: Path) -> TrainedAdapterCard:
    """The card in a folder.

    Raises:
        TrainingConfigError: there is none, or it is damaged.
    """
    try:
        return TrainedAdapterCard.model_validate_json((folder / CARD_NAME).read_bytes())
    except (OSError, ValidationError) as error:
        raise TrainingConfigError(f"{folder.name} has no card of a trained adapter.") from error


def with_figures(folder: Path, figures: tuple[Figure, ...]) -> TrainedAdapterCard:
    """Write measured figures into the card; earlier ones are replaced.

    Raises:
        TrainingConfigError: there is no card.
    """
    card = read_trained_card(folder).model_copy(update={"figures": figures})
    write_card(folder, card)
    return card


def with_caution(folder: Path, caution: Caution) -> TrainedAdapterCard:
    """Write what was fitted for the adapter into its card. Figures that were measured without it go.

    Raises:
        TrainingConfigError: there is no card.
    """
    card = read_trained_card(folder).model_copy(update={"figures": (), "caution": caution})
    write_card(folder, card)
    return card


def now() -> datetime:
    """The time a card is dated."""
    return datetime.now(UTC)


def card_text(card: TrainedAdapterCard) -> str:
    """CARD.md as a whole."""
    parts = [
        f"# {card.name}",
        f"A low-rank update (LoRA) of {card.base} for the actions and answers of this search agent, stage "
        f"`{card.stage}`. The base is not in this folder. Apache-2.0 like the project; data as below.",
        _table(
            ("", ""),
            [
                ("base", f"{card.base}, SHA-256 `{card.base_sha256 or 'not hashed'}`"),
                ("started from", f"{card.init} `{card.init_sha256}`" if card.init else "a new update"),
                ("weights", f"`{card.adapter_sha256}`"),
                ("prompt", f"`{card.prompt_sha256}`"),
                ("chat template", f"`{card.template_sha256}`"),
                ("gate, unchanged from before training to its end", f"`{card.gate_sha256}`"),
                ("caution: taken from the log-odds of answering, fitted on development questions", str(card.caution)),
                ("trained", card.trained_at.strftime("%Y-%m-%d")),
            ],
        ),
        "## Figures",
        _figures(card),
        "## Data",
        _table(
            ("file", "rows", "tokens", "of which sampled", "SHA-256"),
            [(d.name, d.rows, d.tokens, d.loss_tokens, f"`{d.sha256[:16]}`") for d in card.data],
        ),
        _table(("licence", "rows"), _counted([data.licences for data in card.data])),
        _table(("source of the question", "rows"), _counted([data.sources for data in card.data])),
        f"Rows trained on: {card.rows}. Loss falls on what the agent's model said and on nothing it was shown.",
        "## Training",
        _table(
            ("", ""),
            [
                ("steps", card.steps),
                ("tokens, about", card.tokens),
                ("time in steps", f"{card.seconds / 60:.1f} min"),
                ("tokens a second", f"{card.tokens_per_s:.0f}"),
                ("peak memory", f"{card.peak_memory_gb:.1f} GB"),
                ("hardware", card.hardware),
                ("loss at the end, mean of the last ten steps", _number(card.final_loss)),
                ("loss on held-out rows before", _number(card.dev_loss_before)),
                ("and after", _number(card.dev_loss)),
            ],
        ),
        _table(("setting", ""), sorted(card.config.items())),
        _table(("library", "version"), sorted(card.versions.items())),
        "## Limits",
        "\n".join(f"- {limit}" for limit in card.limits),
    ]
    return "\n\n".join(parts) + "\n"


def _figures(card: TrainedAdapterCard) -> str:
    if not card.figures:
        return "Not measured yet."
    rows = [
        (
            one.set,
            one.name,
            f"{one.value:.3f}",
            "" if one.low is None or one.high is None else f"{one.low:.3f} to {one.high:.3f}",
            "" if one.n is None else one.n,
        )
        for one in card.figures
    ]
    return _table(("set", "measure", "value", "95 % interval", "n"), rows)


def _counted(maps: list[Mapping[str, int]]) -> list[tuple[object, ...]]:
    names = sorted({name for one in maps for name in one})
    return [(name, sum(one.get(name, 0) for one in maps)) for name in names]


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.3f}"


def _table(head: tuple[str, ...], rows: Any) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.replace("|", "\\|")
