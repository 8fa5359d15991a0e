"""What surrounds every request: an id, a size limit, security headers, metrics. Pure ASGI, so streams stay streams."""

from __future__ import annotations

import logging
import secrets
import time
import traceback
from collections.abc import Iterable
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.metrics import Metrics
from service.problems import problem_response

logger = logging.getLogger("clinsearch.http")

#: Largest request body. A question is at most a page; history ten turns of it.
MAX_BODY_BYTES = 512 * 1024
#: A client may send any word as a method; each would be a series of its own in the metrics.
_METHODS = frozenset(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class _TooLargeError(Exception):
    """The body grew past the limit while it was read."""


class RequestBoundary:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, metrics: Metrics, allowed_hosts: frozenset[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request.state.request_id = secrets.token_hex(8)
        started = time.monotonic()
        status = 500
        read = 0
        responding = False

        async def limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MAX_BODY_BYTES:
                raise _TooLargeError
            return message

        async def decorated(message: Message) -> None:
            nonlocal status, responding
            if message["type"] == "http.response.start":
                responding = True
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request.state.request_id
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1/"):
                    # Answers and conversations are kept in no cache on the way or on a shared computer.
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            if _host_name(request.headers.get("host", "")) not in self._allowed_hosts:
                # A page elsewhere cannot rebind its own name to this machine and read answers.
                detail = "This service is not reached by that host name. Set CLINSEARCH_ALLOWED_HOSTS to allow it."
                await problem_response(request, 421, "host_not_allowed", detail)(scope, receive, decorated)
                return
            declared = request.headers.get("content-length", "0")
            if declared.isdigit() and int(declared) > MAX_BODY_BYTES:
                raise _TooLargeError
            await self._app(scope, limited, decorated)
        except _TooLargeError:
            detail = f"The request is larger than {MAX_BODY_BYTES // 1024} kB. Send a shorter one."
            await problem_response(request, 413, "request_too_large", detail)(scope, receive, decorated)
        except Exception as error:  # noqa: BLE001 - the one HTTP boundary; no trace or message leaves the process
            logger.error("%s in request %s", where(error), request.state.request_id)
            if not responding:
                detail = (
                    "The service failed on this request. Try again; if it fails again, "
                    "give the request id to whoever runs it."
                )
                await problem_response(request, 500, "internal_error", detail)(scope, receive, decorated)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            elapsed = time.monotonic() - started
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._metrics.requests.labels(method, route, status).inc()
            self._metrics.request_seconds.labels(route).observe(elapsed)
            # The route's pattern, never the address as typed: ids and queries stay out of the log.
            logger.info("%s %s %d %.0f ms %s", scope["method"], route, status, elapsed * 1000, request.state.request_id)


def host_names(host: str, more: Iterable[str]) -> frozenset[str]:
    """The host names that reach a service which listens at `host`: this machine's own, and what the deployment adds."""
    return frozenset({"localhost", "127.0.0.1", "[::1]", host, *more})


def _host_name(host: str) -> str:
    """The name in a Host header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].lower()


def where(error: BaseException) -> str:
    """The error's type and the innermost code line: enough to find it, and no text a person typed."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
