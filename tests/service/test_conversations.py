"""Conversations over HTTP: asked, found again, seen by nobody else, and gone when deleted."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from agent import DoneEvent, MemoryJournal, Question, ScriptedModel, read_journal
from agent.scripted import ByTurn
from retrieval import HashingEncoder, Withdrawal, Withdrawals, build_index
from service.app import create_app
from service.container import Service, build_service
from service.conversations import begin_turn
from service.conversations.standing import NOT_SEARCHED, WITHDRAWN_SINCE
from service.records import MemoryRecords, OwnerId, Records, TurnState, open_records
from service.runs import run_events
from service.settings import Settings

from .conftest import QUESTION, ServiceFactory, client_of, corpus
from .test_ask import events_of

NOBODYS = "0" * 26
SECRET = "Mrs Exampleton"


def browser(service: Service, **headers: str) -> httpx2.AsyncClient:
    """A browser that has opened nothing yet."""
    client = client_of(service)
    client.headers.update(headers)
    return client


@pytest.fixture(params=["memory", "sql"])
def records(request: pytest.FixtureRequest, tmp_path: Path) -> Records:
    return MemoryRecords() if request.param == "memory" else open_records(None, tmp_path / "records.sqlite")


@pytest.fixture
def service(make_service: ServiceFactory, records: Records) -> Service:
    return make_service(ByTurn("examplicillin dose"), records=records)


@pytest.fixture
async def me(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser that opened the page."""
    async with browser(service) as client:
        await client.get("/")
        yield client


@pytest.fixture
async def other(service: Service) -> AsyncIterator[httpx2.AsyncClient]:
    async with browser(service) as client:
        await client.get("/")
        yield client


def journal_of(service: Service) -> MemoryJournal:
    assert isinstance(service.journal, MemoryJournal)
    return service.journal


async def begun(http: httpx2.AsyncClient) -> str:
    response = await http.post("/v1/conversations", json={})
    assert response.status_code == 201, response.text
    return str(response.json()["id"])


async def asked(http: httpx2.AsyncClient, conversation: str, question: str = QUESTION) -> dict[str, object]:
    response = await http.post("/v1/ask", json={"question": question, "conversation_id": conversation})
    assert response.status_code == 200, response.text
    body = response.json()
    assert isinstance(body, dict)
    return body


async def test_a_conversation_is_kept_and_found_again(me: httpx2.AsyncClient) -> None:
    conversation = await begun(me)
    assert (await me.get("/v1/conversations")).json() == {"conversations": [], "next_cursor": None}
    result = await asked(me, conversation)
    (listed,) = (await me.get("/v1/conversations", params={"q": "EXAMPLICILLIN fever"})).json()["conversations"]
    assert (listed["id"], listed["title"], listed["turns"]) == (conversation, QUESTION, 1)
    whole = (await me.get(f"/v1/conversations/{conversation}")).json()
    (turn,) = whole["asked"]
    assert (turn["question"], turn["state"], turn["rollout_id"]) == (QUESTION, "answered", result["rollout_id"])
    assert turn["result"] == result
    assert (await me.get("/v1/conversations", params={"q": "otherword"})).json()["conversations"] == []


async def test_a_streamed_answer_is_kept_before_done_is_sent(me: httpx2.AsyncClient, service: Service) -> None:
    conversation = await begun(me)
    response = await me.post(
        "/v1/ask",
        json={"question": QUESTION, "conversation_id": conversation},
        headers={"accept": "text/event-stream"},
    )
    _, name, data = events_of(response.text)[-1]
    assert name == "done"
    (turn,) = (await me.get(f"/v1/conversations/{conversation}")).json()["asked"]
    assert turn["result"] == data["result"]


