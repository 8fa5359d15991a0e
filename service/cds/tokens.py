"""Who calls: the signed token that CDS Hooks 2.0 ("Trusting CDS Clients") has a client send with every request.

Signature and claims are checked by PyJWT. Here stand the rules around it: keys of trusted issuers only, no algorithm
that the key does not say, the address that is called as the audience, and each token once. `jku` is not followed.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import jwt

from service.cds.clients import CdsClient
from service.problems import ProblemError

#: Seconds that clocks may differ by.
LEEWAY_S = 30
#: Seconds from `iat` to `exp` at most: each token is remembered until it expires.
MAX_LIFETIME_S = 3600
#: Tokens remembered at once, about 100 bytes each.
MAX_REMEMBERED = 100_000
#: Longest token, in characters; one of the specification's own examples has 700.
MAX_TOKEN_CHARS = 8_000
_REQUIRED = ["iss", "aud", "exp", "iat", "jti"]


class _Claims(NamedTuple):
    """What of a token that holds is still asked for; times in seconds since the epoch."""

    issuer: str
    expires: float
    issued: float
    jti: str


class SeenTokens:
    """Tokens that were used, until they expire. Not for use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.time, limit: int = MAX_REMEMBERED) -> None:
        self._clock = clock
        self._limit = limit
        self._until: dict[bytes, float] = {}

    def use(self, issuer: str, jti: str, expires: float) -> bool:
        """Remember a token; False where it was used before.

        Raises:
            ProblemError: no more can be remembered. Forgetting one would let it be used again.
        """
        now = self._clock()
        name = hashlib.sha256(f"{len(issuer)}:{issuer}{jti}".encode()).digest()
        if self._until.get(name, 0) >= now:
            return False
        if len(self._until) >= self._limit:
            self._until = {held: until for held, until in self._until.items() if until >= now}
            if len(self._until) >= self._limit:
                raise ProblemError(
                    503, "too_many_tokens", "Too many requests came in a short time. Try again.", retry_after_s=60
                )
        self._until[name] = expires + LEEWAY_S
        return True


class TokenCheck:
    """Checks the tokens of the clients in settings."""

    def __init__(self, clients: Iterable[CdsClient], seen: SeenTokens | None = None) -> None:
        self._clients = {client.issuer: client for client in clients}
        self._seen = seen or SeenTokens()

    def check(self, authorization: str, audiences: Sequence[str]) -> None:
        """Accept the header of a request to one of `audiences`.

        Raises:
            ProblemError: 401 with what is wrong; it repeats nothing of the token.
        """
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.casefold() != "bearer" or not token:
            raise _refused("token_needed", 'Send the header "Authorization: Bearer JWT", signed by your system.')
        if len(token) > MAX_TOKEN_CHARS:
            raise _refused("token_invalid", "The token is too long.")
        try:
            claims = self._claims(token, audiences)
        except jwt.ExpiredSignatureError as error:
            raise _refused("token_expired", "The token has expired. Sign a new one for every request.") from error
        except jwt.InvalidAudienceError as error:
            raise _refused(
                "token_audience", 'The token\'s "aud" must be the address that is called, as CLINSEARCH_CDS_URL has it.'
            ) from error
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError) as error:
            raise _refused("token_invalid", "The token is not one of a trusted issuer, or is not complete.") from error
        if claims.expires - claims.issued > MAX_LIFETIME_S:
            raise _refused("token_invalid", f"The token is valid for more than {MAX_LIFETIME_S // 60} minutes.")
        if not self._seen.use(claims.issuer, claims.jti, claims.expires):
            raise _refused("token_replayed", "This token was used before. Sign a new one for every request.")

    def _claims(self, token: str, audiences: Sequence[str]) -> _Claims:
        """What a token says that holds. Raises PyJWTError, ValueError or TypeError."""
        header = jwt.get_unverified_header(token)
        if header.get("typ", "JWT") != "JWT":
            raise jwt.InvalidTokenError("not a JWT")
        # Only to find the issuer's keys: with them everything is checked, the issuer too.
        said = jwt.decode(token, options={"verify_signature": False}).get("iss")
        client = self._clients.get(said) if isinstance(said, str) else None
        kid, algorithm = header.get("kid"), header.get("alg")
        if client is None or not isinstance(kid, str) or not isinstance(algorithm, str):
            raise jwt.InvalidTokenError("no trusted issuer")
        key = client.key(kid, algorithm)
        if key is None:
            raise jwt.InvalidTokenError("no such key")
        claims = jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            audience=list(audiences),
            issuer=client.issuer,
            leeway=LEEWAY_S,
            options={"require": _REQUIRED},
        )
        jti = claims["jti"]
        if not jti:
            raise jwt.InvalidTokenError("an empty jti")
        return _Claims(client.issuer, float(claims["exp"]), float(claims["iat"]), jti)


def _refused(code: str, detail: str) -> ProblemError:
    return ProblemError(401, code, detail)
