"""If these fail, a deployment is reranked, or not, against its settings."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from retrieval import RerankerError, SourceId
from retrieval.reranking import LONGEST_DEADLINE_MS, PACKAGED_ADAPTER, read_card, revise_card
from service import container
from service.reranking import make_rerank_stage, make_reranker, rerank_settings
from service.settings import Settings


def copied(folder: Path, *, helps: bool) -> Path:
    folder.mkdir()
    for path in PACKAGED_ADAPTER.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    revise_card(folder, helps=helps, weight=0.4)
    return folder


def test_off_is_off() -> None:
    assert make_rerank_stage(Settings(rerank="off")) is None


@pytest.mark.parametrize("setting", ["auto", "off"])
def test_what_cannot_be_had_is_left_out_unless_it_was_asked_for(tmp_path: Path, setting: str) -> None:
    settings = Settings.model_validate({"rerank": setting, "rerank_adapter": tmp_path / "none"})
    assert make_rerank_stage(settings) is None


def test_on_without_an_adapter_says_so(tmp_path: Path) -> None:
    with pytest.raises(RerankerError, match="no reranker adapter in none"):
        make_rerank_stage(Settings(rerank="on", rerank_adapter=tmp_path / "none"))


def test_auto_follows_the_card_and_the_stage_its_settings(tmp_path: Path) -> None:
    helpless = Settings(rerank_adapter=copied(tmp_path / "helpless", helps=False))
    assert make_rerank_stage(helpless) is None
    helpful = Settings(
        rerank_adapter=copied(tmp_path / "helpful", helps=True), rerank_candidates=7, rerank_deadline_ms=70
    )
    chosen = rerank_settings(helpful, make_reranker(helpful))
    assert (chosen.candidates, chosen.deadline_ms, chosen.weight) == (7, 70, 0.4)
    assert chosen.sources == ("guidelines",)


def test_a_batch_waits_for_the_reranker_as_long_as_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else what a model learns from and is measured with would be the first order, the more the busier the machine."""
    opened: list[Settings] = []
    monkeypatch.setattr(container, "open_service_searcher", opened.append)
    container.open_batch_searcher(Settings(rerank_candidates=7, rerank_deadline_ms=70))
    assert [(item.rerank_candidates, item.rerank_deadline_ms) for item in opened] == [(7, LONGEST_DEADLINE_MS)]


def test_with_an_encoder_without_weights_no_weights_are_loaded_unless_asked_for(tmp_path: Path) -> None:
    helpful = {"rerank_adapter": copied(tmp_path / "helpful", helps=True), "encoder": "hashing"}
    assert make_rerank_stage(Settings.model_validate(helpful)) is None
    with pytest.raises(RerankerError):
        make_rerank_stage(Settings.model_validate({**helpful, "rerank": "on", "rerank_adapter": tmp_path / "none"}))


def test_an_operator_names_the_sources_that_are_reranked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINSEARCH_RERANK_SOURCES", '["guidelines", "local_formulary"]')
    settings = Settings()
    assert rerank_settings(settings, make_reranker(settings)).sources == ("guidelines", "local_formulary")
    monkeypatch.setenv("CLINSEARCH_RERANK_SOURCES", "[]")
    assert rerank_settings(Settings(), make_reranker(settings)).takes(SourceId("codes"))


@pytest.mark.slow
def test_the_stage_of_a_helpful_adapter_reranks(tmp_path: Path) -> None:
    made = make_rerank_stage(
        Settings(rerank_adapter=copied(tmp_path / "helpful", helps=True), rerank_deadline_ms=60_000)
    )
    assert made is not None
    with closing(made):
        assert made.fingerprint == make_reranker(Settings()).fingerprint
        assert made.order("How is gout treated?", ["Asthma.", "Gout is treated."], [2.0, 1.0]).why is None
        assert read_card(PACKAGED_ADAPTER).adapter_sha256[:16] in made.fingerprint
