"""Who may reach the tools over HTTP. The host name is checked for every address alike, see `service.middleware`."""

from __future__ import annotations

import secrets
from urllib.parse import urlsplit

from pydantic import SecretStr
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.problems import problem_response


class Access:
    """Refuses what comes from a web page of another place, and, where there is a key, who does not have it."""

    def __init__(self, app: ASGIApp, key: SecretStr | None) -> None:
        self._app = app
        self._expected = f"Bearer {key.get_secret_value()}".encode() if key else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if any(not same_place(request, origin) for origin in request.headers.getlist("origin")):
            detail = "Web pages cannot use this address. Use a client that runs outside a browser."
            await problem_response(request, 403, "origin_not_allowed", detail)(scope, receive, send)
            return
        if self._expected is not None:
            given = request.headers.get("authorization", "").encode()
            if not secrets.compare_digest(given, self._expected):
                detail = 'A key is needed here. Send the header "Authorization: Bearer KEY".'
                response = problem_response(request, 401, "key_needed", detail)
                response.headers["WWW-Authenticate"] = "Bearer"
                await response(scope, receive, send)
                return
        await self._app(scope, receive, send)


def same_place(request: Request, origin: str) -> bool:
    """Whether a page at `origin` was served from the address that is asked."""
    try:
        return urlsplit(origin).netloc == request.headers.get("host", "") != ""
    except ValueError:
        return False
