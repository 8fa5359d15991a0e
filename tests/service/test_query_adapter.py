"""If these fail, a deployment's queries are adapted, or not, against its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval import EncoderError, SourceId
from retrieval.query_adapter import PACKAGED_QUERY_ADAPTER, QUERY_ADAPTERS
from service.query_adapter import make_adapted_queries, make_query_encoder
from service.settings import Settings


def copied(folder: Path, *, helps: bool) -> Path:
    folder.mkdir()
    for path in PACKAGED_QUERY_ADAPTER.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    QUERY_ADAPTERS.revise_card(folder, helps=helps)
    return folder


def settings(**values: object) -> Settings:
    return Settings.model_validate({"encoder": "minilm", **values})


def test_off_is_off() -> None:
    assert make_adapted_queries(settings(adapted_queries="off")) is None


def test_what_cannot_be_had_is_left_out_unless_it_was_asked_for(tmp_path: Path) -> None:
    assert make_adapted_queries(settings(query_adapter=tmp_path / "none")) is None
    with pytest.raises(EncoderError, match="no query adapter in none"):
        make_adapted_queries(settings(adapted_queries="on", query_adapter=tmp_path / "none"))


def test_auto_follows_the_card(tmp_path: Path) -> None:
    assert make_adapted_queries(settings(query_adapter=copied(tmp_path / "helpless", helps=False))) is None
    made = make_adapted_queries(settings(query_adapter=copied(tmp_path / "helpful", helps=True)))
    assert made is not None
    assert made.takes(SourceId("guidelines"))
    assert not made.takes(SourceId("codes"))
    assert not made.takes(None)


def test_it_is_of_one_encoder_and_no_other(tmp_path: Path) -> None:
    helpful = {"query_adapter": copied(tmp_path / "helpful", helps=True), "encoder": "hashing"}
    assert make_adapted_queries(Settings.model_validate(helpful)) is None
    with pytest.raises(EncoderError, match="needs the encoder minilm"):
        make_adapted_queries(Settings.model_validate({**helpful, "adapted_queries": "on"}))


def test_an_operator_names_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLINSEARCH_ADAPTED_QUERY_SOURCES", '["guidelines", "local_formulary"]')
    made = make_adapted_queries(settings(adapted_queries="on"))
    assert made is not None
    assert made.sources == ("guidelines", "local_formulary")
    assert made.encoder.fingerprint == make_query_encoder(settings()).fingerprint
