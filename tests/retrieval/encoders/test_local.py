"""If these fail, a local model gives other vectors than its authors' own code would: its search is quietly worse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval.encoders import EncoderConfig, EncoderOptions, LocalEncoder, TowerConfig, Vectors, unit_rows
from retrieval.encoders.choice import QWEN3_INSTRUCTION, local_config
from retrieval.encoders.tower import batches, titled
from retrieval.errors import EncoderError

TEXTS = [
    "Asthma. Give inhaled salbutamol through a spacer.",
    "",
    "Gout",
    "Urinary tract infection. " + "Offer nitrofurantoin for three days. " * 9,
    "Stroke. Offer a statin. Then review.",
]


@given(st.lists(st.integers(0, 300), max_size=40), st.integers(8, 600))
def test_batches_hold_every_text_once_within_their_budget(lengths: list[int], budget: int) -> None:
    found = list(batches(lengths, budget))
    assert sorted(place for batch in found for place in batch) == list(range(len(lengths)))
    for batch in found:
        assert len(batch) == 1 or len(batch) * max(lengths[place] for place in batch) <= budget


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Gout. Start. Now.", ("Gout", "Start. Now.")),
        ("No heading", ("", "No heading")),
        ("", ("", "")),
    ],
    ids=["heading", "none", "empty"],
)
def test_a_pair_is_cut_at_the_first_separator(text: str, expected: tuple[str, str]) -> None:
    assert titled(text, ". ") == expected


def plain(directory: Path, texts: list[Any], *, limit: int, place: int | None, left: bool = False) -> Vectors:
    """Vectors by the shortest code the models' cards give: one text at a time, or padded on the left."""
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(directory, padding_side="left" if left else "right")
    model = transformers.AutoModel.from_pretrained(directory, dtype=torch.float32).eval()
    groups = [texts] if left else [[text] for text in texts]
    rows = []
    with torch.no_grad():
        for group in groups:
            parts = (
                ([pair[0] for pair in group], [pair[1] for pair in group]) if isinstance(group[0], tuple) else (group,)
            )
            encoded = tokenizer(*parts, truncation=True, padding=True, max_length=limit, return_tensors="pt")
            states = model(**encoded).last_hidden_state
            rows.append(states.mean(1) if place is None else states[:, place])
    return unit_rows(torch.cat(rows).numpy())


def config(directory: Path, **tower: Any) -> EncoderConfig:
    one = TowerConfig(model=str(directory), **tower)
    return EncoderConfig(name="tiny", queries=one, passages=one, precision="fp32", batch_tokens=256)


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_bert_pooling_is_the_models_own(tmp_path: Path, pooling: Any) -> None:
    from tests.retrieval.encoders.tiny_models import bert

    directory = bert(tmp_path)
    encoder = LocalEncoder(config(directory, pooling=pooling, max_tokens=64))
    expected = plain(directory, TEXTS, limit=64, place=None if pooling == "mean" else 0)
    np.testing.assert_allclose(encoder.encode_passages(TEXTS), expected, atol=2e-5)
    np.testing.assert_allclose(encoder.encode_queries(TEXTS), expected, atol=2e-5)


@pytest.mark.slow
def test_asymmetric_encoders_read_queries_and_titled_passages_apart(tmp_path: Path) -> None:
    from tests.retrieval.encoders.tiny_models import bert

    queries, articles = bert(tmp_path / "queries", seed=1), bert(tmp_path / "articles", seed=2)
    options = EncoderOptions(encoder="medcpt", model=str(articles), query_model=str(queries), precision="fp32")
    made = local_config(options)
    assert (made.queries.max_tokens, made.passages.max_tokens) == (64, 512)
    # The small model has 128 positions.
    encoder = LocalEncoder(made.model_copy(update={"passages": made.passages.model_copy(update={"max_tokens": 128})}))
    pairs = [titled(text, ". ") for text in TEXTS]
    np.testing.assert_allclose(encoder.encode_passages(TEXTS), plain(articles, pairs, limit=128, place=0), atol=2e-5)
    np.testing.assert_allclose(encoder.encode_queries(TEXTS), plain(queries, TEXTS, limit=64, place=0), atol=2e-5)


