"""What the integrator's guide says of chat clients is what works: its examples are run, its settings read."""

from __future__ import annotations

import json
import shlex

import httpx2
import pytest
import yaml

from ...guides.documents import INTEGRATOR, block_texts
from ..conftest import ServiceFactory
from .serving import served

SECTION = "Use it from a chat client"


def test_the_python_example_prints_an_answer(make_service: ServiceFactory, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = block_texts(INTEGRATOR, SECTION, "python")
    with served(make_service()) as address:
        exec(compile(example.replace("http://localhost:8000", address), str(INTEGRATOR), "exec"), {})  # noqa: S102
    assert "examplicillin 250 mg by mouth twice daily for 5 days. [1]" in capsys.readouterr().out


def test_the_curl_example_asks_a_question(make_service: ServiceFactory) -> None:
    (command,) = block_texts(INTEGRATOR, SECTION, "bash")
    _, _, url, *options = shlex.split(command.replace("\\\n", " "))
    given = dict(zip(options[::2], options[1::2], strict=True))
    name, _, value = given["-H"].partition(": ")
    json.loads(given["-d"])
    with served(make_service()) as address:
        target = f"{address}{url.removeprefix('localhost:8000')}"
        response = httpx2.post(target, content=given["-d"], headers={name: value})
    assert response.status_code == 200, response.text
    assert response.json()["choices"][0]["message"]["content"]


def test_the_settings_of_the_clients_name_the_address_and_the_model(make_service: ServiceFactory) -> None:
    (environment,) = block_texts(INTEGRATOR, SECTION, "env other")
    open_webui = dict(line.split("=", 1) for line in environment.splitlines())
    (written,) = block_texts(INTEGRATOR, SECTION, "yaml other")
    (endpoint,) = yaml.safe_load(written)["endpoints"]["custom"]
    assert open_webui["OPENAI_API_BASE_URL"] == endpoint["baseURL"]
    assert endpoint["models"]["default"] == [make_service().settings.model_name]
    assert endpoint["titleConvo"] is False
    assert all(value == "False" for name, value in open_webui.items() if name.startswith("ENABLE_"))
