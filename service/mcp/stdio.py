"""The tools over standard input and output, for a client that starts this program itself."""

from __future__ import annotations

from mcp.server.stdio import stdio_server

from service.container import Service
from service.mcp.server import build_server


async def serve_stdio(service: Service) -> None:
    """Serve until the client closes standard input, then close the service.

    Meanwhile whatever else writes to standard output writes to standard error: the protocol has it for itself.
    """
    server = build_server(service)
    try:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())
    finally:
        await service.close()
