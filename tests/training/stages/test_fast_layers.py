"""If these fail, training is fast and wrong: another loss or another gradient than TRL's and PEFT's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default")]


def model_of(base: Path, *, fused: bool, dropout: float = 0.0) -> Any:
    import peft
    import torch
    import transformers
    from trl.trainer.utils import add_fused_lm_head

    from training.stages.low_rank import fuse_low_rank
    from training.stages.scoring import score_labelled_only

    model: Any = transformers.AutoModelForCausalLM.from_pretrained(str(base), dtype=torch.float32)
    torch.manual_seed(1)
    update = peft.LoraConfig(r=4, lora_alpha=8, lora_dropout=dropout, target_modules="all-linear")
    model = peft.get_peft_model(model, update)
    # A new update is zero in one factor, which would hide what the other does.
    for name, value in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=0.1)
    add_fused_lm_head(model.get_base_model(), outputs=("log_probs", "entropy", "mean_logits", "is_top1"))
    if fused:
        score_labelled_only(model.get_base_model())
        assert fuse_low_rank(model) == 14
    return model.train()


def batch() -> dict[str, Any]:
    import torch

    ids = torch.randint(3, 200, (2, 20), generator=torch.Generator().manual_seed(2))
    labels = ids.clone()
    labels[0, :12] = -100
    labels[1, 5:] = -100
    return {"input_ids": ids, "labels": labels, "attention_mask": torch.ones_like(ids)}


def test_loss_figures_and_gradients_are_those_of_trl_and_peft(tiny_base: Path) -> None:
    import torch

    plain, fast = model_of(tiny_base, fused=False), model_of(tiny_base, fused=True)
    ours, theirs = fast(**batch(), fused_lm_head=True), plain(**batch(), fused_lm_head=True)
    for name in ("loss", "log_probs", "entropy", "mean_logits"):
        torch.testing.assert_close(getattr(ours, name), getattr(theirs, name), rtol=1e-4, atol=1e-5, msg=name)
    assert torch.equal(ours.is_top1, theirs.is_top1)
    assert torch.equal(ours.label_mask, theirs.label_mask)
    ours.loss.backward()
    theirs.loss.backward()
    grads = {name: value.grad for name, value in plain.named_parameters() if value.requires_grad}
    assert len(grads) == 28
    for name, value in fast.named_parameters():
        if value.requires_grad:
            torch.testing.assert_close(value.grad, grads[name], rtol=1e-3, atol=1e-6, msg=name)


def test_the_loss_is_cross_entropy_over_labelled_tokens(tiny_base: Path) -> None:
    import torch

    fast, given = model_of(tiny_base, fused=True), batch()
    with torch.no_grad():
        logits = fast(input_ids=given["input_ids"]).logits[:, :-1]
        wanted = torch.nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), given["labels"][:, 1:].ravel())
        assert float(fast(**given, fused_lm_head=True).loss) == pytest.approx(float(wanted), rel=1e-5)


def test_a_batch_without_labels_has_a_loss_of_nothing(tiny_base: Path) -> None:
    import torch

    fast, given = model_of(tiny_base, fused=True), batch()
    given["labels"] = torch.full_like(given["labels"], -100)
    loss = fast(**given, fused_lm_head=True).loss
    loss.backward()
    assert float(loss.detach()) == 0


def test_what_is_not_plain_keeps_pefts_own_way(tiny_base: Path) -> None:
    import torch

    plain, fast = model_of(tiny_base, fused=False), model_of(tiny_base, fused=True)
    with torch.no_grad():
        changed = fast(input_ids=batch()["input_ids"]).logits
        with plain.disable_adapter(), fast.disable_adapter():
            without = fast(input_ids=batch()["input_ids"]).logits
            torch.testing.assert_close(without, plain(input_ids=batch()["input_ids"]).logits)
    assert not torch.allclose(changed, without)
    dropped = model_of(tiny_base, fused=True, dropout=0.5)
    with torch.no_grad():
        first, second = (dropped(input_ids=batch()["input_ids"]).logits for _ in range(2))
    assert not torch.equal(first, second)
