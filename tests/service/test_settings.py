"""Which choices the model is given follows from what it was trained for."""

from __future__ import annotations

import pytest

from retrieval import EncoderOptions
from service.settings import Settings


@pytest.mark.parametrize(
    ("trained", "policy", "write", "search_first", "writes"),
    [
        (False, "auto", "auto", True, False),
        (True, "auto", "auto", False, True),
        (False, "free", "auto", False, True),
        (True, "search_first", "auto", True, True),
        (False, "auto", "always", True, True),
        (True, "auto", "never", False, False),
    ],
)
def test_an_untrained_model_neither_chooses_nor_writes(
    trained: bool, policy: str, write: str, search_first: bool, writes: bool
) -> None:
    settings = Settings.model_validate({"model_policy": policy, "write_answers": write})
    chosen = settings.agent_settings(trained=trained)
    assert (chosen.search_first, chosen.write_answers) == (search_first, writes)


@pytest.mark.parametrize(("answers", "quote"), [("quoted", True), ("free", False)])
def test_answers_are_quoted_unless_someone_says_otherwise(answers: str, quote: bool) -> None:
    assert Settings().agent_settings(trained=True).quote
    assert Settings.model_validate({"answers": answers}).agent_settings(trained=True).quote is quote


def test_nothing_listens_beyond_this_machine_by_default() -> None:
    assert Settings().host == "127.0.0.1"


def test_every_option_of_an_encoder_can_be_set() -> None:
    values = {
        "model": "m",
        "query_model": "q",
        "url": "http://127.0.0.1/v1",
        "api_key": "k",
        "query_prefix": "q: ",
        "passage_prefix": "p: ",
        "pooling": "cls",
        "max_tokens": 64,
        "dimension": 8,
        "precision": "fp32",
        "batch_tokens": 512,
    }
    settings = Settings.model_validate({"encoder": "local", **{f"encoder_{name}": v for name, v in values.items()}})
    assert settings.encoder_options() == EncoderOptions.model_validate({"encoder": "local", **values})
    assert set(values) == set(EncoderOptions.model_fields) - {"encoder"}
