"""Who may reach the CDS addresses: pages of the origins in settings, and callers with a token.

It stands before the routes, so that nothing of a body is read of somebody who may not send one.
"""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.cds.tokens import TokenCheck
from service.mcp.access import same_place
from service.problems import ProblemError, problem_response

PREFIX = "/cds-services"
_FEEDBACK = "/feedback"


class CdsAccess:
    """Guards the addresses under `/cds-services`; lets everything else pass."""

    def __init__(self, app: ASGIApp, *, check: TokenCheck | None, url: str, origins: tuple[str, ...]) -> None:
        """`check` is None where nobody is asked for a token; `url` is what callers know this service by."""
        self._app = app
        self._origins = frozenset(origins)
        guarded: ASGIApp = _Tokens(app, check, url.rstrip("/")) if check is not None else app
        if origins:
            guarded = CORSMiddleware(
                guarded,
                allow_origins=origins,
                allow_methods=["GET", "POST"],
                allow_headers=["Authorization", "Content-Type"],
                max_age=600,
            )
        self._guarded = guarded

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _ours(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        strange = [origin for origin in request.headers.getlist("origin") if origin not in self._origins]
        if any(not same_place(request, origin) for origin in strange):
            detail = "Pages of that origin may not call this service. CLINSEARCH_CDS_ORIGINS lists those that may."
            await problem_response(request, 403, "origin_not_allowed", detail)(scope, receive, send)
            return
        await self._guarded(scope, receive, send)


class _Tokens:
    """Refuses what comes without a token that holds."""

    def __init__(self, app: ASGIApp, check: TokenCheck, url: str) -> None:
        self._app = app
        self._check = check
        self._url = url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        called = f"{self._url}{scope['path'].rstrip('/')}"
        # Feedback is one exchange of several on a service: the specification's audience is the service's address.
        audiences = dict.fromkeys([called, called.removesuffix(_FEEDBACK)])
        try:
            self._check.check(request.headers.get("authorization", ""), list(audiences))
        except ProblemError as error:
            response = problem_response(
                request, error.status, error.code, error.detail, retry_after_s=error.retry_after_s
            )
            if error.status == 401:
                response.headers["WWW-Authenticate"] = "Bearer"
            await response(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _ours(path: str) -> bool:
    return path == PREFIX or path.startswith(f"{PREFIX}/")
