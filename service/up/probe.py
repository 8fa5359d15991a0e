"""Asking a server whether it is ready, without trusting what it answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import httpx2

_LOOK_S, _LOOK_TIMEOUT_S = 0.5, 2.0
#: The first call of a kind loads what it needs, the grammar engine for one; a busy machine takes many seconds.
_FIRST_CALL_TIMEOUT_S = 120.0
_SCHEMA = {"type": "object", "properties": {"action": {"enum": ["search"]}}, "required": ["action"]}


@dataclass(frozen=True)
class ModelProbe:
    """What the first call to a model server showed."""

    #: False when the call failed; the client's own retries deal with that later.
    answered: bool
    #: Training needs the ids of prompt and sampled tokens in every reply.
    reports_token_ids: bool


async def until_answers(url: str, api_key: str | None = None) -> None:
    """Return once a GET of `url` succeeds."""
    async with httpx2.AsyncClient(timeout=_LOOK_TIMEOUT_S, headers=_authorisation(api_key)) as client:
        while True:
            with suppress(httpx2.HTTPError):
                response = await client.get(url)
                if response.is_success:
                    return
            await asyncio.sleep(_LOOK_S)


async def served_names(model_url: str, api_key: str | None = None) -> tuple[str, ...]:
    """Names of the models a server lists; none where it does not answer with a list."""
    try:
        async with httpx2.AsyncClient(timeout=_LOOK_TIMEOUT_S, headers=_authorisation(api_key)) as client:
            reply = (await client.get(f"{model_url}/models")).json()
        return tuple(str(model["id"]) for model in reply["data"])
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        return ()


async def first_call(model_url: str, model: str, api_key: str | None = None) -> ModelProbe:
    """Make one small constrained call, which also warms the server up."""
    body = {
        "model": model,
        "messages": [{"role": "user", "content": "Ready?"}],
        "max_tokens": 16,
        "temperature": 0,
        "response_format": {"type": "json_schema", "json_schema": {"name": "probe", "schema": _SCHEMA}},
        "return_token_ids": True,
        "logprobs": True,
        "top_logprobs": 20,
    }
    try:
        async with httpx2.AsyncClient(timeout=_FIRST_CALL_TIMEOUT_S, headers=_authorisation(api_key)) as client:
            response = await client.post(f"{model_url}/chat/completions", json=body)
        reply = response.json() if response.is_success else None
    except (httpx2.HTTPError, ValueError):
        reply = None
    if not isinstance(reply, dict) or not reply.get("choices"):
        return ModelProbe(answered=False, reports_token_ids=False)
    choice = reply["choices"][0]
    sampled = choice.get("token_ids") if isinstance(choice, dict) else None
    return ModelProbe(answered=True, reports_token_ids=bool(sampled) and bool(reply.get("prompt_token_ids")))


def _authorisation(api_key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}
