"""The README's example of a conversation is what works: it is run as it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ..chat.serving import served
from ..conftest import ServiceFactory
from ..readme import blocks

#: Stands in for curl, which the set-up does not install: of its options those in the example, and no others.
CURL = (
    f"#!{sys.executable}\n"
    + """
import argparse, sys, urllib.request
from http.cookiejar import MozillaCookieJar
from pathlib import Path

parser = argparse.ArgumentParser("curl", add_help=False, allow_abbrev=False)
parser.add_argument("-s", action="store_true")
parser.add_argument("-b")  # read cookies
parser.add_argument("-c")  # write cookies
parser.add_argument("-d")
parser.add_argument("-H", action="append", default=[])
parser.add_argument("-o")
parser.add_argument("url")
given = parser.parse_args()
jar = MozillaCookieJar()
if given.b:
    jar.load(given.b)
request = urllib.request.Request("http://" + given.url, given.d.encode() if given.d is not None else None)
for header in given.H:
    request.add_header(*header.split(": ", 1))
body = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)).open(request, timeout=30).read()
if given.c:
    jar.save(given.c)
Path(given.o).write_bytes(body) if given.o else sys.stdout.buffer.write(body)
"""
)


def test_the_example_keeps_a_conversation_and_finds_it(make_service: ServiceFactory, tmp_path: Path) -> None:
    (example,) = blocks("Conversations and feedback", "")
    curl = tmp_path / "curl"
    curl.write_text(CURL, encoding="utf-8")
    curl.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    with served(make_service()) as address:
        script = example.replace("localhost:8000", address.removeprefix("http://"))
        done = subprocess.run(
            ["bash", "-euc", script],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    decoder, rest, printed = json.JSONDecoder(), done.stdout, []
    while rest:
        value, end = decoder.raw_decode(rest)
        printed.append(value)
        rest = rest[end:]
    result, listed, whole = printed
    assert listed["conversations"][0]["id"] == whole["id"]
    assert whole["asked"][0]["result"] == result
