"""The tools over streamable HTTP, at /mcp.

A client of the protocol of 2026-07-28 sends requests that stand alone: nothing is kept between them, and closing the
response cancels the call. Older clients shake hands first and cancel with a message of its own, which only a session
connects with the call: they get one, which ends when it is idle.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import problems
from service.container import Service
from service.mcp.access import Access
from service.mcp.server import build_server
from service.middleware import MAX_BODY_BYTES, RequestBoundary, host_names
from service.problems import CLIENT_CLOSED, ProblemError
from service.routes import health

PATH = "/mcp"
#: Sessions of older clients that are open at once, and the seconds after which an idle one is closed.
MAX_SESSIONS = 1_000
SESSION_IDLE_S = 600.0


class _Answering:
    """The SDK's endpoint; a call that its client gave up gets no response there, and is counted as what it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        responding = False

        async def noted(message: Message) -> None:
            nonlocal responding
            responding = True
            await send(message)

        await self._app(scope, receive, noted)
        if not responding:
            raise ProblemError(CLIENT_CLOSED, "client_closed_request", "The client closed the connection.")


class _NamedRoute(Route):
    """A route that the log and the metrics know by its address; FastAPI tells them only of its own routes."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, found = super().matches(scope)
        return match, {**found, "route": self} if match is not Match.NONE else found


def create_mcp_app(service: Service, *, host: str) -> FastAPI:
    """The application around a wired service, to listen at `host`; closing it closes the service."""
    manager = StreamableHTTPSessionManager(
        build_server(service),
        # Host and origin are checked before it, with the same words as everywhere.
        security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        max_request_body_size=MAX_BODY_BYTES,
        max_sessions=MAX_SESSIONS,
        session_idle_timeout=SESSION_IDLE_S,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            async with manager.run():
                yield
        finally:
            await service.close()

    app = FastAPI(title="clinsearch", openapi_url=None, lifespan=lifespan)
    app.state.service = service
    app.include_router(health.router)
    endpoint = Access(_Answering(StreamableHTTPASGIApp(manager)), service.settings.mcp_key)
    app.router.routes.append(_NamedRoute(PATH, endpoint))
    app.add_exception_handler(ProblemError, problems.on_problem)
    app.add_exception_handler(HTTPException, problems.on_http_error)
    hosts = host_names(host, service.settings.allowed_hosts)
    app.add_middleware(RequestBoundary, metrics=service.metrics, allowed_hosts=hosts)
    return app
