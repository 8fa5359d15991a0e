"""The official client against the application on loopback: what chat clients are built on must simply work."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessageParam

from agent import MemoryJournal, ScriptedModel
from agent.errors import ModelUnavailableError
from agent.scripted import ANSWER, ByTurn, Reply, Script, search

from ..conftest import QUESTION, ServiceFactory
from .serving import CountedModel, HeldModel, client_of, eventually, quote_everything, served, with_model

ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]
SENTENCE = "Give adults with example fever examplicillin 250 mg by mouth twice daily for 5 days. [1]"


def text_of(chunks: Iterable[ChatCompletionChunk]) -> str:
    """What a client shows of a stream."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def ours(reply: ChatCompletion | ChatCompletionChunk) -> dict[str, object]:
    """The service's own field."""
    found = (reply.model_extra or {})["clinsearch"]
    assert isinstance(found, dict)
    return found


def content_of(reply: ChatCompletion) -> str:
    """The text of a reply."""
    content = reply.choices[0].message.content
    assert content is not None
    return content


def test_a_whole_answer_with_its_annotations_and_stop_reason(make_service: ServiceFactory) -> None:
    with client_of(make_service()) as client:
        reply = client.chat.completions.create(model="clinsearch", messages=ASKED)
    content = content_of(reply)
    assert content.startswith(SENTENCE)
    choice = reply.choices[0]
    assert (choice.finish_reason, choice.message.role, reply.object) == ("stop", "assistant", "chat.completion")
    assert (ours(reply)["stop_reason"], ours(reply)["kind"]) == ("answered", "written")
    assert reply.id == f"chatcmpl-{ours(reply)['run_id']}"
    assert reply.model == "clinsearch"
    assert reply.created > 1_700_000_000
    annotations = choice.message.annotations
    assert annotations is not None
    first = annotations[0].url_citation
    assert content[first.start_index : first.end_index] == "[1]"
    assert (first.url, first.title) == ("https://example.org/guideline", "Guideline on example fever")


@pytest.mark.parametrize(
    "script",
    [
        [ByTurn("examplicillin dose")],
        [quote_everything],
        [Reply(error=ModelUnavailableError("down"))],
        [search("dose"), ANSWER, "Nothing of this can be verified."],
        ['{"action": "ask_clinician", "missing": "allergy"}'],
        [search("dose"), '{"action": "decline", "reason": "not_in_corpus"}'],
        ['{"action": "decline", "reason": "policy"}'],
        ['{"action": "reply", "kind": "thanks"}'],
    ],
    ids=["answer", "two sentences", "model down", "nothing verified", "ask back", "not found", "declined", "thanks"],
)
def test_a_stream_says_what_the_whole_reply_says(make_service: ServiceFactory, script: list[Script]) -> None:
    with client_of(make_service(*script)) as client:
        whole = client.chat.completions.create(model="clinsearch", messages=ASKED)
    with client_of(make_service(*script)) as client:
        chunks = list(client.chat.completions.create(model="clinsearch", messages=ASKED, stream=True))
    assert text_of(chunks) == content_of(whole)
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    last = chunks[-1].choices[0]
    assert last.finish_reason == whole.choices[0].finish_reason
    assert (ours(chunks[-1])["stop_reason"], ours(chunks[-1])["kind"]) == (
        ours(whole)["stop_reason"],
        ours(whole)["kind"],
    )
    sent = whole.choices[0].message.annotations or []
    assert (last.delta.model_extra or {})["annotations"] == [item.model_dump() for item in sent]


def test_a_sentence_is_sent_while_the_model_still_writes(make_service: ServiceFactory) -> None:
    model = HeldModel(quote_everything)
    service, _ = with_model(make_service(), model)
    with client_of(service) as client:
        stream = client.chat.completions.create(model="clinsearch", messages=ASKED, stream=True)
        seen = ""
        for chunk in stream:
            seen += chunk.choices[0].delta.content or ""
            if seen:
                break
        assert seen.endswith("[1]")
        assert not model.go.is_set()
        model.go.set()
        rest = text_of(stream)
    assert rest.startswith(" Give adults with sample rash")


def test_earlier_messages_are_the_history_and_system_messages_are_not(make_service: ServiceFactory) -> None:
    model = ScriptedModel([ByTurn("examplicillin dose")])
    service, _ = with_model(make_service(), model)
    with client_of(service) as client:
        first = client.chat.completions.create(model="clinsearch", messages=ASKED)
        client.chat.completions.create(
            model="clinsearch",
            messages=[
                {"role": "system", "content": "Talk like a pirate."},
                {"role": "developer", "content": "Never cite."},
                {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
                {"role": "assistant", "content": content_of(first)},
                {
                    "role": "user",
                    "content": [{"type": "text", "text": "And for a child"}, {"type": "text", "text": "?"}],
                },
            ],
        )
    second = next(request for request in model.requests if "And for a child" in request.messages[-1].content)
    said = [(message.role, message.content) for message in second.messages[1:]]
    assert said == [("user", QUESTION), ("assistant", SENTENCE), ("user", "And for a child\n\n?")]
    assert "pirate" not in second.messages[0].content


def test_usage_counts_every_call_of_the_run(make_service: ServiceFactory) -> None:
    service, _ = with_model(make_service(), CountedModel([ByTurn("examplicillin dose")]))
    with client_of(service) as client:
        whole = client.chat.completions.create(model="clinsearch", messages=ASKED)
        chunks = list(
            client.chat.completions.create(
                model="clinsearch", messages=ASKED, stream=True, stream_options={"include_usage": True}
            )
        )
        without = list(client.chat.completions.create(model="clinsearch", messages=ASKED, stream=True))
    # Two decisions and an answer.
    assert whole.usage is not None
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens, whole.usage.total_tokens) == (21, 6, 27)
    assert whole.usage.prompt_tokens_details is not None
    assert whole.usage.prompt_tokens_details.cached_tokens == 9
    assert chunks[-1].choices == []
    assert chunks[-1].usage == whole.usage
    assert {chunk.usage for chunk in [*chunks[:-1], *without]} == {None}
    assert all(chunk.choices for chunk in without)


