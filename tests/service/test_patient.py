"""The right patient over HTTP, in the stream, in chat completions and in a conversation that is opened again."""

from __future__ import annotations

import httpx2
import pytest

from agent.errors import ModelUnavailableError
from agent.scripted import Reply

from .conftest import ServiceFactory, client_of
from .test_ask import events_of

AGAINST = "58M with example fever who had anaphylaxis to examplicillin: what dose?"
HEADLINE = (
    "Does not apply to this patient: examplicillin allergy (the recommendation is examplicillin). "
    "Question: “anaphylaxis to examplicillin”. Recommendation: “Allergy to examplicillin”."
)


async def test_it_is_not_the_answer_and_says_why(http: httpx2.AsyncClient) -> None:
    body = (await http.post("/v1/ask", json={"question": AGAINST})).json()
    assert all("examplicillin" not in sentence["text"] for sentence in body["answer"]["sentences"])
    (citation,) = [item for item in body["answer"]["citations"] if "examplicillin" in item["text"]]
    assert citation["labels"] == [HEADLINE]
    (conflict,) = citation["conflicts"]
    assert conflict["kind"] == "allergy"
    assert conflict["weight"] == "whole"
    assert conflict["question_words"] == "anaphylaxis to examplicillin"


async def test_the_evidence_in_the_stream_has_its_headline(make_service: ServiceFactory) -> None:
    async with client_of(make_service(Reply(error=ModelUnavailableError("down")))) as http:
        response = await http.post("/v1/ask", json={"question": AGAINST}, headers={"accept": "text/event-stream"})
    labels = [data["citation"]["labels"] for _, name, data in events_of(response.text) if name == "evidence"]  # type: ignore[index]
    assert [HEADLINE] in labels


@pytest.mark.parametrize("question", [AGAINST, "58M with example fever, NKDA: what dose?"])
async def test_no_question_is_refused_for_it(http: httpx2.AsyncClient, question: str) -> None:
    response = await http.post("/v1/ask", json={"question": question})
    assert response.status_code == 200
    body = response.json()
    assert body["stop_reason"] == "answered"
    assert body["answer"]["citations"]


async def test_chat_clients_are_told_too(make_service: ServiceFactory) -> None:
    async with client_of(make_service(Reply(error=ModelUnavailableError("down")))) as http:
        message = {"role": "user", "content": AGAINST}
        body = (await http.post("/v1/chat/completions", json={"model": "clinsearch", "messages": [message]})).json()
    assert HEADLINE in body["choices"][0]["message"]["content"]


async def test_an_old_answer_still_says_it(http: httpx2.AsyncClient) -> None:
    await http.get("/")
    kept = (await http.post("/v1/conversations", json={})).json()["id"]
    await http.post("/v1/ask", json={"question": AGAINST, "conversation_id": kept})
    turn = (await http.get(f"/v1/conversations/{kept}")).json()["asked"][0]
    labels = [item["labels"] for item in turn["result"]["answer"]["citations"]]
    assert [HEADLINE] in labels
