"""The settings that the README gives for MCP clients name the command, address and header that work."""

from __future__ import annotations

import json
import re
from pathlib import Path

from service.cli.mcp import HOST, PORT
from service.mcp.http import PATH

README = Path(__file__).parents[3] / "README.md"


def test_the_settings_of_the_clients_name_what_is_served() -> None:
    section = README.read_text(encoding="utf-8").partition("## Use it from an AI client (MCP)\n")[2]
    written = re.findall(r"^```json\n(.*?)^```$", section.partition("\n## ")[0], re.MULTILINE | re.DOTALL)
    starting, connecting = (json.loads(text) for text in written)
    program = starting["mcpServers"]["clinsearch"]
    assert program["command"].endswith("/.venv/bin/clinsearch")
    assert program["args"] == ["mcp"]
    assert list(program["env"]) == ["CLINSEARCH_DATA_DIR"]
    server, (key,) = connecting["servers"]["clinsearch"], connecting["inputs"]
    assert server["url"] == f"http://{HOST}:{PORT}{PATH}"
    assert server["headers"] == {"Authorization": f"Bearer ${{input:{key['id']}}}"}
    assert key["password"] is True