def test_an_answer_cut_off_at_a_limit_says_length(make_service: ServiceFactory) -> None:
    with client_of(make_service(search("dose"), search("dose two"), max_steps=1)) as client:
        reply = client.chat.completions.create(model="clinsearch", messages=ASKED)
    assert reply.choices[0].finish_reason == "length"
    assert ours(reply)["stop_reason"] == "budget_exhausted"


def test_every_served_model_is_listed_and_answers_under_its_name(make_service: ServiceFactory) -> None:
    service = make_service()
    other, _ = with_model(service, ScriptedModel([Reply(error=ModelUnavailableError("down"))]))
    with client_of(replace(service, others={"base": other.agent})) as client:
        assert [model.id for model in client.models.list()] == ["clinsearch", "base"]
        reply = client.chat.completions.create(model="base", messages=ASKED)
        with pytest.raises(openai.NotFoundError) as refused:
            client.chat.completions.create(model="gpt-4o", messages=ASKED)
    assert (reply.model, ours(reply)["stop_reason"]) == ("base", "model_failed")
    error = refused.value
    assert (error.code, error.param, error.type) == ("model_not_found", "model", "invalid_request_error")
    assert "clinsearch, base" in error.message


def test_refusals_are_the_clients_own_error_classes(make_service: ServiceFactory) -> None:
    with client_of(make_service()) as client:
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model="clinsearch", messages=ASKED, n=2)
        assert (refused.value.param, refused.value.code) == ("n", "unsupported")
        # With it, the request id: what whoever runs the service asks for.
        assert refused.value.request_id
        with pytest.raises(openai.BadRequestError, match="question is empty"):
            client.chat.completions.create(model="clinsearch", messages=[{"role": "user", "content": " "}])


def test_a_busy_service_says_when_to_come_back(make_service: ServiceFactory) -> None:
    model = HeldModel(quote_everything)
    service, _ = with_model(make_service(max_concurrent_runs=1), model)
    with client_of(service) as client:
        stream = client.chat.completions.create(model="clinsearch", messages=ASKED, stream=True)
        next(chunk for chunk in stream if chunk.choices[0].delta.content)
        with pytest.raises(openai.InternalServerError) as busy:
            client.chat.completions.create(model="clinsearch", messages=ASKED)
        model.go.set()
        assert text_of(stream)
    assert (busy.value.status_code, busy.value.code) == (503, "too_many_runs")
    assert busy.value.response.headers["retry-after"] == "5"


def test_a_bug_in_a_stream_is_an_error_without_its_message(make_service: ServiceFactory) -> None:
    def bug(_: object) -> str:
        raise RuntimeError("secret words")

    with client_of(make_service(bug)) as client:
        with pytest.raises(openai.APIError) as broken:
            list(client.chat.completions.create(model="clinsearch", messages=ASKED, stream=True))
        with pytest.raises(openai.InternalServerError) as failed:
            client.chat.completions.create(model="clinsearch", messages=ASKED)
    for error in (broken.value, failed.value):
        assert error.code == "internal_error"
        assert "secret" not in str(error)


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_stops_the_run(make_service: ServiceFactory, stream: bool) -> None:
    service, journal = with_model(make_service(max_concurrent_runs=1), HeldModel(quote_everything))
    with served(service) as address:
        body = {"model": "clinsearch", "messages": ASKED, "stream": stream}
        with (
            pytest.raises(httpx2.ReadTimeout),
            httpx2.stream("POST", f"{address}/v1/chat/completions", json=body, timeout=1.0) as response,
        ):
            list(response.iter_bytes())
        assert eventually(lambda: stopped(journal))
        assert eventually(lambda: not service.slots.locked())


def stopped(journal: MemoryJournal) -> bool:
    return [rollout.outcome.status for rollout in journal.rollouts] == ["aborted"]


def test_the_stream_on_the_wire(make_service: ServiceFactory) -> None:
    """What clients that parse by hand rely on: data lines only, one JSON object each, and `[DONE]` at the end."""
    with served(make_service()) as address:
        body = {"model": "clinsearch", "messages": ASKED, "stream": True}
        response = httpx2.post(f"{address}/v1/chat/completions", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    *events, end, rest = response.text.split("\n\n")
    assert (end, rest) == ("data: [DONE]", "")
    assert all(event.startswith("data: ") for event in events)
    chunks = [json.loads(event.removeprefix("data: ")) for event in events]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[0]["choices"][0] == {
        "index": 0,
        "delta": {"role": "assistant", "content": ""},
        "logprobs": None,
        "finish_reason": None,
    }
    assert not any("usage" in chunk for chunk in chunks)
    assert set(chunks[-1]["choices"][0]["delta"]) == {"annotations"}
