"""If these fail, an exported file needs work before TRL takes it, or TRL trains on more or less than was sampled."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from agent import Rollout
from agent.rollout import Labels
from agent.scripted import ANSWER, cite_first, search
from retrieval import Passage
from training.export import (
    Export,
    ExportReport,
    TokenizerRenderer,
    divergence_pairs,
    message_rows,
    prompt_rows,
    thumbs_rows,
    token_rows,
    trajectory_pairs,
)
from training.stages import read_pairs, read_token_rows

from ..conftest import QUERY, MakeRollout, training_question

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]

LIMITS = Export(max_tokens=20_000)
END = "<|im_end|>"


@pytest.fixture(scope="module")
def runs(rollout: MakeRollout) -> list[Rollout]:
    """Two good runs and a bad one of one question; a person marked them."""
    made = [
        rollout(search(QUERY), ANSWER, cite_first),
        rollout(search(QUERY), search("cystitis in women"), ANSWER, cite_first, rep=1),
        rollout(search(QUERY), ANSWER, "Give 900 mg of paracetamol.", rep=2),
        rollout(search("paracetamol"), ANSWER, "Give 900 mg of paracetamol.", rep=3),
    ]
    marks = ("up", "up", "down", "down")
    return [
        run.model_copy(update={"labels": Labels.model_validate({"thumbs": mark})})
        for run, mark in zip(made, marks, strict=True)
    ]


def loaded(rows: Iterable[dict[str, Any]], folder: Path) -> Any:
    """The dataset that anyone gets who loads the file."""
    import datasets

    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return datasets.load_dataset("json", data_files=str(path), split="train", cache_dir=str(folder / "cache"))


def parts(base: Path) -> tuple[Any, Any]:
    import transformers

    return (
        transformers.AutoModelForCausalLM.from_pretrained(str(base)),
        transformers.AutoTokenizer.from_pretrained(str(base)),
    )


def settings(kind: Any, folder: Path, **more: Any) -> Any:
    return kind(
        output_dir=str(folder / "out"),
        max_steps=1,
        per_device_train_batch_size=2,
        use_cpu=True,
        bf16=False,
        report_to="none",
        activation_checkpointing=False,
        **more,
    )


def said_by(run: Rollout) -> list[str]:
    return [message.content + END for message in run.messages if message.role == "assistant"]


def under_loss(tokenizer: Any, row: dict[str, Any]) -> list[str]:
    pieces: list[list[int]] = [[]]
    for token, label in zip(row["input_ids"], row["labels"], strict=True):
        if label == -100:
            pieces.append([])
        else:
            assert token == label
            pieces[-1].append(token)
    return [tokenizer.decode(piece) for piece in pieces if piece]


@pytest.mark.parametrize("form", ["sft-tokens", "sft"])
def test_sft_trains_on_exactly_what_was_sampled(
    tiny_base: Path, tmp_path: Path, runs: list[Rollout], form: str
) -> None:
    import trl

    make = token_rows if form == "sft-tokens" else message_rows
    dataset = loaded(make(runs, TokenizerRenderer(tiny_base), LIMITS, ExportReport()), tmp_path)
    model, tokenizer = parts(tiny_base)
    trainer = trl.SFTTrainer(
        model=model,
        args=settings(trl.SFTConfig, tmp_path, max_length=None, assistant_only_loss=form == "sft"),
        train_dataset=dataset,
        processing_class=tokenizer,
    )
    assert [under_loss(tokenizer, row) for row in trainer.train_dataset] == [said_by(run) for run in runs]
    # And in the batch that the model is given.
    batch = trainer.data_collator([trainer.train_dataset[0], trainer.train_dataset[1]])
    sampled = sum(len(tokenizer(text)["input_ids"]) for run in runs[:2] for text in said_by(run))
    assert int((batch["labels"] != -100).sum()) == sampled
    assert trainer.train().training_loss > 0


def test_token_rows_are_what_the_stages_read(tiny_base: Path, tmp_path: Path, runs: list[Rollout]) -> None:
    rows = list(token_rows(runs, TokenizerRenderer(tiny_base), LIMITS, ExportReport()))
    loaded(rows, tmp_path)
    read = read_token_rows(tmp_path / "rows.jsonl", LIMITS.max_tokens)
    assert [list(row.labels) for row in read] == [row["labels"] for row in rows]


def test_dpo_compares_exactly_the_two_replies(
    tiny_base: Path, tmp_path: Path, runs: list[Rollout], gold: Passage
) -> None:
    import trl

    questions = {run.task_key: training_question(gold=(gold.id,)) for run in runs}
    unmarked = [run.model_copy(update={"labels": Labels()}) for run in runs]
    rows = list(divergence_pairs(unmarked, questions, TokenizerRenderer(tiny_base), LIMITS, ExportReport()))
    assert rows
    model, tokenizer = parts(tiny_base)
    trainer = trl.DPOTrainer(
        model=model,
        args=settings(trl.DPOConfig, tmp_path, max_length=None),
        train_dataset=loaded(rows, tmp_path),
        processing_class=tokenizer,
    )
    for row, exported in zip(trainer.train_dataset, rows, strict=True):
        # The template ends a turn with a line break, which belongs to no sample.
        assert tokenizer.decode(row["chosen_ids"]).removesuffix("\n") == exported["chosen"][0]["content"] + END
        assert tokenizer.decode(row["rejected_ids"]).removesuffix("\n") == exported["rejected"][0]["content"] + END
    assert trainer.train().training_loss > 0


def test_whole_runs_are_compared_by_what_was_sampled(
    tiny_base: Path, tmp_path: Path, runs: list[Rollout], gold: Passage
) -> None:
    from training.stages.preferred import SampledOnlyCollator

    questions = {run.task_key: training_question(gold=(gold.id,)) for run in runs}
    unmarked = [run.model_copy(update={"labels": Labels()}) for run in runs]
    renderer = TokenizerRenderer(tiny_base)
    rows = list(trajectory_pairs(unmarked, questions, renderer, LIMITS, ExportReport()))
    assert len(rows) == 2
    loaded(rows, tmp_path)
    pairs = read_pairs(tmp_path / "rows.jsonl", renderer, LIMITS.max_tokens)
    _, tokenizer = parts(tiny_base)
    batch = SampledOnlyCollator(pad_token_id=0)(
        [{name: list(value) for name, value in pair if isinstance(value, tuple)} for pair in pairs]
    )
    counted = [
        tokenizer.decode(ids[mask.bool()])
        for ids, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True)
    ]
    assert counted == ["".join(said_by(run)) for run in (unmarked[0], unmarked[1], unmarked[2], unmarked[3])]
    assert "Evidence:" in tokenizer.decode(batch["input_ids"][0])


def test_kto_takes_marks(tiny_base: Path, tmp_path: Path, runs: list[Rollout]) -> None:
    import trl

    rows = list(thumbs_rows(runs, TokenizerRenderer(tiny_base), LIMITS, ExportReport()))
    model, tokenizer = parts(tiny_base)
    trainer = trl.KTOTrainer(
        model=model,
        args=settings(trl.KTOConfig, tmp_path, max_length=None),
        train_dataset=loaded(rows, tmp_path),
        processing_class=tokenizer,
    )
    assert sorted(trainer.train_dataset["label"]) == [False, False, True, True]
    assert trainer.train().training_loss > 0


def test_prompts_are_what_sampling_trainers_take(tiny_base: Path, tmp_path: Path, runs: list[Rollout]) -> None:
    import trl

    dataset = loaded(prompt_rows(runs, TokenizerRenderer(tiny_base), LIMITS, ExportReport()), tmp_path)
    model, tokenizer = parts(tiny_base)
    trainer = trl.GRPOTrainer(
        model=model,
        reward_funcs=lambda completions, **_: [0.0 for _ in completions],
        args=settings(trl.GRPOConfig, tmp_path, num_generations=2, max_completion_length=4),
        train_dataset=dataset,
        processing_class=tokenizer,
    )
    batch = next(iter(trainer.get_train_dataloader()))
    assert [turn["role"] for turn in batch[0]["prompt"]] == ["system", "user"]
