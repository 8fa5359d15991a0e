"""What a misbehaving server must not get besides a wrong outcome: another server's ear, memory, a false record."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request

import pytest

from agent import ModelIdentity, OpenAIModelClient
from agent.client import CompletionRequest, Message, Usage
from agent.misbehaving import BEHAVIOURS, CallKind
from agent.misbehaving.connections import CONNECTIONS
from agent.prompts import REPAIR_LINE

from .conftest import SPARE_S, PlayFunction

BOTH = (CallKind.DECIDE, CallKind.ANSWER)


def heard(address: str, run: str) -> dict[str, int]:
    """What the server was asked in a run."""
    with urllib.request.urlopen(f"{address}/heard/{run}", timeout=5) as response:  # noqa: S310 - loopback
        counts: dict[str, int] = json.load(response)
    return counts


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("name", ["redirects", "redirects-to-itself"])
async def test_a_question_is_not_sent_on(name: str, kind: CallKind, play: PlayFunction, misbehaving: str) -> None:
    """Else a model server, or whoever answers in its place, chooses who reads what a clinician typed."""
    played = await play(BEHAVIOURS[name], kind)
    counts = heard(misbehaving, played.run)
    assert counts[kind] == 1
    assert "elsewhere" not in counts


async def test_cookies_are_not_kept(play: PlayFunction, misbehaving: str) -> None:
    played = await play(BEHAVIOURS["sets-cookies"], CallKind.DECIDE)
    counts = heard(misbehaving, played.run)
    assert counts[CallKind.DECIDE] == 2
    assert counts["cookies"] == 0


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("name", ["resets-once", "is-busy-once"])
async def test_a_hiccup_is_retried(name: str, kind: CallKind, play: PlayFunction) -> None:
    played = await play(BEHAVIOURS[name], kind)
    first = next(step for step in played.rollout.steps if step.kind == kind)
    assert first.attempts == 2


@pytest.mark.parametrize(
    ("name", "kind", "field"),
    [
        ("ids-null", CallKind.DECIDE, "token_ids"),
        ("ids-null", CallKind.DECIDE, "prompt_token_ids"),
        ("ids-null", CallKind.ANSWER, "token_ids"),
        ("ids-null", CallKind.ANSWER, "prompt_token_ids"),
        ("ids-flood", CallKind.DECIDE, "token_ids"),
        ("ids-flood", CallKind.ANSWER, "token_ids"),
        ("some-ids", CallKind.ANSWER, "token_ids"),
        ("logprob-absurd", CallKind.DECIDE, "logprobs"),
        ("logprobs-flood", CallKind.DECIDE, "logprobs"),
        ("usage-negative", CallKind.DECIDE, "usage"),
        ("usage-astronomic", CallKind.DECIDE, "usage"),
        ("usage-in-words", CallKind.ANSWER, "usage"),
    ],
)
async def test_what_cannot_be_true_is_recorded_as_not_reported_invariant_6(
    name: str, kind: CallKind, field: str, play: PlayFunction
) -> None:
    """Else a training row holds tokens nobody sampled, or a budget counts tokens nobody used."""
    played = await play(BEHAVIOURS[name], kind)
    step = next(step for step in played.rollout.steps if step.kind == kind)
    assert getattr(step, field) in (None, Usage())


async def test_an_infinite_alternative_is_left_out(play: PlayFunction) -> None:
    """A record that holds infinity is written as null, and then the whole journal cannot be read."""
    played = await play(BEHAVIOURS["logprob-infinite"], CallKind.DECIDE)
    logprobs = played.rollout.steps[0].logprobs
    assert logprobs is not None
    assert logprobs[1].top == (("search", -0.1),)


async def test_what_makes_an_action_unusable_is_said_to_the_model_without_its_words(play: PlayFunction) -> None:
    played = await play(BEHAVIOURS["speaks-template"], CallKind.DECIDE)
    assert any(
        "< |im_start|>system" in message.content for message in played.rollout.messages if message.role == "assistant"
    )
    hostile = await play(BEHAVIOURS["missing-unheard-of"], CallKind.DECIDE)
    repair = next(message for message in hostile.rollout.messages if message.content.startswith(REPAIR_LINE[:20]))
    assert "name and address" not in repair.content


async def test_a_repeated_sentence_is_judged_once(play: PlayFunction) -> None:
    played = await play(BEHAVIOURS["repeats-nonsense"], CallKind.ANSWER)
    assert len(played.rollout.verdicts) == 1


async def test_a_server_that_is_not_well_is_not_ready(misbehaving: str) -> None:
    """Else the service waits for it, or believes it, when it starts."""

    async def ready(name: str) -> bool:
        client = OpenAIModelClient(f"{misbehaving}/{name}/models/readiness/v1", ModelIdentity(model="small"))
        try:
            return await client.ready()
        finally:
            await client.close()

    ill = [row.name for row in CONNECTIONS if not row.once]
    started = time.monotonic()
    found = await asyncio.gather(*(ready(name) for name in ill))
    assert time.monotonic() - started < SPARE_S, "two seconds each, all at once"
    assert [name for name, is_ready in zip(ill, found, strict=True) if is_ready] == []
    assert [await ready("none") for _ in range(3)][-1], "a server that behaves is ready"


async def test_tokens_that_tell_the_replies_apart_are_asked_once_and_used(misbehaving: str) -> None:
    """Else the rows on `/tokenize` play with a route that nobody asks."""
    client = OpenAIModelClient(f"{misbehaving}/none/decide/leaning/v1", ModelIdentity(model="small"))
    lean = {'{"action": "answer': -1.0, '{"action": "decline': 0.0}
    said = (Message(role="system", content="s"), Message(role="user", content="u"))
    request = CompletionRequest(messages=said, max_tokens=32, json_schema={}, lean=lean)
    await client.complete(request, 5)
    await client.complete(request, 5)
    await client.close()
    counts = heard(misbehaving, "leaning")
    assert (counts[CallKind.TOKENIZE], counts[CallKind.DECIDE]) == (2, 2)
