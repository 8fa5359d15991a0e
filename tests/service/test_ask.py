"""POST /v1/ask as JSON and as a stream."""

from __future__ import annotations

import json

import httpx2
import pytest

from agent.errors import ModelUnavailableError
from agent.scripted import Reply

from .conftest import QUESTION, ServiceFactory, client_of


def events_of(text: str) -> list[tuple[int, str, dict[str, object]]]:
    """(id, event, data) of every server-sent event."""
    found = []
    for block in text.strip().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        found.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
    return found


async def test_answer_carries_whole_sources_steps_stop_reason_and_rollout_id(http: httpx2.AsyncClient) -> None:
    response = await http.post("/v1/ask", json={"question": QUESTION})
    assert response.status_code == 200
    body = response.json()
    assert body["stop_reason"] == "answered"
    assert len(body["rollout_id"]) == 26
    assert [step["kind"] for step in body["steps"]] == ["decide", "search", "decide", "answer"]
    assert body["answer"]["sentences"][0]["citations"] == [1]
    citation = body["answer"]["citations"][0]
    assert "250 mg" in citation["text"]
    assert {citation[k] for k in ("title", "publisher", "url")} == {
        "Guideline on example fever",
        "Test Society",
        "https://example.org/guideline",
    }
    assert (citation["year"], citation["strength"], citation["population"]) == (2024, "Strong", "Adults")
    assert citation["contraindications"] == ["Allergy to examplicillin"]


async def test_stream_sends_evidence_before_the_sentence_that_cites_it_and_ends_with_done(
    http: httpx2.AsyncClient,
) -> None:
    response = await http.post("/v1/ask", json={"question": QUESTION}, headers={"accept": "text/event-stream"})
    assert response.headers["content-type"].startswith("text/event-stream")
    events = events_of(response.text)
    assert [number for number, _, _ in events] == list(range(1, len(events) + 1))
    names = [name for _, name, _ in events]
    assert names.index("evidence") < names.index("sentence")
    assert names[-1] == "done"
    assert all(data["v"] == 1 for _, _, data in events)


async def test_a_model_that_is_down_still_gives_labelled_recommendations(make_service: ServiceFactory) -> None:
    async with client_of(make_service(Reply(error=ModelUnavailableError("down")))) as http:
        body = (await http.post("/v1/ask", json={"question": QUESTION})).json()
    assert body["stop_reason"] == "model_failed"
    assert body["answer"]["kind"] == "recommendations"
    assert "could not be used" in body["answer"]["label"]
    assert body["answer"]["sentences"] == []
    assert "examplicillin" in body["answer"]["citations"][0]["text"]
    assert body["failures"][0]["code"] == "model_unavailable"


async def test_too_many_runs_at_once_are_told_to_come_back(make_service: ServiceFactory) -> None:
    service = make_service(max_concurrent_runs=1)
    async with client_of(service) as http:
        await service.slots.acquire()
        response = await http.post("/v1/ask", json={"question": QUESTION})
        assert (response.status_code, response.json()["code"]) == (503, "too_many_runs")
        assert response.headers["retry-after"] == "5"
        service.slots.release()
        assert (await http.post("/v1/ask", json={"question": QUESTION})).status_code == 200


@pytest.mark.parametrize(
    "question",
    ["ما هي جرعة examplicillin للبالغين؟", "成人のexample feverの用量は?", "मात्रा क्या है examplicillin 👩‍⚕️"],
    ids=["arabic", "japanese", "hindi-emoji"],
)
async def test_other_scripts_run_normally(http: httpx2.AsyncClient, question: str) -> None:
    response = await http.post("/v1/ask", json={"question": question})
    assert response.status_code == 200
    assert response.json()["answer"]["citations"]


async def test_a_bug_in_a_streamed_run_ends_in_an_error_event(make_service: ServiceFactory) -> None:
    def bug(_: object) -> str:
        raise RuntimeError("secret words")

    async with client_of(make_service(bug)) as http:
        response = await http.post("/v1/ask", json={"question": QUESTION}, headers={"accept": "text/event-stream"})
    _, name, data = events_of(response.text)[-1]
    assert (name, data["code"]) == ("error", "internal_error")
    assert "secret" not in response.text
