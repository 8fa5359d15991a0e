"""If these fail, a card says less than what was done, or loading cannot read it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.prompts import prompt_sha256
from agent.templates import chat_template_sha256
from service.model.adapter import AdapterCard
from training.stages import (
    DataFile,
    Figure,
    TrainedAdapterCard,
    TrainingConfigError,
    read_trained_card,
    with_figures,
    write_card,
)

CARD = TrainedAdapterCard(
    name="own",
    stage="sft",
    base="tiny",
    base_sha256="0" * 64,
    template_sha256=chat_template_sha256(),
    prompt_sha256=prompt_sha256(),
    adapter_sha256="1" * 64,
    gate_sha256="2" * 64,
    data=(
        DataFile(
            name="a.jsonl",
            sha256="3" * 64,
            rows=3,
            tokens=30,
            loss_tokens=9,
            licences={"CC0-1.0": 2, "none stated": 1},
            sources={"made": 3},
        ),
    ),
    rows=3,
    config={"rank": 8, "earlier_share": 0.3},
    steps=4,
    tokens=30,
    seconds=60,
    tokens_per_s=0.5,
    peak_memory_gb=1.5,
    hardware="CPU",
    final_loss=0.5,
    versions={"trl": "1.16.0"},
    trained_at=datetime(2026, 1, 2, tzinfo=UTC),
)


def test_loading_reads_what_training_writes(tmp_path: Path) -> None:
    write_card(tmp_path, CARD)
    read = AdapterCard.model_validate_json((tmp_path / "adapter.json").read_bytes())
    assert (read.name, read.prompt_sha256, read.template_sha256) == ("own", prompt_sha256(), chat_template_sha256())
    assert read_trained_card(tmp_path) == CARD


def test_people_read_the_same(tmp_path: Path) -> None:
    write_card(tmp_path, CARD)
    text = (tmp_path / "CARD.md").read_text()
    assert "Not measured yet." in text
    for said in ("0" * 64, "2" * 64, "none stated | 1", "earlier_share | 0.3", "1.5 GB", "not measured"):
        assert said in text, said
    with_figures(tmp_path, (Figure(set="test", name="gold cited", value=0.712, low=0.66, high=0.76, n=200),))
    text = (tmp_path / "CARD.md").read_text()
    assert "| test | gold cited | 0.712 | 0.660 to 0.760 | 200 |" in text
    assert "Not measured yet." not in text


def test_a_folder_without_a_card_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TrainingConfigError, match="no card"):
        read_trained_card(tmp_path)
