"""What a chat client may send: what is ignored, what is refused and how, and what becomes of the conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping

import httpx2
import pytest

from agent import MAX_QUESTION_CHARS, Question, Turn
from service.chat.request import ChatBody

from ..conftest import QUESTION

USER = {"role": "user", "content": QUESTION}
ANSWER = {"role": "assistant", "content": "b"}
IGNORED = {
    "temperature": 1.7,
    "top_p": 0.1,
    "max_tokens": 1,
    "max_completion_tokens": 1,
    "n": 1,
    "stop": ["Give"],
    "user": "someone",
    "tools": [],
    "tool_choice": "auto",
    "functions": [],
    "stream_options": None,
    "seed": 7,
    "presence_penalty": 0.5,
    "frequency_penalty": 0.5,
    "logit_bias": {"1": 1},
    "logprobs": True,
    "response_format": {"type": "text"},
    "modalities": ["text"],
    "reasoning_effort": "high",
    "metadata": {"chat": "1"},
    "store": False,
    "never_heard_of": {"a": [1]},
}


def user(content: object) -> dict[str, object]:
    """A message of the user."""
    return {"role": "user", "content": content}


def asked(*messages: Mapping[str, object]) -> Question:
    """The question that a conversation asks."""
    return ChatBody.model_validate({"messages": messages}).to_question()


async def test_what_clients_commonly_send_changes_nothing(http: httpx2.AsyncClient) -> None:
    plain = await http.post("/v1/chat/completions", json={"messages": [USER]})
    tuned = await http.post("/v1/chat/completions", json={"messages": [USER], **IGNORED})
    assert (plain.status_code, tuned.status_code) == (200, 200)
    assert plain.json()["choices"] == tuned.json()["choices"]


@pytest.mark.parametrize(
    ("body", "param", "word"),
    [
        ({"n": 2}, "n", "one answer"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools", "Tools"),
        ({"functions": [{"name": "f"}]}, "functions", "Functions"),
        ({"modalities": ["text", "audio"]}, "modalities", "text"),
        ({"response_format": {"type": "json_object"}}, "response_format", "JSON"),
        ({"messages": []}, "messages", "schema"),
        ({"messages": [{"role": "tool", "content": "a"}]}, "messages.0.role", "'user'"),
        ({"messages": [{"role": "system", "content": "a"}]}, "messages", "empty"),
        ({"messages": [USER, ANSWER]}, "messages", "last message"),
        ({"messages": [user("half \ud83d")]}, "messages", "control characters"),
        ({"messages": [user("a\u0000"), ANSWER, USER]}, "messages", "earlier message"),
        ({"messages": [user("a" * 4001)]}, "messages", "4,001 characters"),
        ({"messages": [user("a" * 4001), ANSWER, USER]}, "messages", "earlier question"),
        ({"messages": [user([{"type": "image_url", "image_url": {"url": "data:"}}])]}, "messages", "images"),
        ({"messages": [user([{"type": "input_audio", "input_audio": {"data": "aaaa"}}])]}, "messages", "audio"),
        ({"messages": [USER], "stream": "perhaps"}, "stream", "schema"),
    ],
)
async def test_what_cannot_be_done_is_a_400_that_says_so(
    http: httpx2.AsyncClient, body: dict[str, object], param: str, word: str
) -> None:
    content = json.dumps({"messages": [USER], **body})  # by hand: httpx2 cannot encode half a surrogate pair
    headers = {"content-type": "application/json"}
    response = await http.post("/v1/chat/completions", content=content, headers=headers)
    assert response.status_code == 400, response.text
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()) == {"error"}
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert word in error["message"]
    assert "aaaa" not in response.text, "what was typed is not repeated"


@pytest.mark.parametrize(
    ("method", "content", "host", "status", "code"),
    [
        ("POST", b"{", "localhost", 400, "invalid_json"),
        ("POST", b" " * 600_000, "localhost", 413, "request_too_large"),
        ("GET", b"", "localhost", 405, "method_not_allowed"),
        ("POST", b"{}", "evil.example", 421, "host_not_allowed"),
    ],
)
async def test_whatever_goes_wrong_there_has_the_same_shape(
    http: httpx2.AsyncClient, method: str, content: bytes, host: str, status: int, code: str
) -> None:
    headers = {"content-type": "application/json", "host": host}
    response = await http.request(method, "/v1/chat/completions", content=content, headers=headers)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert response.headers["x-request-id"]


async def test_other_addresses_keep_their_problem_documents(http: httpx2.AsyncClient) -> None:
    response = await http.post("/v1/ask", json={"question": QUESTION, "model": "gpt"})
    assert (response.status_code, response.json()["code"]) == (422, "unknown_model")


async def test_the_reference_page_describes_it(http: httpx2.AsyncClient) -> None:
    described = (await http.get("/openapi.json")).json()["paths"]["/v1/chat/completions"]["post"]
    assert set(described["responses"]) == {"200", "4XX", "5XX"}
    assert "POST /v1/chat/completions" in (await http.get("/docs")).text


def test_a_conversation_becomes_question_and_history() -> None:
    question = asked(
        {"role": "assistant", "content": "Hello, ask me."},
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "First?"},
        {"role": "assistant", "content": None, "refusal": None},
        {"role": "user", "content": "She is pregnant."},
        {"role": "assistant", "content": [{"type": "text", "text": "Answer."}], "name": "clinsearch"},
        {"role": "assistant", "content": "More."},
        {"role": "user", "content": "And a child?"},
    )
    assert question.text == "And a child?"
    assert question.history == (Turn(question="First?\n\nShe is pregnant.", answer="Answer.\n\nMore."),)


def test_of_a_long_conversation_the_last_turns_are_kept() -> None:
    turns = [{"role": role, "content": f"{role} {number}"} for number in range(25) for role in ("user", "assistant")]
    question = asked(*turns, {"role": "user", "content": "Now?"})
    assert [turn.question for turn in question.history] == [f"user {number}" for number in range(15, 25)]


def test_a_long_earlier_answer_is_cut_and_does_not_stop_the_conversation() -> None:
    question = asked(USER, {"role": "assistant", "content": "a" * 100_000}, {"role": "user", "content": "Now?"})
    assert len(question.history[0].answer) == 8_000
    longest = {"role": "user", "content": "a" * MAX_QUESTION_CHARS}
    assert len(asked(longest).text) == MAX_QUESTION_CHARS
