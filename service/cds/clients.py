"""Whom the CDS service trusts: issuers of tokens with their public keys, from settings and never by network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, PrivateAttr, model_validator

if TYPE_CHECKING:
    from jwt import PyJWK

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512", "Ed25519": "EdDSA"}
#: Parts of a JWK that only its owner may have (RFC 7518, 6.2.2, 6.3.2 and 6.4.1).
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
#: RFC 7518, 3.3: shorter RSA keys must not be used.
_MIN_RSA_BITS = 2048


class CdsClient(BaseModel):
    """One health record system that may call. Exactly one of `jwks` and `jwks_file` is given.

    The algorithm belongs to the key and not to the token: a key is held under every algorithm that its type, its curve
    and its own `alg` allow, all of them asymmetric, so neither `none` nor HMAC finds a key.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: The `iss` of its tokens, as it stands there.
    issuer: str = Field(min_length=1, max_length=500)
    #: A JWK Set (RFC 7517), or a file that holds one and is read at start.
    jwks: dict[str, JsonValue] | None = None
    jwks_file: Path | None = None
    _keys: dict[tuple[str, str], PyJWK] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _read_keys(self) -> Self:
        held = self.jwks if self.jwks_file is None else _from_file(self.jwks_file)
        if held is None or (self.jwks is not None and self.jwks_file is not None):
            raise ValueError("give either jwks or jwks_file")
        keys = held.get("keys")
        if not isinstance(keys, list) or not keys:
            raise ValueError("the JWK Set holds no keys")
        for key in keys:
            if not isinstance(key, dict):
                raise ValueError("a key of the JWK Set is no JSON object")
            for name, read in _read(key).items():
                if name in self._keys:
                    raise ValueError("two keys of the JWK Set have the same kid")
                self._keys[name] = read
        if not self._keys:
            raise ValueError("the JWK Set holds no key that signs")
        return self

    def key(self, kid: str, algorithm: str) -> PyJWK | None:
        """The key of that name, where it may be used with that algorithm."""
        return self._keys.get((kid, algorithm))


def is_web_address(url: str) -> bool:
    """Whether it is an absolute http or https address without spaces."""
    try:
        parts = urlsplit(url)
    except ValueError:  # "https://[" is the beginning of no IPv6 address
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and not any(c.isspace() for c in url)


def is_origin(text: str) -> bool:
    """Whether it is an origin as browsers send one: a scheme and a host, nothing more, in lower case."""
    if not is_web_address(text):
        return False
    parts = urlsplit(text)
    return text == f"{parts.scheme}://{parts.netloc}" == text.lower() and "@" not in text


def _from_file(path: Path) -> Mapping[str, JsonValue]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError("jwks_file cannot be read as JSON") from error
    if not isinstance(held, dict):
        raise ValueError("jwks_file holds no JSON object")
    return held


def _read(key: dict[str, JsonValue]) -> dict[tuple[str, str], PyJWK]:
    """The key under its name and each algorithm. Raises ValueError; no message repeats a key."""
    # Here, since every command reads settings and few of them name a key: cryptography takes long to import.
    from jwt import PyJWK, PyJWTError

    kid, own = key.get("kid"), key.get("alg")
    if not isinstance(kid, str) or not kid:
        raise ValueError("a key of the JWK Set has no kid")
    if key.get("use", "sig") != "sig":
        return {}
    if _PRIVATE & key.keys():
        raise ValueError("a key of the JWK Set is private or symmetric; give the public keys only")
    fitting = _RSA if key.get("kty") == "RSA" else tuple(filter(None, [_CURVES.get(str(key.get("crv")))]))
    algorithms = [name for name in fitting if own is None or name == own]
    if not algorithms:
        raise ValueError("a key of the JWK Set is of a type that is not supported; ES384 and RS384 are recommended")
    try:
        found = {(kid, name): PyJWK(key, name) for name in algorithms}
    except (PyJWTError, ValueError, TypeError) as error:
        raise ValueError("a key of the JWK Set cannot be read") from error
    if any(getattr(read.key, "key_size", _MIN_RSA_BITS) < _MIN_RSA_BITS for read in found.values()) and fitting == _RSA:
        raise ValueError("an RSA key of the JWK Set is shorter than 2048 bits")
    return found
