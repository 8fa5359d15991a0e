"""Who asks: the name that a proxy in front signs people in under, or a browser by the secret it was given.

There is no sign-in of this service's own. Behind a proxy that signs people in, `CLINSEARCH_USER_HEADER` names the
header it sets; without one every browser is a person, known by a random cookie that scripts cannot read. What is stored
is a hash of either, so the database names nobody. A request that a page of another origin makes is nobody's.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from fastapi import Request, Response

from service.problems import ProblemError
from service.records import OwnerId
from service.settings import Settings

COOKIE = "clinsearch_user"
#: Over https the browser itself sees to it that no other host or plain connection can set it.
SECURE_COOKIE = "__Host-clinsearch_user"
#: Seconds; browsers keep no cookie for longer than 400 days, and every visit renews it.
COOKIE_AGE_S = 400 * 24 * 3600
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_NAME_CHARS = 256


def owner_of(request: Request, settings: Settings) -> OwnerId:
    """The person behind a request, as their things are stored under. Raises ProblemError where there is none."""
    if settings.conversations == "off":
        raise ProblemError(
            403, "conversations_off", "This deployment keeps no conversations. Ask without a conversation."
        )
    refuse_other_origins(request)
    owner = known_owner(request, settings)
    if owner is None and settings.user_header is not None:
        raise ProblemError(401, "not_signed_in", "Nobody is signed in. Sign in, then try again.")
    if owner is None:
        raise ProblemError(
            401, "not_signed_in", "This browser is not known yet. Open the chat page once, with cookies allowed."
        )
    return owner


def known_owner(request: Request, settings: Settings) -> OwnerId | None:
    """The person behind a request; None where nobody is known. Also where no conversation is kept."""
    if settings.user_header is not None:
        name = request.headers.get(settings.user_header, "").strip()
        return _hashed("name", name) if name and len(name) <= _MAX_NAME_CHARS else None
    token = _token(request)
    return _hashed("cookie", token) if token is not None else None


def refuse_other_origins(request: Request) -> None:
    """Refuse what a page of another origin asks for. Raises ProblemError."""
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise ProblemError(403, "cross_origin", "What is somebody's own is not reached from a page of another origin.")


def remember(request: Request, response: Response, settings: Settings) -> None:
    """Give a browser its secret, or keep the one it has for longer; not where a proxy says who people are."""
    if settings.conversations == "off" or settings.user_header is not None:
        return
    secure = request.url.scheme == "https"
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE,
        _token(request) or secrets.token_urlsafe(32),
        max_age=COOKIE_AGE_S,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "private, no-cache"


def _token(request: Request) -> str | None:
    token = request.cookies.get(SECURE_COOKIE if request.url.scheme == "https" else COOKIE, "")
    return token if _TOKEN.fullmatch(token) else None


def _hashed(kind: str, secret: str) -> OwnerId:
    return OwnerId(hashlib.sha256(f"{kind}:{secret}".encode()).hexdigest())
