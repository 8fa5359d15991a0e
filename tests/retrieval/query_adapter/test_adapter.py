"""If these fail, guidelines are searched with vectors that nobody measured."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from retrieval import EncoderError, HashingEncoder, MiniLmQueryEncoder
from retrieval.query_adapter import (
    PACKAGED_QUERY_ADAPTER,
    QUERY_ADAPTERS,
    QueryEncoder,
    QueryFigure,
    query_adapter_helps,
)

_LIMIT_BYTES = 25_000_000


def test_what_ships_is_small_and_has_a_card_for_people_too() -> None:
    assert sum(path.stat().st_size for path in PACKAGED_QUERY_ADAPTER.iterdir()) < _LIMIT_BYTES
    card = QUERY_ADAPTERS.read_card(PACKAGED_QUERY_ADAPTER)
    text = (PACKAGED_QUERY_ADAPTER / "CARD.md").read_text(encoding="utf-8")
    for part in (card.adapter_sha256, card.base_sha256, card.data_sha256):
        assert part in text
    for one in card.figures:
        assert f"| {one.name} |" in text


def test_what_ships_is_used_by_default_only_where_its_figures_say_so() -> None:
    card = QUERY_ADAPTERS.read_card(PACKAGED_QUERY_ADAPTER)
    assert card.helps == query_adapter_helps(card.figures)
    assert any(not one.chose for one in card.figures)


def figure(name: str, low: float, high: float, *, system: str = "tuned") -> QueryFigure:
    return QueryFigure.model_validate(
        {
            "name": name,
            "queries": 9,
            "measure": "nDCG@10",
            "system": system,
            "without": 0.5,
            "adapted": 0.5,
            "difference": (low + high) / 2,
            "low": low,
            "high": high,
        }
    )


_BETTER, _WORSE, _SAME = (0.01, 0.05), (-0.05, -0.01), (-0.02, 0.03)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        pytest.param([figure("guidelines-test", *_BETTER), figure("starter", *_SAME)], True, id="better"),
        pytest.param([figure("guidelines-test", *_SAME), figure("starter", *_BETTER)], False, id="starter alone"),
        pytest.param([figure("guidelines-test", *_BETTER), figure("starter", *_WORSE)], False, id="worse on starter"),
        pytest.param([figure("guidelines-test", *_BETTER, system="dense")], False, id="only the dense leg"),
        pytest.param([figure("written-dev", *_BETTER)], False, id="only what chose"),
        pytest.param([], False, id="not measured"),
    ],
)
def test_it_helps_where_the_search_of_guidelines_gains_and_no_such_set_loses(
    figures: list[QueryFigure], expected: bool
) -> None:
    assert query_adapter_helps(figures) == expected


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACKAGED_QUERY_ADAPTER, tmp_path / "adapter"))


def test_a_folder_without_a_card_or_with_a_damaged_one_is_refused(copied: Path) -> None:
    (copied / "card.json").write_text("{")
    with pytest.raises(EncoderError, match="damaged"):
        QUERY_ADAPTERS.read_card(copied)
    (copied / "card.json").unlink()
    with pytest.raises(EncoderError, match="no query adapter"):
        MiniLmQueryEncoder(copied)


def test_revising_a_card_keeps_the_rest(copied: Path) -> None:
    before = QUERY_ADAPTERS.read_card(copied)
    after = before.model_copy(update={"helps": not before.helps})
    assert QUERY_ADAPTERS.revise_card(copied, helps=not before.helps) == after == QUERY_ADAPTERS.read_card(copied)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "why"), [("base_sha256", "another all-MiniLM-L6-v2"), ("adapter_sha256", "not the one its card")]
)
def test_another_base_or_other_weights_are_refused(copied: Path, field: str, why: str) -> None:
    card = json.loads((copied / "card.json").read_text())
    (copied / "card.json").write_text(json.dumps({**card, field: "0" * 64}))
    with pytest.raises(EncoderError, match=why):
        MiniLmQueryEncoder(copied).encode_queries(["a"])


@pytest.mark.slow
def test_a_file_that_is_no_adapter_is_refused(copied: Path) -> None:
    (copied / "adapter.safetensors").unlink()
    with pytest.raises(EncoderError, match="cannot be loaded"):
        MiniLmQueryEncoder(copied).encode_queries(["a"])


@pytest.mark.parametrize(
    "make",
    [HashingEncoder, pytest.param(MiniLmQueryEncoder, marks=pytest.mark.slow)],
    ids=["scripted", "trained"],
)
class TestEveryQueryEncoder:
    """The contract of `QueryEncoder`."""

    def test_vectors_are_of_length_one_in_the_order_of_the_texts(self, make: type[QueryEncoder]) -> None:
        texts = ["Which drug for gout?", "Salbutamol in asthma, by which route?"]
        vectors = make().encode_queries(texts)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
        np.testing.assert_allclose(vectors[::-1], make().encode_queries(texts[::-1]), atol=1e-5)

    def test_a_vector_does_not_depend_on_what_it_comes_with(self, make: type[QueryEncoder]) -> None:
        made = make()
        together = made.encode_queries(["gout", "asthma " * 90])
        np.testing.assert_allclose(together[:1], made.encode_queries(["gout"]), atol=1e-5)

    def test_nothing_gives_no_vectors(self, make: type[QueryEncoder]) -> None:
        assert make().encode_queries([]).shape[0] == 0

    def test_a_question_longer_than_the_model_reads_is_encoded(self, make: type[QueryEncoder]) -> None:
        assert len(make().encode_queries(["gout " * 3000])) == 1

    def test_it_has_a_name_and_a_fingerprint(self, make: type[QueryEncoder]) -> None:
        assert make().name
        assert make().fingerprint


@pytest.mark.slow
def test_its_vectors_are_near_those_of_the_encoder_whose_passages_it_searches() -> None:
    from retrieval.encoders import MiniLmEncoder

    texts = ["Which antibiotic for cystitis in pregnancy?"]
    cosine = float((MiniLmQueryEncoder().encode_queries(texts) @ MiniLmEncoder().encode_queries(texts).T)[0, 0])
    assert 0.3 < cosine < 0.999
