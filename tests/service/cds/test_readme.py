"""The README's example of a hook is what works: it is run as it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from ..chat.serving import served
from ..conftest import ServiceFactory
from ..readme import blocks
from ..records.test_readme import CURL
from .asking import guideline


def test_the_example_brings_a_card(make_service: ServiceFactory, tmp_path: Path) -> None:
    start, example, _ = blocks("Inside a record system (CDS Hooks)", "")
    assert "CLINSEARCH_CDS=open" in start
    curl = tmp_path / "curl"
    curl.write_text(CURL, encoding="utf-8")
    curl.chmod(0o755)
    path = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]])
    text = "For invented community-acquired pneumonia give examplicillin."
    service = make_service(cds="open", entries=[guideline("community-acquired pneumonia", text)])
    with served(service) as address:
        done = subprocess.run(
            ["bash", "-euc", example.replace("localhost:8000", address.removeprefix("http://"))],
            cwd=tmp_path,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    (card,) = json.loads(done.stdout)["cards"]
    assert text in card["detail"]