async def test_nothing_is_told_to_be_done_before_it_is_kept(service: Service, records: Records) -> None:
    """Otherwise a service killed at that moment has shown an answer that nobody finds again."""
    owner = OwnerId("a" * 64)
    conversation = records.create(owner).id
    talk = await begin_turn(service, owner, conversation, Question(text=QUESTION))
    assert records.get(owner, conversation).asked[0].state is TurnState.ASKED
    told = []
    async for event in talk.kept(run_events(service, service.agent, talk.question, talk.rollout_id, talk.origin)):
        told.append(event)
        if isinstance(event, DoneEvent):
            assert records.get(owner, conversation).asked[0].result == event.result
    assert isinstance(told[-1], DoneEvent)


async def test_history_comes_from_the_records(me: httpx2.AsyncClient, service: Service) -> None:
    conversation = await begun(me)
    await asked(me, conversation)
    await asked(me, conversation, "And how long?")
    messages = [(m.role, m.content) for m in journal_of(service).rollouts[-1].messages]
    assert messages[1] == ("user", QUESTION)
    assert messages[2][0] == "assistant"
    assert "examplicillin 250 mg" in messages[2][1]
    assert messages[3] == ("user", "And how long?")
    # A client that brings a history of its own as well is told, not half believed.
    both = {"question": "?", "conversation_id": conversation, "history": [{"question": "a?", "answer": "b"}]}
    response = await me.post("/v1/ask", json={**both, "question": "And how long?"})
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


async def test_nobody_sees_what_is_anothers(me: httpx2.AsyncClient, other: httpx2.AsyncClient) -> None:
    conversation = await begun(me)
    rollout = (await asked(me, conversation))["rollout_id"]
    judged = {"rollout_id": rollout, "feedback": {"thumbs": "down"}}
    for response in (
        await other.get(f"/v1/conversations/{conversation}"),
        await other.patch(f"/v1/conversations/{conversation}", json={"title": "Theirs"}),
        await other.delete(f"/v1/conversations/{conversation}"),
        await other.post("/v1/ask", json={"question": QUESTION, "conversation_id": conversation}),
        await other.post("/v1/feedback", json=judged),
        await other.get(f"/v1/conversations/{NOBODYS}"),
    ):
        assert response.status_code == 404
        assert response.json()["code"] in ("conversation_not_found", "run_not_found")
        assert "examplicillin" not in response.text
    assert (await other.get("/v1/conversations")).json()["conversations"] == []
    assert (await me.get(f"/v1/conversations/{conversation}")).json()["title"] == QUESTION


async def everything(http: httpx2.AsyncClient) -> list[httpx2.Response]:
    """Every route that is somebody's own."""
    return [
        await http.get("/v1/conversations"),
        await http.post("/v1/conversations", json={}),
        await http.get(f"/v1/conversations/{NOBODYS}"),
        await http.patch(f"/v1/conversations/{NOBODYS}", json={"title": "x"}),
        await http.delete(f"/v1/conversations/{NOBODYS}"),
        await http.post("/v1/feedback", json={"rollout_id": NOBODYS, "feedback": None}),
        await http.get("/v1/consent"),
        await http.put("/v1/consent", json={"training": True, "version": "1"}),
        await http.post("/v1/ask", json={"question": QUESTION, "conversation_id": NOBODYS}),
    ]


async def test_a_stranger_is_refused_everywhere(service: Service) -> None:
    async with browser(service) as stranger:
        assert {(r.status_code, r.json()["code"]) for r in await everything(stranger)} == {(401, "not_signed_in")}
        assert (await stranger.post("/v1/ask", json={"question": QUESTION})).status_code == 200
    async with browser(service, cookie="clinsearch_user=guess") as stranger:
        assert {r.status_code for r in await everything(stranger)} == {401}


