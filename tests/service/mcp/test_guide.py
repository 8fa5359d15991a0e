"""The settings that the integrator's guide gives for MCP clients name the command, address and header that work."""

from __future__ import annotations

import json

from service.cli.mcp import HOST, PORT
from service.mcp.http import PATH

from ...guides.documents import INTEGRATOR, block_texts


def test_the_settings_of_the_clients_name_what_is_served() -> None:
    starting, connecting = map(json.loads, block_texts(INTEGRATOR, "Use it from an AI client (MCP)", "json other"))
    program = starting["mcpServers"]["clinsearch"]
    assert program["command"].endswith("/.venv/bin/clinsearch")
    assert program["args"] == ["mcp"]
    assert list(program["env"]) == ["CLINSEARCH_DATA_DIR"]
    server, (key,) = connecting["servers"]["clinsearch"], connecting["inputs"]
    assert server["url"] == f"http://{HOST}:{PORT}{PATH}"
    assert server["headers"] == {"Authorization": f"Bearer ${{input:{key['id']}}}"}
    assert key["password"] is True
