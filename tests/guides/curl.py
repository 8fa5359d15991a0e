"""Stands in for curl, which the set-up does not install: of its options those in the documents, and no others."""

from __future__ import annotations

import argparse
import sys
import urllib.request
from http.cookiejar import MozillaCookieJar
from pathlib import Path
from urllib.error import HTTPError

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
opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
try:
    body = opener.open(request, timeout=300).read()
except HTTPError as error:
    # As curl does without -f: what the service says of an error is its answer.
    body = error.read()
if given.c:
    jar.save(given.c)
if given.o:
    Path(given.o).write_bytes(body)
else:
    sys.stdout.buffer.write(body)