async def test_a_page_of_another_origin_is_refused_everywhere(me: httpx2.AsyncClient) -> None:
    """Cookies of localhost are sent from every port of it: another program's page must not act for a clinician."""
    for site in ("cross-site", "same-site"):
        me.headers["sec-fetch-site"] = site
        assert {(r.status_code, r.json()["code"]) for r in await everything(me)} == {(403, "cross_origin")}
    me.headers["sec-fetch-site"] = "same-origin"
    assert 403 not in {r.status_code for r in await everything(me)}
    # What a form of another page can send without asking first is no JSON.
    plain = await me.post("/v1/conversations", content=b"{}", headers={"content-type": "text/plain"})
    assert plain.status_code == 422


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(service: Service) -> None:
    async with browser(service) as client:
        said = (await client.get("/")).headers["set-cookie"]
        for part in ("clinsearch_user=", "HttpOnly", "SameSite=strict", "Path=/", "Max-Age=34560000"):
            assert part in said
        assert "Secure" not in said
        kept = client.cookies["clinsearch_user"]
        assert f"clinsearch_user={kept};" in (await client.get("/")).headers["set-cookie"]  # renewed, not replaced
        secure = (await client.get("https://localhost/")).headers["set-cookie"]
        assert secure.startswith("__Host-clinsearch_user=")
        assert "Secure" in secure


async def test_behind_a_proxy_people_are_who_it_says(make_service: ServiceFactory, records: Records) -> None:
    service = make_service(ByTurn("examplicillin dose"), records=records, user_header="X-Forwarded-User")
    async with browser(service) as client:
        assert "set-cookie" not in (await client.get("/")).headers
        assert {r.status_code for r in await everything(client)} == {401}
        for name in ("  ", "n" * 257):
            assert (await client.get("/v1/conversations", headers={"x-forwarded-user": name})).status_code == 401
        client.headers["x-forwarded-user"] = "dr.sample"
        conversation = await begun(client)
        await asked(client, conversation)
        client.headers["x-forwarded-user"] = "dr.other"
        assert (await client.get(f"/v1/conversations/{conversation}")).status_code == 404
        client.headers["x-forwarded-user"] = "dr.sample"
        assert (await client.get(f"/v1/conversations/{conversation}")).status_code == 200


async def test_a_deployment_may_keep_nothing(make_service: ServiceFactory) -> None:
    service = make_service(conversations="off")
    async with browser(service) as client:
        assert "set-cookie" not in (await client.get("/")).headers
        assert {(r.status_code, r.json()["code"]) for r in await everything(client)} == {(403, "conversations_off")}
        assert (await client.post("/v1/ask", json={"question": QUESTION})).status_code == 200


async def test_deleting_takes_the_words_everywhere(me: httpx2.AsyncClient, service: Service) -> None:
    """Otherwise a patient's name that was typed by mistake stays."""
    conversation, kept = await begun(me), await begun(me)
    await asked(me, conversation, f"Dose of examplicillin for {SECRET}?")
    await asked(me, kept, "Dose of examplicillin?")
    assert SECRET in "".join(run.model_dump_json() for run in journal_of(service).rollouts)
    assert (await me.delete(f"/v1/conversations/{conversation}")).status_code == 204
    assert (await me.get(f"/v1/conversations/{conversation}")).status_code == 404
    assert (await me.delete(f"/v1/conversations/{conversation}")).status_code == 404
    erased, untouched = journal_of(service).rollouts
    assert SECRET not in erased.model_dump_json()
    assert erased.erased
    assert erased.answer is not None
    assert erased.answer.citations, "which guidance was shown is still known"
    assert not untouched.erased
    assert untouched.messages
    assert service.records.pending() == ()


async def test_a_run_that_ends_after_its_conversation_was_deleted_is_erased_too(
    make_service: ServiceFactory, records: Records
) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Waiting(ScriptedModel):
        async def complete(self, request, timeout_s):  # type: ignore[no-untyped-def]
            reached.set()
            await go_on.wait()
            return await super().complete(request, timeout_s)

    service = make_service(records=records, model=Waiting([ByTurn("examplicillin dose")]))
    async with browser(service) as client:
        await client.get("/")
        conversation = await begun(client)
        run = asyncio.create_task(asked(client, conversation, f"Dose of examplicillin for {SECRET}?"))
        await reached.wait()
        assert (await client.delete(f"/v1/conversations/{conversation}")).status_code == 204
        go_on.set()
        assert (await run)["stop_reason"] == "answered"
    assert SECRET not in "".join(rollout.model_dump_json() for rollout in journal_of(service).rollouts)


