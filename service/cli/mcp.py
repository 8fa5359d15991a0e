"""`clinsearch mcp`: search and answers for AI clients, over the Model Context Protocol."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import redirect_stdout
from typing import Annotated

import typer
import uvicorn

from retrieval import SearchRequest
from service.cli.common import err, errors_as_sentences, load_settings, stop
from service.container import Service, build_service
from service.ports import port_is_free
from service.settings import Settings
from service.telemetry import configure_tracing

#: Where it listens when nothing else is said.
HOST, PORT = "127.0.0.1", 8050
_THIS_MACHINE = ("127.0.0.1", "::1", "localhost")
#: What open streams of clients are given to end when it is stopped.
_GRACE_S = 3


def mcp(
    http: Annotated[bool, typer.Option("--http", help="Listen for clients instead of being started by one.")] = False,
    host: Annotated[str, typer.Option(help="Where to listen, with --http.")] = HOST,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where to listen, with --http.")] = PORT,
) -> None:
    """Offer search and answers to AI clients (Model Context Protocol) on standard input and output, or over HTTP."""
    # Imported here: the SDK takes a second, which no other command should wait for.
    from service.mcp.http import PATH, create_mcp_app
    from service.mcp.logs import log_to_standard_error
    from service.mcp.stdio import serve_stdio

    settings = load_settings()
    if http and host not in _THIS_MACHINE and settings.mcp_key is None:
        raise stop(f"Others reach {host}: set CLINSEARCH_MCP_KEY to a key of at least 16 characters that they send.")
    if http and not port_is_free(host, port):
        raise stop(f"{host}:{port} cannot be listened on. Choose another with --host and --port.")
    log_to_standard_error()
    tracing = configure_tracing(settings.otlp_endpoint)
    # Standard output is the protocol's from the start.
    with errors_as_sentences(), redirect_stdout(sys.stderr):
        service = _opened(settings)
    if http:
        err.print(f"Serving MCP on http://{host}:{port}{PATH}", highlight=False)
        app = create_mcp_app(service, host=host)
        uvicorn.run(
            app, host=host, port=port, access_log=False, log_config=None, timeout_graceful_shutdown=_GRACE_S, ws="none"
        )
    else:
        # The thread that waits for input cannot be interrupted, so Ctrl-C ends the process, as SIGTERM does. A client
        # ends it by closing its input; finished runs are on record either way.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        asyncio.run(serve_stdio(service))
    if tracing is not None:
        tracing.shutdown()


def _opened(settings: Settings) -> Service:
    """The service, with its encoder loaded: the first call must not wait for it."""
    service = build_service(settings, keeps=False)
    service.agent.searcher.search(SearchRequest(queries=("ready",), limit=1))
    return service
