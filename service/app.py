"""The HTTP application: REST, event streams and the chat page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute

from agent.version import PRODUCER
from service import problems
from service.cds.access import CdsAccess
from service.cds.tokens import TokenCheck
from service.container import Service
from service.event_schema import event_components
from service.identity import remember
from service.middleware import RequestBoundary, host_names
from service.openapi import published
from service.problems import ProblemError
from service.reference import reference_page
from service.routes import ask, cds, chat, consent, conversations, events, feedback, health, search
from service.routes.common import PROBLEM

_PAGE = Path(__file__).parent / "page"
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {**PROBLEM, "description": "The body is not valid JSON."},
    413: {**PROBLEM, "description": "The request is too large."},
    422: {**PROBLEM, "description": "The request does not fit its schema, or the question cannot be asked."},
    503: {**PROBLEM, "description": "Busy, or the search engine failed; try again after Retry-After seconds."},
}


class _Application(FastAPI):
    """FastAPI, whose document says all that is answered."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = published(super().openapi())
            # FastAPI sees only what its own streams send.
            document["components"]["schemas"] = {**event_components(), **document["components"]["schemas"]}
            self.openapi_schema = document
        return self.openapi_schema


@cache
def _routes(*, cds_hooks: bool) -> tuple[BaseRoute, ...]:
    """What is answered whatever the service behind it; made once a process, because models of each are compiled."""
    api = APIRouter(redirect_slashes=False)
    for router in (ask.router, events.router, search.router, conversations.router, feedback.router, consent.router):
        api.include_router(router, responses=_PROBLEMS)
    api.include_router(chat.router)
    if cds_hooks:
        api.include_router(cds.router, responses=_PROBLEMS)
    api.include_router(health.router)
    return tuple(api.routes)


def create_app(service: Service) -> FastAPI:
    """The application around a wired service; closing it closes the service."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await service.live.close()
        await service.finish_chores()
        await service.close()

    settings = service.settings
    app = _Application(
        title="clinsearch",
        version=PRODUCER.partition(" ")[2],
        description="Agentic clinical search: answers whose every sentence names the recommendation it rests on.",
        docs_url=None,
        redoc_url=None,
        # An address is right or wrong: a redirect is an answer that the document does not list.
        redirect_slashes=False,
        lifespan=lifespan,
        routes=list(_routes(cds_hooks=settings.cds != "off")),
    )
    app.state.service = service
    if settings.cds != "off":
        check = TokenCheck(settings.cds_clients) if settings.cds == "on" else None
        app.add_middleware(CdsAccess, check=check, url=settings.cds_url, origins=settings.cds_origins)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(reference_page(app.openapi()))

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> FileResponse:
        response = FileResponse(_PAGE / "index.html")
        remember(request, response, settings)
        return response

    app.mount("/page", StaticFiles(directory=_PAGE), name="page")
    app.add_exception_handler(ProblemError, problems.on_problem)
    app.add_exception_handler(RequestValidationError, problems.on_invalid_request)
    app.add_exception_handler(HTTPException, problems.on_http_error)
    hosts = host_names(settings.host, settings.allowed_hosts)
    app.add_middleware(RequestBoundary, metrics=service.metrics, allowed_hosts=hosts)
    return app