async def test_a_client_that_goes_away_leaves_what_it_was_shown(make_service: ServiceFactory, records: Records) -> None:
    """Otherwise pressing stop, or a lost connection, loses what was read already."""
    service = make_service(records=records)
    async with browser(service) as client:
        await client.get("/")
        conversation = await begun(client)
        body = json.dumps({"question": QUESTION, "conversation_id": conversation}).encode()
        shown = await _streamed_until_gone(service, client, body, until=b"event: sentence")
        assert b"event: done" not in shown
        await service.finish_chores()
        (turn,) = (await client.get(f"/v1/conversations/{conversation}")).json()["asked"]
    assert (turn["state"], turn["result"]) == ("stopped", None)
    assert "examplicillin 250 mg" in turn["shown"]["sentences"][0]["text"]
    assert [citation["number"] for citation in turn["shown"]["citations"]] == [1]
    assert turn["shown"]["disclaimers"], "what must stand beside an answer is gone from what was shown of it"
    assert journal_of(service).rollouts[-1].outcome.status == "aborted"


async def _streamed_until_gone(service: Service, client: httpx2.AsyncClient, body: bytes, *, until: bytes) -> bytes:
    """Ask as a client that disconnects as soon as it has read `until`."""
    gone = asyncio.Event()
    received = bytearray()
    sent = False

    async def receive() -> dict[str, object]:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, object]) -> None:
        received.extend(message.get("body", b""))  # type: ignore[arg-type]
        if until in received:
            gone.set()
            await asyncio.sleep(10)  # a reader that takes nothing more

    headers = {
        "host": "localhost",
        "content-type": "application/json",
        "accept": "text/event-stream",
        "cookie": f"clinsearch_user={client.cookies['clinsearch_user']}",
    }
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/ask",
        "raw_path": b"/v1/ask",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 9),
    }
    await asyncio.wait_for(create_app(service)(scope, receive, send), 8)  # type: ignore[arg-type]
    return bytes(received)


async def test_a_question_the_service_fails_on_is_kept_and_stands_once_when_asked_again(
    make_service: ServiceFactory, records: Records, caplog: pytest.LogCaptureFixture
) -> None:
    broken = True

    def play(request: object) -> str:
        if broken:
            raise RuntimeError(SECRET)
        return ByTurn("examplicillin dose")(request)  # type: ignore[arg-type]

    service = make_service(play, records=records)
    async with browser(service) as client:
        await client.get("/")
        conversation = await begun(client)
        body = {"question": f"{QUESTION} {SECRET}", "conversation_id": conversation}
        assert (await client.post("/v1/ask", json=body)).status_code == 500
        streamed = await client.post("/v1/ask", json=body, headers={"accept": "text/event-stream"})
        assert "event: error" in streamed.text
        (turn,) = (await client.get(f"/v1/conversations/{conversation}")).json()["asked"]
        assert turn["state"] == "failed"
        broken = False
        await asked(client, conversation, body["question"])
        (turn,) = (await client.get(f"/v1/conversations/{conversation}")).json()["asked"]
        assert turn["state"] == "answered"
    assert SECRET not in caplog.text, "no patient text in logs"


async def test_an_answer_that_cannot_be_kept_is_given_and_the_loss_is_told(
    make_service: ServiceFactory, tmp_path: Path
) -> None:
    records = open_records(None, tmp_path / "records.sqlite")

    def play(request: object) -> str:
        # While the answer is written the database breaks.
        with closing(sqlite3.connect(tmp_path / "records.sqlite")) as connection:
            connection.execute("DROP TABLE IF EXISTS messages")
            connection.commit()
        return ByTurn("examplicillin dose")(request)  # type: ignore[arg-type]

    service = make_service(play, records=records)
    async with browser(service) as client:
        await client.get("/")
        result = await asked(client, await begun(client))
        assert result["stop_reason"] == "answered"
        assert [failure["code"] for failure in result["failures"]] == ["not_kept"]  # type: ignore[attr-defined]
        response = await client.get("/v1/conversations")
        assert (response.status_code, response.json()["code"]) == (503, "records_unavailable")
        assert response.headers["retry-after"] == "2"


