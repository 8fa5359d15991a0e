"""Only systems that settings name may call, each token once; only pages of origins that settings name may read."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from pydantic import ValidationError

from service.cds.clients import CdsClient
from service.cds.tokens import LEEWAY_S, SeenTokens
from service.container import Service
from service.problems import ProblemError
from service.settings import Settings

from ..conftest import ServiceFactory, client_of
from .asking import PATIENT_VIEW, patient_view

ISSUER = "https://fhir-ehr.example.com/"
URL = "https://cds.example.org"
CALLED = f"{URL}{PATIENT_VIEW}"
ORIGIN = "https://ehr.example.org"


@cache
def private_key(kid: str) -> ec.EllipticCurvePrivateKey:
    del kid
    return ec.generate_private_key(ec.SECP384R1())


def jwk(kid: str = "example-kid") -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(private_key(kid).public_key(), as_dict=True), "kid": kid, "use": "sig"}


def trusting(**more: object) -> dict[str, Any]:
    return {"cds": "on", "cds_url": URL, "cds_clients": [{"issuer": ISSUER, "jwks": {"keys": [jwk()]}}], **more}


_number = iter(range(1_000_000))


def claims(**other: object) -> dict[str, Any]:
    now = int(time.time())
    said = {"iss": ISSUER, "aud": CALLED, "exp": now + 300, "iat": now, "jti": f"id-{next(_number)}", **other}
    return {name: value for name, value in said.items() if value is not None}


def token(*, kid: str = "example-kid", algorithm: str = "ES384", key: Any = None, **other: object) -> str:
    signer = private_key(kid) if key is None else key
    return jwt.encode(claims(**other), signer, algorithm=algorithm, headers={"kid": kid})


async def called(
    service: Service, bearer: str | None, headers: Mapping[str, str] | None = None, address: str = PATIENT_VIEW
) -> tuple[int, str | None]:
    """Status and code of the answer."""
    sent = {**({"Authorization": f"Bearer {bearer}"} if bearer is not None else {}), **(headers or {})}
    async with client_of(service) as http:
        response = await http.post(address, json=patient_view(), headers=sent)
    if response.status_code == 401:
        assert response.headers["WWW-Authenticate"] == "Bearer"
    return response.status_code, response.json().get("code") if response.status_code != 200 else None


@pytest.fixture
def guarded(make_service: ServiceFactory) -> Service:
    return make_service(**trusting())


async def test_a_token_of_a_trusted_system_is_accepted(guarded: Service) -> None:
    assert await called(guarded, token()) == (200, None)
    assert await called(guarded, token(aud=["https://other.example", CALLED])) == (200, None)


async def test_every_address_asks_for_a_token(guarded: Service) -> None:
    async with client_of(guarded) as http:
        for method, path in (("GET", "/cds-services"), ("POST", PATIENT_VIEW), ("POST", f"{PATIENT_VIEW}/feedback")):
            response = await http.request(method, path, content=b"not even JSON")
            assert (response.status_code, response.json()["code"]) == (401, "token_needed")
        with_token = {"Authorization": f"Bearer {token(aud=f'{URL}/cds-services')}"}
        assert (await http.get("/cds-services", headers=with_token)).status_code == 200
        assert (await http.get("/healthz")).status_code == 200


async def test_feedback_takes_a_token_for_the_service(guarded: Service) -> None:
    assert (await called(guarded, token(), address=f"{PATIENT_VIEW}/feedback"))[0] == 422  # the body is no feedback


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"exp": int(time.time()) - LEEWAY_S - 5, "iat": int(time.time()) - 300}, "token_expired"),
        ({"aud": "https://cds.example.org/cds-services/clinsearch-order-select"}, "token_audience"),
        ({"aud": "https://elsewhere.example"}, "token_audience"),
        ({"iss": "https://stranger.example/"}, "token_invalid"),
        ({"iat": int(time.time()) + 3600, "exp": int(time.time()) + 3700}, "token_invalid"),
        ({"exp": int(time.time()) + 100_000}, "token_invalid"),
        *(({name: None}, "token_invalid") for name in ("iss", "exp", "iat", "jti")),
        ({"jti": ""}, "token_invalid"),
        ({"jti": 7}, "token_invalid"),
    ],
)
async def test_a_token_that_does_not_hold_is_refused(guarded: Service, other: dict[str, Any], code: str) -> None:
    assert await called(guarded, token(**other)) == (401, code)


async def test_a_token_without_an_audience_is_refused(guarded: Service) -> None:
    assert (await called(guarded, token(aud=None)))[0] == 401


async def test_a_token_holds_once(guarded: Service) -> None:
    once = token()
    async with client_of(guarded) as http:
        sent = {"Authorization": f"Bearer {once}"}
        assert (await http.post(PATIENT_VIEW, json=patient_view(), headers=sent)).status_code == 200
        again = await http.post(PATIENT_VIEW, json=patient_view(), headers=sent)
    assert (again.status_code, again.json()["code"]) == (401, "token_replayed")


async def test_unsigned_and_symmetric_tokens_are_refused(guarded: Service) -> None:
    """`alg: none`, and the public key used as the secret of an HMAC."""
    signed, _, _ = token().rpartition(".")
    _, _, said = signed.partition(".")
    header = base64.urlsafe_b64encode(b'{"alg":"HS384","typ":"JWT","kid":"example-kid"}').decode().rstrip("=")
    mac = hmac.digest(json.dumps(jwk()).encode(), f"{header}.{said}".encode(), "sha384")
    symmetric = f"{header}.{said}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    unsigned = jwt.encode(claims(), "", algorithm="none", headers={"kid": "example-kid"})
    for bad in (unsigned, symmetric, f"{signed}."):
        assert await called(guarded, bad) == (401, "token_invalid")


async def test_another_key_or_no_key_is_refused(guarded: Service) -> None:
    assert await called(guarded, token(key=private_key("another"))) == (401, "token_invalid")
    assert await called(guarded, token(kid="another")) == (401, "token_invalid")
    assert await called(guarded, "x.y.z") == (401, "token_invalid")
    assert await called(guarded, token() + "x" * 9000) == (401, "token_invalid")


async def test_keys_may_be_in_a_file_and_be_rsa(make_service: ServiceFactory, tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    held = {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": "rsa", "alg": "RS384"}
    file = tmp_path / "jwks.json"
    file.write_text(json.dumps({"keys": [held]}), encoding="utf-8")
    service = make_service(**trusting(cds_clients=[{"issuer": ISSUER, "jwks_file": str(file)}]))
    assert await called(service, token(kid="rsa", key=key, algorithm="RS384")) == (200, None)
    # The key says its algorithm.
    assert await called(service, token(kid="rsa", key=key, algorithm="RS256")) == (401, "token_invalid")


def test_what_was_used_is_forgotten_only_when_it_has_expired() -> None:
    now = 1000.0
    seen = SeenTokens(clock=lambda: now, limit=2)
    assert seen.use("i", "a", now + 10)
    assert seen.use("i", "b", now + 10)
    assert not seen.use("i", "a", now + 10)
    with pytest.raises(ProblemError, match="Too many"):
        seen.use("i", "c", now + 10)
    now += 10 + LEEWAY_S + 1
    assert seen.use("i", "c", now + 10)


@pytest.mark.parametrize(
    "jwks",
    [
        {},
        {"keys": []},
        {"keys": [{**jwk(), "kid": ""}]},
        {"keys": [jwk(), jwk()]},
        {"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "s"}]},
        {"keys": [{**jwk(), "d": "AAAA"}]},
        {"keys": [{**jwk(), "x": "!"}]},
        {"keys": [{**jwk(), "use": "enc"}]},
    ],
)
def test_keys_that_cannot_be_trusted_stop_the_start(jwks: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        CdsClient.model_validate({"issuer": ISSUER, "jwks": jwks})
    assert "c2VjcmV0" not in str(caught.value.errors(include_input=False))


@pytest.mark.parametrize(
    "wrong",
    [
        {"cds": "on"},
        trusting(cds_url=""),
        trusting(cds_url="cds.example.org"),
        trusting(cds_origins=["*"]),
        trusting(cds_origins=["https://ehr.example.org/"]),
        {"cds": "open", "host": "0.0.0.0"},  # noqa: S104 - refused
        {"cds": "open", "allowed_hosts": ["search.example.org"]},
    ],
)
def test_a_service_that_anybody_could_reach_does_not_start(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(wrong)
    # The operator is told which setting it is.
    assert str(caught.value.errors()[0]["loc"][0]).startswith("cds")


async def test_pages_of_other_origins_are_refused_and_told_nothing(make_service: ServiceFactory) -> None:
    service = make_service(cds="open")
    async with client_of(service) as http:
        answer = await http.post(PATIENT_VIEW, json=patient_view(), headers={"Origin": ORIGIN})
        asked = await http.options(PATIENT_VIEW, headers={"Origin": ORIGIN, "Access-Control-Request-Method": "POST"})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")
    assert asked.status_code == 403
    for response in (answer, asked):
        assert "access-control-allow-origin" not in response.headers


async def test_a_page_of_an_allowed_origin_may_ask_and_read(make_service: ServiceFactory) -> None:
    service = make_service(**trusting(cds_origins=[ORIGIN]))
    wants = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    async with client_of(service) as http:
        asked = await http.options(PATIENT_VIEW, headers=wants)
        answer = await http.post(
            PATIENT_VIEW, json=patient_view(), headers={"Origin": ORIGIN, "Authorization": f"Bearer {token()}"}
        )
        elsewhere = await http.get("/healthz", headers={"Origin": ORIGIN})
        strange = await http.options(PATIENT_VIEW, headers={**wants, "Origin": "https://evil.example"})
    assert (asked.status_code, answer.status_code, strange.status_code) == (200, 200, 403)
    assert asked.headers["access-control-allow-origin"] == answer.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in answer.headers
    assert "access-control-allow-origin" not in elsewhere.headers
