"""Streams that break and go on. If these fail, a clinician loses half an answer, reads a sentence twice, or a model
works on for somebody who left.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import httpx2
import pytest

from agent import MemoryJournal
from service.container import Service

from .chat.serving import quote_everything, served, with_model
from .conftest import QUESTION, ServiceFactory
from .streaming import PATIENCE_S, CountedModel, asked, browser, eventually, resumed

NOBODYS = "0" * 26
LONG = "What dose of examplicillin and of samplomycin?"


@pytest.fixture
def model() -> CountedModel:
    """Writes one sentence and waits there until it is let go."""
    return CountedModel(quote_everything)


@pytest.fixture
def held(make_service: ServiceFactory, model: CountedModel) -> tuple[Service, MemoryJournal]:
    return with_model(make_service(), model)


@pytest.fixture
def http(held: tuple[Service, MemoryJournal]) -> Iterator[httpx2.Client]:
    """A browser that opened the page of a service with the held model."""
    with served(held[0]) as address, browser(address) as client:
        yield client


def problem(response: httpx2.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("pieces", [1, 2, 3, 5])
def test_however_often_it_is_cut_every_event_comes_once_and_in_order(make_service: ServiceFactory, pieces: int) -> None:
    with served(make_service(quote_everything)) as address, browser(address) as http:
        with asked(http, LONG, resumable=True) as stream:
            rollout_id = stream.rollout_id
            events = stream.take(pieces)
        while events[-1].event != "done":
            with resumed(http, rollout_id, events[-1].id) as stream:
                assert stream.rollout_id == rollout_id
                events += stream.take(pieces)
        with resumed(http, rollout_id, None) as stream:
            assert list(stream) == events, "from the start it is the same stream"
    assert [event.id for event in events] == [str(number) for number in range(1, len(events) + 1)]
    result = json.loads(events[-1].data)["result"]
    assert result["rollout_id"] == rollout_id
    said = [json.loads(event.data)["sentence"] for event in events if event.event == "sentence"]
    assert said == result["answer"]["sentences"]
    assert len(said) == 2


def test_a_run_goes_on_while_its_reader_is_away(http: httpx2.Client, model: CountedModel) -> None:
    conversation = http.post("/v1/conversations", json={}).json()["id"]
    with asked(http, LONG, resumable=True, conversation_id=conversation) as stream:
        assert stream.response.headers["x-resume-seconds"] == "30"
        before = stream.until("sentence")
    model.go.set()
    # The answer is kept although nobody was there when it was done.
    kept = f"/v1/conversations/{conversation}"
    assert eventually(lambda: http.get(kept).json()["asked"][0]["state"] == "answered")
    with resumed(http, stream.rollout_id, before[-1].id) as rest:
        after = rest.until("done")
    assert int(after[0].id) == int(before[-1].id) + 1
    assert json.loads(after[-1].data)["result"] == http.get(kept).json()["asked"][0]["result"]


def test_without_asking_for_it_a_lost_connection_ends_the_run(
    http: httpx2.Client, model: CountedModel, held: tuple[Service, MemoryJournal]
) -> None:
    """Otherwise a model works for nobody."""
    with asked(http, LONG) as stream:
        assert "x-resume-seconds" not in stream.response.headers
        stream.until("sentence")
        assert model.open_calls == 1
    assert eventually(lambda: model.open_calls == 0)
    assert eventually(lambda: [run.outcome.status for run in held[1].rollouts] == ["aborted"])
    assert problem(http.get(f"/v1/ask/{stream.rollout_id}/events")) == (404, "stream_not_found")
    assert len(held[0].live) == 0


def test_a_reader_that_does_not_come_back_ends_the_run_in_the_stated_time(
    make_service: ServiceFactory, model: CountedModel
) -> None:
    service, journal = with_model(make_service(resume_s=1.5), model)
    with served(service) as address, browser(address) as http:
        conversation = http.post("/v1/conversations", json={}).json()["id"]
        with asked(http, LONG, resumable=True, conversation_id=conversation) as stream:
            seen = stream.until("sentence")
            left = time.monotonic()
            assert model.open_calls == 1
        assert eventually(lambda: model.open_calls == 0)
        assert time.monotonic() - left >= 1.4, "it waited as long as it said"
        assert eventually(lambda: [run.outcome.status for run in journal.rollouts] == ["aborted"])
        gone = http.get(f"/v1/ask/{stream.rollout_id}/events", headers={"last-event-id": seen[-1].id})
        assert problem(gone) == (404, "stream_not_found")
        assert "waits for 1.5 s" in gone.json()["detail"]
        assert "ask again" in gone.json()["detail"]
        (turn,) = http.get(f"/v1/conversations/{conversation}").json()["asked"]
        assert turn["state"] == "stopped"
        assert len(turn["shown"]["sentences"]) == 1
    assert len(service.live) == 0


def test_stopping_ends_the_run_at_once_although_it_could_be_resumed(
    http: httpx2.Client, model: CountedModel, held: tuple[Service, MemoryJournal]
) -> None:
    """Otherwise the stop button leaves the model working for another half minute."""
    with asked(http, LONG, resumable=True) as stream:
        stream.until("sentence")
        with browser(str(http.base_url), http.cookies) as other:
            assert other.delete(f"/v1/ask/{stream.rollout_id}").status_code == 204
        # By the time it is confirmed the call is given up and the run is recorded.
        assert model.open_calls == 0
        assert held[1].rollouts[-1].outcome.status == "aborted"
        assert list(stream) == [], "the open stream ends"
    for response in (
        http.get(f"/v1/ask/{stream.rollout_id}/events"),
        http.delete(f"/v1/ask/{stream.rollout_id}"),
    ):
        assert problem(response) == (404, "stream_not_found")


@pytest.mark.parametrize("resumable", [False, True])
def test_nobody_reads_or_stops_what_another_asked(http: httpx2.Client, model: CountedModel, resumable: bool) -> None:
    with asked(http, LONG, resumable=resumable) as stream:
        stream.until("sentence")
        address = f"/v1/ask/{stream.rollout_id}"
        with browser(str(http.base_url)) as other, httpx2.Client(base_url=http.base_url, timeout=PATIENCE_S) as nobody:
            for stranger in (other, nobody):
                for response in (stranger.get(f"{address}/events"), stranger.delete(address)):
                    assert problem(response) == (404, "stream_not_found")
                    assert "examplicillin" not in response.text
        for site in ("same-site", "cross-site"):
            assert problem(http.delete(address, headers={"sec-fetch-site": site})) == (403, "cross_origin")
        assert model.open_calls == 1
        model.go.set()
        assert stream.until("done")


def test_who_is_not_known_resumes_by_the_id_alone(held: tuple[Service, MemoryJournal], model: CountedModel) -> None:
    """A program that asks without a cookie; the id has 80 random bits."""
    with served(held[0]) as address, httpx2.Client(base_url=address, timeout=PATIENCE_S) as program:
        with asked(program, LONG, resumable=True) as stream:
            seen = stream.until("sentence")
        model.go.set()
        with resumed(program, stream.rollout_id, seen[-1].id) as rest:
            assert rest.until("done")
        with browser(address) as somebody:
            assert somebody.get(f"/v1/ask/{stream.rollout_id}/events").status_code == 404


def test_behind_a_proxy_it_is_whoever_it_says(make_service: ServiceFactory) -> None:
    service = make_service(quote_everything, user_header="X-Forwarded-User", conversations="off")
    with served(service) as address, httpx2.Client(base_url=address, timeout=PATIENCE_S) as http:
        http.headers["x-forwarded-user"] = "dr.sample"
        with asked(http, LONG, resumable=True) as stream:
            stream.take(1)
        http.headers["x-forwarded-user"] = "dr.other"
        assert http.get(f"/v1/ask/{stream.rollout_id}/events").status_code == 404
        http.headers["x-forwarded-user"] = "dr.sample"
        assert http.get(f"/v1/ask/{stream.rollout_id}/events").status_code == 200


def test_an_id_that_was_never_sent_is_refused_and_the_last_one_ends_an_event_source(
    http: httpx2.Client, model: CountedModel
) -> None:
    with asked(http, LONG, resumable=True) as stream:
        seen = stream.until("sentence")
    address = f"/v1/ask/{stream.rollout_id}/events"
    ahead = http.get(address, headers={"last-event-id": "999"})
    assert problem(ahead) == (422, "unknown_event")
    assert "event 999" in ahead.json()["detail"]
    for nonsense in ("-1", "x", "1.5"):
        assert problem(http.get(address, headers={"last-event-id": nonsense})) == (422, "invalid_request")
    for unknown in (NOBODYS, "x"):
        assert http.get(f"/v1/ask/{unknown}/events").status_code in (404, 422)
    model.go.set()
    with resumed(http, stream.rollout_id, seen[-1].id) as rest:
        last = rest.until("done")[-1]
    with resumed(http, stream.rollout_id, last.id) as nothing:
        assert nothing.response.status_code == 204


def test_a_second_reader_takes_the_place_of_a_connection_that_died_silently(
    http: httpx2.Client, model: CountedModel
) -> None:
    """A phone that changed networks leaves a connection that nobody closed: it must not keep the new one out."""
    with asked(http, LONG, resumable=True) as dead:
        seen = dead.until("sentence")
        with (
            browser(str(http.base_url), http.cookies) as other,
            resumed(other, dead.rollout_id, seen[-1].id) as alive,
        ):
            assert list(dead) == [], "the old one ends"
            assert model.open_calls == 1, "and takes nothing with it"
            model.go.set()
            assert int(alive.until("done")[0].id) == int(seen[-1].id) + 1


def test_a_deployment_may_hold_nothing(make_service: ServiceFactory, model: CountedModel) -> None:
    service, _ = with_model(make_service(resume_s=0), model)
    with served(service) as address, browser(address) as http:
        with asked(http, LONG, resumable=True) as stream:
            assert "x-resume-seconds" not in stream.response.headers
            stream.until("sentence")
        assert eventually(lambda: model.open_calls == 0)


def test_an_answer_that_is_no_stream_cannot_be_resumed(make_service: ServiceFactory) -> None:
    with served(make_service()) as address, browser(address) as http:
        refused = http.post("/v1/ask", json={"question": QUESTION, "resumable": True})
        assert problem(refused) == (422, "not_streamed")


def test_a_service_that_ends_ends_what_it_held(held: tuple[Service, MemoryJournal], model: CountedModel) -> None:
    """Otherwise it does not end, or the run is in no record."""
    with served(held[0]) as address, browser(address) as http:
        with asked(http, LONG, resumable=True) as stream:
            stream.until("sentence")
        assert len(held[0].live) == 1
    assert eventually(lambda: [run.outcome.status for run in held[1].rollouts] == ["aborted"])
    assert model.open_calls == 0
