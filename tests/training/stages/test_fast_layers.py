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


def test_openings_weigh_more_in_training_and_not_in_a_held_out_loss(tiny_base: Path) -> None:
    import torch

    from training.stages.scoring import Openings, opening_weights, score_labelled_only

    mask = torch.tensor([[0, 1, 1, 1, 0, 1, 0, 1], [1, 1, 0, 0, 0, 0, 0, 0]]).bool()
    weights = opening_weights(mask, Openings(tokens=2, weight=3.0))
    assert weights.tolist() == [[1, 3, 3, 1, 1, 3, 1, 3], [3, 3, 1, 1, 1, 1, 1, 1]]
    even, weighted, given = model_of(tiny_base, fused=True), model_of(tiny_base, fused=False), batch()
    score_labelled_only(weighted.get_base_model(), Openings(tokens=3, weight=2.0))
    with torch.no_grad():
        alike, other = even(**given, fused_lm_head=True), weighted(**given, fused_lm_head=True)
        twice = opening_weights(alike.label_mask, Openings(3, 2.0))
        wanted = -(alike.log_probs * twice).sum() / alike.label_mask.sum()
        assert float(other.loss) == pytest.approx(float(wanted), rel=1e-4)
        assert float(weighted.eval()(**given, fused_lm_head=True).loss) == pytest.approx(float(alike.loss), rel=1e-4)


@pytest.mark.parametrize("tokens", [1, 128, 129, 300])
def test_attention_in_blocks_is_attention(tokens: int) -> None:
    import torch

    from training.stages.causal_attention import causal_attention

    generator = torch.Generator().manual_seed(tokens)
    query, key, value = (
        torch.randn(2, heads, tokens, 8, generator=generator, requires_grad=True) for heads in (6, 2, 2)
    )
    above = torch.randn(2, 6, tokens, 8, generator=generator)
    theirs = torch.nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
    wanted = torch.autograd.grad(theirs, (query, key, value), above)
    ours = causal_attention(query, key, value, 8**-0.5)
    found = torch.autograd.grad(ours, (query, key, value), above)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_a_model_attends_alike_in_blocks_with_and_without_padding(tiny_base: Path) -> None:
    import torch

    from training.stages.causal_attention import use_causal_blocks

    plain, fast, given = model_of(tiny_base, fused=True), model_of(tiny_base, fused=True), batch()
    assert use_causal_blocks(fast.get_base_model())
    padded = {**given, "attention_mask": given["attention_mask"].clone()}
    padded["attention_mask"][1, 15:] = 0
    padded["labels"][1, 15:] = -100
    for one in (given, padded):
        ours, theirs = fast(**one, fused_lm_head=True), plain(**one, fused_lm_head=True)
        torch.testing.assert_close(ours.log_probs, theirs.log_probs, rtol=1e-4, atol=1e-5)
        assert ours.loss.item() == pytest.approx(theirs.loss.item(), rel=1e-5)


def test_rows_that_are_computed_at_the_same_time_are_of_like_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process would wait for the other, a sixth of the time in a real stage."""
    from training.stages.supervised import shared_rows

    lengths = [10, 90, 11, 95, 50, 52, 7]
    assert shared_rows(lengths, lengths, 0) == lengths
    monkeypatch.setenv("WORLD_SIZE", "2")
    ordered = list(shared_rows(lengths, lengths, 0))
    assert sorted(ordered) == sorted(lengths)
    assert {frozenset(ordered[at : at + 2]) for at in (0, 2, 4)} == {
        frozenset({7, 10}),
        frozenset({11, 50}),
        frozenset({52, 90}),
    }
    assert ordered == list(shared_rows(lengths, lengths, 0))
    assert ordered[-1] == 95


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
