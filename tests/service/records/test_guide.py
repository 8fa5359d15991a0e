"""The guide's example of a conversation is what works: it is run as it stands."""

from __future__ import annotations

import json
from pathlib import Path

from ...guides.documents import INTEGRATOR, block_texts
from ...guides.running import Reader
from ..chat.serving import served
from ..conftest import ServiceFactory


def test_the_example_keeps_a_conversation_and_finds_it(make_service: ServiceFactory, tmp_path: Path) -> None:
    (example,) = block_texts(INTEGRATOR, "Conversations and feedback", "bash")
    with served(make_service()) as address, Reader(tmp_path, {}, service=address.removeprefix("http://")) as reader:
        rest = reader.shell(reader.addressed(example), "the example")
    decoder, printed = json.JSONDecoder(), []
    while rest:
        value, end = decoder.raw_decode(rest)
        printed.append(value)
        rest = rest[end:]
    result, listed, whole = printed
    assert listed["conversations"][0]["id"] == whole["id"]
    assert whole["asked"][0]["result"] == result
