"""What the SDK logs of an error must not carry what was asked."""

from __future__ import annotations

import io
import logging

from service.mcp.logs import WithoutTraces


def test_an_error_is_logged_by_its_type_and_place() -> None:
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.addFilter(WithoutTraces())
    logger = logging.Logger("mcp.server.runner")
    logger.addHandler(handler)
    try:
        raise ValueError("Mrs Example")
    except ValueError:
        logger.exception("handler for %r raised", "tools/call")
    assert said.getvalue().startswith("handler for 'tools/call' raised: ValueError at test_logs.py:")
    assert "Example" not in said.getvalue()
