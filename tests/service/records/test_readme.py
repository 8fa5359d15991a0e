"""The README's example of a conversation is what works: it is run as it stands."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ..chat.serving import served
from ..conftest import ServiceFactory

README = Path(__file__).parents[3] / "README.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the example is for curl")
def test_the_example_keeps_a_conversation_and_finds_it(make_service: ServiceFactory, tmp_path: Path) -> None:
    section = README.read_text(encoding="utf-8").partition("## Conversations and feedback\n")[2].partition("\n## ")[0]
    (example,) = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    with served(make_service()) as address:
        script = example.replace("localhost:8000", address.removeprefix("http://"))
        done = subprocess.run(
            ["bash", "-euc", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
        )
    decoder, rest, printed = json.JSONDecoder(), done.stdout, []
    while rest:
        value, end = decoder.raw_decode(rest)
        printed.append(value)
        rest = rest[end:]
    result, listed, whole = printed
    assert listed["conversations"][0]["id"] == whole["id"]
    assert whole["asked"][0]["result"] == result