@pytest.mark.slow
def test_an_instruction_stands_before_queries_only_and_the_last_token_is_pooled(tmp_path: Path) -> None:
    from tests.retrieval.encoders.tiny_models import qwen3

    directory = qwen3(tmp_path)
    options = EncoderOptions(encoder="qwen3-embedding", model=str(directory), max_tokens=256, precision="fp32")
    encoder = LocalEncoder(local_config(options))
    instructed = [QWEN3_INSTRUCTION + text for text in TEXTS]
    expected = plain(directory, instructed, limit=256, place=-1, left=True)
    np.testing.assert_allclose(encoder.encode_queries(TEXTS), expected, atol=2e-5)
    np.testing.assert_allclose(
        encoder.encode_passages(TEXTS), plain(directory, TEXTS, limit=256, place=-1, left=True), atol=2e-5
    )


@pytest.mark.slow
def test_padding_does_not_move_positions(tmp_path: Path) -> None:
    from tests.retrieval.encoders.tiny_models import xlm_roberta

    directory = xlm_roberta(tmp_path)
    options = EncoderOptions(encoder="bge-m3", model=str(directory), max_tokens=256, precision="fp32")
    encoder = LocalEncoder(local_config(options))
    np.testing.assert_allclose(encoder.encode_passages(TEXTS), plain(directory, TEXTS, limit=256, place=0), atol=2e-5)


@pytest.mark.slow
def test_leading_components_are_kept_and_scaled_again(tmp_path: Path) -> None:
    from tests.retrieval.encoders.tiny_models import bert

    whole = config(bert(tmp_path), pooling="cls", max_tokens=64)
    short = LocalEncoder(whole.model_copy(update={"dimension": 8}))
    assert short.dimension == 8
    expected = unit_rows(LocalEncoder(whole).encode_passages(TEXTS)[:, :8])
    np.testing.assert_allclose(short.encode_passages(TEXTS), expected, atol=1e-6)
    with pytest.raises(EncoderError, match="32 components, fewer than 64"):
        LocalEncoder(whole.model_copy(update={"dimension": 64}))


@pytest.mark.slow
def test_fingerprints_follow_everything_that_decides_vectors(tmp_path: Path) -> None:
    """Were one missed, vectors of two kinds would meet in one index and rank at random."""
    from tests.retrieval.encoders.tiny_models import bert

    first, same, other = (bert(tmp_path / name, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    base = config(first, pooling="cls", max_tokens=64)

    def changed(side: str, **update: Any) -> EncoderConfig:
        return base.model_copy(update={side: getattr(base, side).model_copy(update=update)})

    variants = [
        base,
        changed("queries", prefix="query: "),
        changed("passages", prefix="query: "),
        changed("queries", pooling="mean"),
        changed("passages", max_tokens=32),
        changed("passages", pair_separator=". "),
        changed("queries", model=str(other)),
        changed("passages", model=str(other)),
        base.model_copy(update={"dimension": 8}),
    ]
    assert len({LocalEncoder(variant).fingerprint for variant in variants}) == len(variants)
    # The same weights elsewhere, or run in another way, are the same encoder.
    moved = config(same, pooling="cls", max_tokens=64).model_copy(update={"precision": "bf16", "batch_tokens": 64})
    assert LocalEncoder(moved).fingerprint == LocalEncoder(base).fingerprint


@pytest.mark.parametrize(
    ("model", "message"),
    [("nowhere/at/all", "set CLINSEARCH_ENCODER_MODEL"), ("", "set CLINSEARCH_ENCODER_MODEL"), (".", "config.json")],
    ids=["missing", "empty", "no-model"],
)
def test_a_directory_without_a_model_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EncoderError, match=message):
        LocalEncoder(config(Path(model) if model else Path("none"), pooling="cls", max_tokens=64))
