"""Every command and every piece of code in the README and the guides is carried out, against the real product.

A guide that says what does not work costs each of its readers an hour. The guidelines are the starter ones, the encoder
is the one without weights and the model server is a script: what is tried is that commands work, not what is answered.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.container import build_service
from service.settings import Settings

from ..service.chat.serving import served
from ..service.cli.invoking import indexed
from ..service.cli.scripted_server import scripted_server
from .documents import CLINICIAN, INTEGRATOR, ML_ENGINEER, OPERATOR, PYTHON, README, RUN, SERVES, blocks
from .running import Reader

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the starter guidelines."""
    data = tmp_path_factory.mktemp("built") / "var"
    indexed(data)
    return data


@pytest.fixture
def reader(index: Path, tmp_path: Path) -> Iterator[Reader]:
    """A folder as `make up` leaves it, with the service and the model server up."""
    data = tmp_path / "var"
    shutil.copytree(index, data)
    with scripted_server("clinsearch", "base") as model:
        service = build_service(Settings(data_dir=data, encoder="hashing", model_url=model))
        environment = {"CLINSEARCH_ENCODER": "hashing", "CLINSEARCH_MODEL_URL": model}
        with (
            served(service) as address,
            Reader(
                tmp_path,
                environment,
                service=address.removeprefix("http://"),
                model=model.removeprefix("http://").removesuffix("/v1"),
            ) as somebody,
        ):
            yield somebody


def read(reader: Reader, document: Path) -> dict[str, str]:
    """What the blocks print, by the section they stand in."""
    said: dict[str, str] = {}
    for block in blocks(document):
        if block.kind in (RUN, SERVES, PYTHON):
            said[block.section] = said.get(block.section, "") + reader.does(block)
    return said


def values(text: str) -> list[dict[str, Any]]:
    """The JSON objects and lists that were printed one after the other."""
    found = []
    while text:
        value, text = first_value(text)
        found.append(value)
    return found


def first_value(text: str) -> tuple[dict[str, Any], str]:
    """The JSON that a text begins with, and the rest."""
    text = text.strip()
    value, end = json.JSONDecoder().raw_decode(text)
    return value, text[end:].strip()


def test_the_readme(reader: Reader) -> None:
    said = read(reader, README)
    assert '"stop_reason"' in said["Ask"]
    assert "runs" in said["Ask"]


def test_the_clinicians_guide(reader: Reader) -> None:
    assert "nitrofurantoin" in read(reader, CLINICIAN)["From the terminal"].lower()


def test_the_integrators_guide(reader: Reader) -> None:
    said = read(reader, INTEGRATOR)
    (asked, searched, sources, models) = values(said["Ask"])
    assert asked["stop_reason"] == "answered"
    assert searched["hits"]
    assert sources
    assert models["object"] == "list"
    assert said["The event stream"].strip().endswith("answered")
    assert '"cards"' in said["CDS Hooks"]
    completion, streamed = first_value(said["Use it from a chat client"])
    assert completion["choices"][0]["message"]["content"].strip()
    assert "[1]" in streamed
    result, listed, whole = values(said["Conversations and feedback"])
    assert listed["conversations"][0]["id"] == whole["id"]
    assert whole["asked"][0]["result"] == result
    (problem,) = values(said["Errors"])
    assert problem["status"] == 422


def test_the_ml_engineers_guide(reader: Reader) -> None:
    said = read(reader, ML_ENGINEER)
    assert "4 records" in said["Make runs in batches"]
    assert "4 made" in said["Make runs in batches"]
    assert "kept" in said["Teacher, filter, export"]
    verdicts = values(said["Evaluate"][said["Evaluate"].index('{"id"') :])
    assert [verdict["shown"] for verdict in verdicts] == [True, False]


def test_the_operators_guide(reader: Reader) -> None:
    said = read(reader, OPERATOR)
    assert '"status":"ok"' in said["Deploy"]
    assert "CLINSEARCH_POLICY=our-policy.yaml" in said["Whose rules"]
    assert "CLINSEARCH_DATA_DIR=var" in said["Settings"]
    assert "examplicillin" in said["Guidelines: add, index, replace"]
    assert "the dose is wrong" in said["Withdraw guidance"]
    assert "clinsearch_http_requests_total" in said["Metrics, logs, traces"]
