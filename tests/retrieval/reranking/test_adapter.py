"""If these fail, the search is ordered by scores of a model that nobody measured."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from retrieval import CrossEncoderReranker, RerankerError
from retrieval.reranking import PACKAGED_ADAPTER, Reranker, ScriptedReranker, read_card, revise_card

_LIMIT_BYTES = 25_000_000


def test_what_ships_is_small_and_has_a_card_for_people_too() -> None:
    assert sum(path.stat().st_size for path in PACKAGED_ADAPTER.iterdir()) < _LIMIT_BYTES
    card, text = read_card(PACKAGED_ADAPTER), (PACKAGED_ADAPTER / "CARD.md").read_text(encoding="utf-8")
    for part in (card.adapter_sha256, card.base_sha256, card.data_sha256):
        assert part in text
    for figure in card.figures:
        assert f"| {figure.name} | {figure.queries} |" in text


def test_it_is_used_by_default_only_where_it_helped_and_harmed_nowhere() -> None:
    card = read_card(PACKAGED_ADAPTER)
    helped = any(one.low > 0 for one in card.figures) and not any(one.high < 0 for one in card.figures)
    assert card.helps == helped
    assert card.weight_chosen_on not in {one.name for one in card.figures}


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PACKAGED_ADAPTER, tmp_path / "adapter"))


def test_a_folder_without_a_card_or_with_a_damaged_one_is_refused(copied: Path) -> None:
    (copied / "card.json").write_text("{")
    with pytest.raises(RerankerError, match="damaged"):
        read_card(copied)
    (copied / "card.json").unlink()
    with pytest.raises(RerankerError, match="no reranker adapter"):
        read_card(copied)


def test_revising_a_card_keeps_the_rest(copied: Path) -> None:
    before = read_card(copied)
    assert revise_card(copied, weight=0.25) == before.model_copy(update={"weight": 0.25}) == read_card(copied)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("field", "why"), [("base_sha256", "another all-MiniLM-L6-v2"), ("adapter_sha256", "not the one its card")]
)
def test_another_base_or_other_weights_are_refused(copied: Path, field: str, why: str) -> None:
    card = json.loads((copied / "card.json").read_text())
    (copied / "card.json").write_text(json.dumps({**card, field: "0" * 64}))
    with pytest.raises(RerankerError, match=why):
        CrossEncoderReranker(copied).score("a", ["b"])


@pytest.mark.slow
def test_an_adapter_of_other_passage_texts_is_refused(copied: Path) -> None:
    revise_card(copied, text_version="0")
    with pytest.raises(RerankerError, match="other passage texts"):
        CrossEncoderReranker(copied).score("a", ["b"])


@pytest.mark.parametrize(
    "make", [ScriptedReranker, pytest.param(CrossEncoderReranker, marks=pytest.mark.slow)], ids=["scripted", "trained"]
)
class TestEveryReranker:
    """The contract of `Reranker`."""

    def test_it_scores_each_passage_and_the_answer_highest(self, make: type[Reranker]) -> None:
        passages = ["Migraine is a headache.", "Gout is treated with colchicine.", "Asthma is treated with salbutamol."]
        scores = make().score("How is gout treated?", passages)
        assert len(scores) == 3
        assert max(scores) == scores[1]

    def test_a_score_does_not_depend_on_what_it_comes_with(self, make: type[Reranker]) -> None:
        passages = ["Gout is treated with colchicine.", "Asthma. " + "It is treated with salbutamol. " * 60, ""]
        made = make()
        together = made.score("How is gout treated?", passages)
        alone = [made.score("How is gout treated?", [passage])[0] for passage in passages]
        assert together == pytest.approx(alone, abs=0.25)  # bfloat16; scores differ by several units

    def test_nothing_gets_no_scores(self, make: type[Reranker]) -> None:
        assert make().score("How is gout treated?", []) == []

    def test_a_question_longer_than_the_model_reads_is_scored(self, make: type[Reranker]) -> None:
        assert len(make().score("gout " * 2000, ["Gout.", "Asthma."])) == 2

    def test_it_has_a_name_and_a_fingerprint(self, make: type[Reranker]) -> None:
        assert make().name
        assert make().fingerprint
