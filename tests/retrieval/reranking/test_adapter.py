"""If these fail, the search is ordered by scores of a model that nobody measured."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from retrieval import CrossEncoderReranker, RerankerError
from retrieval.reranking import (
    PACKAGED_ADAPTER,
    Reranker,
    ScriptedReranker,
    SetFigure,
    helps,
    read_card,
    revise_card,
)

_LIMIT_BYTES = 25_000_000


def test_what_ships_is_small_and_has_a_card_for_people_too() -> None:
    assert sum(path.stat().st_size for path in PACKAGED_ADAPTER.iterdir()) < _LIMIT_BYTES
    card, text = read_card(PACKAGED_ADAPTER), (PACKAGED_ADAPTER / "CARD.md").read_text(encoding="utf-8")
    for part in (card.adapter_sha256, card.base_sha256, card.data_sha256):
        assert part in text
    for one in card.figures:
        assert f"| {one.name} |" in text


def test_what_ships_is_used_by_default_only_where_its_figures_say_so() -> None:
    card = read_card(PACKAGED_ADAPTER)
    assert card.helps == helps(card.figures)
    assert any(not one.chose for one in card.figures)


def figure(name: str, low: float, high: float) -> SetFigure:
    return SetFigure(name=name, queries=9, without=0.5, reranked=0.5, difference=(low + high) / 2, low=low, high=high)


_BETTER, _WORSE, _SAME = (0.01, 0.05), (-0.05, -0.01), (-0.02, 0.03)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        pytest.param({"guidelines-test": _BETTER, "starter": _SAME}, True, id="better"),
        pytest.param({"guidelines-test": _SAME, "written-dev": _BETTER, "starter": _SAME}, True, id="better in dev"),
        pytest.param({"guidelines-test": _SAME, "written-dev": _SAME, "starter": _BETTER}, False, id="starter alone"),
        pytest.param({"guidelines-test": _BETTER, "starter": _WORSE}, False, id="worse on starter"),
        pytest.param({"guidelines-test": _WORSE, "written-dev": _BETTER}, False, id="worse on guidelines"),
        pytest.param({"guidelines-test": _BETTER, "bioasq": _WORSE, "nfcorpus": _WORSE}, True, id="other kinds"),
        pytest.param({"bioasq": _BETTER, "mediqa-validation": _BETTER}, False, id="only other kinds"),
        pytest.param({}, False, id="not measured"),
    ],
)
def test_it_helps_where_clinicians_questions_on_guidelines_gain_and_none_of_them_lose(
    figures: dict[str, tuple[float, float]], expected: bool
) -> None:
    assert helps(figure(name, low, high) for name, (low, high) in figures.items()) == expected


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
