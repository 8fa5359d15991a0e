"""The settings that the integrator's guide gives for chat clients; `tests/guides` runs its examples."""

from __future__ import annotations

import yaml

from ...guides.documents import INTEGRATOR, block_texts
from ..conftest import ServiceFactory

SECTION = "Use it from a chat client"


def test_the_settings_of_the_clients_name_the_address_and_the_model(make_service: ServiceFactory) -> None:
    (environment,) = block_texts(INTEGRATOR, SECTION, "env other")
    open_webui = dict(line.split("=", 1) for line in environment.splitlines())
    (written,) = block_texts(INTEGRATOR, SECTION, "yaml other")
    (endpoint,) = yaml.safe_load(written)["endpoints"]["custom"]
    assert open_webui["OPENAI_API_BASE_URL"] == endpoint["baseURL"]
    assert endpoint["models"]["default"] == [make_service().settings.model_name]
    assert endpoint["titleConvo"] is False
    assert all(value == "False" for name, value in open_webui.items() if name.startswith("ENABLE_"))