async def test_feedback_is_kept_told_to_the_journal_and_counted(me: httpx2.AsyncClient, service: Service) -> None:
    conversation = await begun(me)
    rollout = (await asked(me, conversation))["rollout_id"]
    said = {"thumbs": "down", "reasons": ["outdated"], "comment": f"Old. {SECRET}"}
    assert (await me.post("/v1/feedback", json={"rollout_id": rollout, "feedback": said})).status_code == 204
    (turn,) = (await me.get(f"/v1/conversations/{conversation}")).json()["asked"]
    assert turn["feedback"] == said
    (judgement,) = journal_of(service).judgements
    assert (judgement.rollout_id, judgement.thumbs, judgement.reasons) == (rollout, "down", ("outdated",))
    assert SECRET not in judgement.model_dump_json()
    assert 'clinsearch_feedback_total{thumbs="down"} 1.0' in (await me.get("/metrics")).text
    assert (await me.post("/v1/feedback", json={"rollout_id": rollout, "feedback": None})).status_code == 204
    assert (await me.get(f"/v1/conversations/{conversation}")).json()["asked"][0]["feedback"] is None
    wrong = {"rollout_id": rollout, "feedback": {"thumbs": "up", "reasons": ["outdated"]}}
    response = await me.post("/v1/feedback", json=wrong)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_request")


async def test_consent_is_off_asked_once_and_recorded_with_the_run(me: httpx2.AsyncClient, service: Service) -> None:
    said = (await me.get("/v1/consent")).json()
    assert (said["training"], said["asked"], said["decided_at"]) == (False, False, None)
    assert said["wording"]
    conversation = await begun(me)
    await asked(me, conversation)
    decided = (await me.put("/v1/consent", json={"training": True, "version": said["version"]})).json()
    assert (decided["training"], decided["asked"]) == (True, True)
    assert (await me.get("/v1/consent")).json() == decided
    result = await asked(me, conversation, "And how long?")
    assert [run.provenance.training_consent for run in journal_of(service).rollouts] == [False, True]
    await me.put("/v1/consent", json={"training": False, "version": said["version"]})
    (judgement,) = journal_of(service).judgements
    assert (judgement.kind, judgement.rollout_id) == ("consent_withdrawn", result["rollout_id"])
    stale = await me.put("/v1/consent", json={"training": True, "version": "0"})
    assert (stale.status_code, stale.json()["code"]) == (409, "consent_wording_changed")
    # Without a conversation nobody is known, so nobody has agreed.
    await me.post("/v1/ask", json={"question": QUESTION})
    assert not journal_of(service).rollouts[-1].provenance.training_consent


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/conversations", {"title": ""}, 422),
        ("POST", "/v1/conversations", {"title": "   "}, 422),
        ("POST", "/v1/conversations", {"title": "x" * 201}, 422),
        ("POST", "/v1/conversations", {"title": "a\u0000b"}, 422),
        ("POST", "/v1/conversations", {"colour": "red"}, 422),
        ("GET", "/v1/conversations?limit=0", None, 422),
        ("GET", "/v1/conversations?limit=101", None, 422),
        ("GET", f"/v1/conversations?q={'x' * 201}", None, 422),
        ("GET", "/v1/conversations?q=%00", None, 422),
        ("GET", "/v1/conversations?cursor=x", None, 422),
        ("GET", "/v1/conversations?cursor=fffffffffffffff-01ARZ3NDEKTSV4RRFFQ69G5FAV", None, 422),
        ("GET", "/v1/conversations/x", None, 422),
        ("GET", f"/v1/conversations/{NOBODYS.lower()[:-1]}u", None, 422),
        ("PATCH", f"/v1/conversations/{NOBODYS}", {}, 422),
        ("POST", "/v1/feedback", {"rollout_id": "x", "feedback": None}, 422),
        ("POST", "/v1/feedback", {"rollout_id": NOBODYS}, 422),
        ("PUT", "/v1/consent", {"training": "perhaps", "version": "1"}, 422),
        ("POST", "/v1/ask", {"question": QUESTION, "conversation_id": "x"}, 422),
    ],
)
async def test_what_does_not_fit_is_refused(
    me: httpx2.AsyncClient, method: str, path: str, body: object, status: int
) -> None:
    response = await me.request(method, path, json=body)
    assert (response.status_code, response.json()["code"]) == (status, "invalid_request")


