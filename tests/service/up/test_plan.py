"""What `up` would start, for different settings and machines."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from service.settings import Settings
from service.up import PlanError, plan_for


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settings(**values: object) -> Settings:
    return Settings.model_validate({"port": free_port(), "model_port": free_port(), **values})


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    (tmp_path / "clinsearch.json").write_text(json.dumps({"kind": "cpu", "done": "model"}))
    return tmp_path


def test_with_the_server_installed_the_model_is_prepared_and_served(installed: Path) -> None:
    chosen = settings()
    plan = plan_for(chosen, model_place=installed)
    assert plan.prepare is not None
    assert plan.prepare[-2:] == ("model", "prepare")
    assert plan.model is not None
    assert plan.model[-2:] == ("model", "serve")
    assert plan.model_url == chosen.local_model_url
    assert plan.warnings == ()


def test_without_it_the_product_still_starts_and_says_what_it_lacks(tmp_path: Path) -> None:
    plan = plan_for(settings(), model_place=tmp_path)
    assert (plan.prepare, plan.model, plan.model_url) == (None, None, None)
    assert "labelled search results" in plan.warnings[0]


def test_a_server_elsewhere_is_used_and_none_is_started_here(installed: Path) -> None:
    plan = plan_for(settings(model_url="http://elsewhere:8000/v1", model_api_key="secret"), model_place=installed)
    assert (plan.prepare, plan.model) == (None, None)
    assert plan.model_url == "http://elsewhere:8000/v1"
    assert plan.model_api_key == "secret"
    assert "secret" not in repr(plan)


@pytest.mark.parametrize(("taken", "named"), [("port", "CLINSEARCH_PORT"), ("model_port", "CLINSEARCH_MODEL_PORT")])
def test_a_port_in_use_is_told_before_anything_starts(installed: Path, taken: str, named: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(PlanError, match=rf"Port {port}.* is in use: .*{named} to a free port"):
            plan_for(settings(**{taken: port}), model_place=installed)


def test_the_address_that_is_printed_can_be_opened(tmp_path: Path) -> None:
    everywhere = plan_for(settings(host="::"), model_place=tmp_path)
    assert everywhere.api_url.startswith("http://127.0.0.1:")
