"""If these fail, a setting of the encoder is ignored in silence or refused without saying what to do."""

from __future__ import annotations

from typing import Any

import pytest

from retrieval.encoders import UNPROVEN, EncoderOptions, HashingEncoder, RemoteEncoder, make_encoder
from retrieval.encoders.choice import local_config
from retrieval.errors import EncoderError


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"encoder": "hashing", "model": "x"}, "CLINSEARCH_ENCODER_MODEL does not apply to the encoder hashing"),
        ({"encoder": "minilm", "url": "http://h"}, "CLINSEARCH_ENCODER_URL does not apply to the encoder minilm"),
        ({"encoder": "medcpt", "model": "x"}, "needs CLINSEARCH_ENCODER_QUERY_MODEL"),
        ({"encoder": "bge-m3"}, "needs CLINSEARCH_ENCODER_MODEL"),
        ({"encoder": "bge-m3", "model": "./no"}, "The weights of the encoder bge-m3 are not in ./no"),
        ({"encoder": "remote", "model": "m", "url": "http://h/v1"}, "set CLINSEARCH_ENCODER_DIMENSION"),
        ({"encoder": "remote", "model": "m", "url": "h", "dimension": 8}, "must be like https://host:8000/v1"),
    ],
    ids=["surplus", "surplus-url", "query-model", "model", "directory", "dimension", "address"],
)
def test_wrong_options_are_refused_with_the_setting_to_change(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EncoderError) as refused:
        make_encoder(EncoderOptions.model_validate(options))
    assert sentence in str(refused.value)


def test_kinds_are_made_from_their_names() -> None:
    assert isinstance(make_encoder(EncoderOptions(encoder="hashing")), HashingEncoder)
    options = EncoderOptions(encoder="remote", model="m", url="http://127.0.0.1:9/v1", dimension=8)
    assert isinstance(make_encoder(options), RemoteEncoder)


def test_prefixes_of_a_preset_can_be_replaced() -> None:
    options = EncoderOptions(encoder="qwen3-embedding", model="m", query_prefix="Q: ", passage_prefix="P: ")
    config = local_config(options)
    assert (config.queries.prefix, config.passages.prefix) == ("Q: ", "P: ")
    assert local_config(EncoderOptions(encoder="qwen3-embedding", model="m")).passages.prefix == ""


def test_what_never_ran_here_is_named() -> None:
    assert {"medcpt", "qwen3-embedding", "bge-m3", "local", "remote"} == UNPROVEN