async def test_pages_of_the_list_hang_together(me: httpx2.AsyncClient) -> None:
    for number in range(5):
        await asked(me, await begun(me), f"Question {number} on examplicillin?")
    first = (await me.get("/v1/conversations", params={"limit": 3})).json()
    rest = (await me.get("/v1/conversations", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    listed = [item["title"] for item in [*first["conversations"], *rest["conversations"]]]
    assert listed == [f"Question {number} on examplicillin?" for number in (4, 3, 2, 1, 0)]
    assert rest["next_cursor"] is None


@pytest.mark.slow
async def test_a_full_conversation_says_so(me: httpx2.AsyncClient, service: Service) -> None:
    conversation = await begun(me)
    for number in range(100):
        await asked(me, conversation, f"Question {number}?")
    response = await me.post("/v1/ask", json={"question": "One more?", "conversation_id": conversation})
    assert (response.status_code, response.json()["code"]) == (409, "records_full")


async def test_nothing_of_anybodys_is_left_in_a_cache(me: httpx2.AsyncClient) -> None:
    for response in await everything(me):
        assert response.headers["cache-control"] == "no-store"


async def test_every_answer_is_declared(me: httpx2.AsyncClient, service: Service) -> None:
    paths = create_app(service).openapi()["paths"]
    for response in [*await everything(me), await me.post("/v1/conversations", json={"title": ""})]:
        path = response.request.url.path.replace(NOBODYS, "{conversation_id}")
        operation = paths[path][response.request.method.lower()]
        declared = operation["responses"]
        assert str(response.status_code) in declared
        assert {"401", "403", "503"} <= declared.keys()
        assert operation["description"]


async def test_withdrawn_guidance_is_gone_from_old_answers_and_from_history(tmp_path: Path) -> None:
    """Otherwise a dose that somebody found to be wrong is read again tomorrow in yesterday's conversation."""
    build_index(corpus(), tmp_path / "index", HashingEncoder())
    withdrawals = Withdrawals(tmp_path / "withdrawals.jsonl")
    settings = Settings.model_validate(
        {"data_dir": tmp_path, "encoder": "hashing", "model_url": "http://127.0.0.1:9/v1"}
    )
    service = build_service(settings)
    async with browser(service) as client:
        await client.get("/")
        conversation = await begun(client)
        result = await asked(client, conversation)
        answer = result["answer"]
        assert isinstance(answer, dict)
        first = answer["citations"][0]["passage_id"]
        act = Withdrawal(
            kind="passage", id=first, why="the dose is wrong", who="a test", at=datetime.now(UTC), passages=(first,)
        )
        withdrawals.add(act)
        (turn,) = (await client.get(f"/v1/conversations/{conversation}")).json()["asked"]
        shown = turn["result"]["answer"]
        assert shown["label"] == WITHDRAWN_SINCE
        assert first not in [citation["passage_id"] for citation in shown["citations"]]
        await asked(client, conversation, "And how long?")
    await service.close()
    last = list(read_journal(settings.journal_dir))[-1]
    assert WITHDRAWN_SINCE in last.messages[2].content


async def test_guidance_that_left_the_index_is_labelled(make_service: ServiceFactory, records: Records) -> None:
    service = make_service(records=records)
    async with browser(service) as client:
        await client.get("/")
        conversation = await begun(client)
        await asked(client, conversation)
        emptied = make_service(records=records, entries=corpus()[1:])
        async with client_of(emptied) as later:
            later.cookies.update(client.cookies)
            (turn,) = (await later.get(f"/v1/conversations/{conversation}")).json()["asked"]
    assert turn["result"]["answer"]["citations"][0]["labels"] == [NOT_SEARCHED]
