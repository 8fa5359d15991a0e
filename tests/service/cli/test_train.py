"""If these fail, training starts on the wrong thing, or ends in a traceback instead of a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from retrieval.reranking import BaseModel, read_card
from retrieval.reranking.adapter import DECIDING_SETS
from service.cli import app
from service.cli.train_reranker import choose, measure, write_adapter
from service.settings import Settings
from training.reranker import DevQuestion, RerankerConfig


def test_a_config_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    config = tmp_path / "small.toml"
    config.write_text("rank = 0")
    result = CliRunner().invoke(app, ["train", "reranker", "--config", str(config)])
    assert result.exit_code == 1
    assert "In the config small.toml, rank:" in result.stderr


def test_without_the_sets_to_keep_apart_from_nothing_is_trained(tmp_path: Path) -> None:
    places = {"CLINSEARCH_BENCHMARKS": str(tmp_path), "CLINSEARCH_DATA_DIR": str(tmp_path / "var")}
    result = CliRunner().invoke(app, ["train", "reranker", "--folder", str(tmp_path / "run")], env=places)
    assert result.exit_code == 1
    assert "kept apart from what is not there: k_qa_with_answers.jsonl.xz" in result.stderr
    assert not (tmp_path / "run").exists()


def test_without_the_real_questions_nothing_is_trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.cli.training_material.evaluated_sets", lambda _folder: ([], []))
    places = {"CLINSEARCH_QUESTIONS": str(tmp_path), "CLINSEARCH_DATA_DIR": str(tmp_path / "var")}
    result = CliRunner().invoke(app, ["train", "reranker", "--folder", str(tmp_path / "run")], env=places)
    assert result.exit_code == 1
    assert "put the publisher's file there" in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_the_smallest_share_of_those_that_serve_best_is_kept_and_both_cards_have_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.reranker.low_rank import add_low_rank  # with torch, which the fast tests do without
    from training.reranker.train import trained_weights

    network = BaseModel().network()
    config = RerankerConfig(kept_shares=(1.0, 0.5), rank=2)
    untrained = trained_weights(add_low_rank(network.encoder, rank=2, alpha=config.alpha), network)

    def write(share: float) -> None:
        write_adapter(
            tmp_path, untrained, share, config, none_score=6.0, data_sha256="0" * 64, counts={}, training_s=1.0
        )

    def dev(question: str, right: str, source: str) -> DevQuestion:
        return DevQuestion.model_validate(
            {
                "asked": {"question": question, "gold": ["b"], "source": source, "origin": "written", "part": "dev"},
                "passages": ["a", "b"],
                "first": [0.4, 0.3],
                "texts": ["Asthma. It is treated with salbutamol.", right],
            }
        )

    asked = [
        dev("colchicine in gout?", "Gout. It is treated with colchicine.", "guidelines"),
        # Of another source: decides nothing, or no weight would serve.
        dev("asthma and salbutamol?", "Gout. It is treated with colchicine.", "patient_information"),
    ]
    choose(tmp_path, write, asked, config, lambda _stage, _done, _total: None)
    card = read_card(tmp_path)
    assert (card.kept_share, card.none_score) == (0.5, 8.0)
    assert card.weight >= 1
    assert not card.helps
    monkeypatch.setattr("service.cli.train_reranker._FIGURES", ())
    measure(tmp_path, asked, Settings(), lambda _stage, _done, _total: None)
    figures = {one.name: (one.without, one.reranked, one.chose) for one in read_card(tmp_path).figures}
    assert figures == {"written-dev": (0.5, 1.0, True), "written-dev-patient_information": (0.5, 0.5, False)}
    # One question that gains, none that loses: what is measured on a set that decides is what the default follows.
    assert "written-dev" in DECIDING_SETS
    assert read_card(tmp_path).helps
    assert "| written-dev | MRR@30 | 1 |" in (tmp_path / "CARD.md").read_text(encoding="utf-8")
