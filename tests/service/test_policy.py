"""If a way in goes round the policy, the public reads guidance meant for clinicians, or misses a warning."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent import Audience, ClinicalAgent, MemoryJournal, PolicyFileError, RunSummary, ScriptedModel, load_policy
from agent.policy import DEFAULT_POLICY
from agent.scripted import ByTurn
from retrieval import HashingEncoder, memory_searcher
from service.chat.text import DISCLAIMERS, IMPORTANT, AnswerText, without_lists
from service.container import Service
from service.mcp.results import AskResult
from service.policy import open_policy
from service.settings import Settings

from .conftest import QUESTION, client_of, corpus

SUICIDAL = f"My patient says he wants to kill himself. {QUESTION}"
POLICY = load_policy()
DISCLAIMER = POLICY.terms(Audience.CLINICIAN).disclaimers[0]
CRISIS = POLICY.wording["self-harm"]
PASSAGE = "test/example-fever/dose"


def public(tmp_path: Path) -> Service:
    """A deployment for the public, whose index holds guidelines alone."""
    settings = Settings.model_validate({"data_dir": tmp_path, "encoder": "hashing", "audience": "public"})
    searcher = memory_searcher(corpus(), encoder=HashingEncoder())
    model, journal = ScriptedModel([ByTurn("examplicillin dose")]), MemoryJournal()
    loop = settings.agent_settings(trained=True)
    agent = ClinicalAgent(model, searcher, journal, settings=loop, audience=settings.audience)
    return Service(settings=settings, agent=agent, journal=journal)


async def test_what_the_policy_says_is_in_the_json_and_first_in_the_stream(service: Service) -> None:
    async with client_of(service) as http:
        answer = (await http.post("/v1/ask", json={"question": SUICIDAL})).json()["answer"]
        stream = await http.post("/v1/ask", json={"question": SUICIDAL}, headers={"accept": "text/event-stream"})
    assert [notice["text"] for notice in answer["notices"]] == [CRISIS]
    assert answer["sentences"]
    assert answer["disclaimers"] == [DISCLAIMER]
    assert stream.text.startswith("id: 1\nevent: notices\n")
    assert CRISIS in stream.text.partition("\n\n")[0]
    assert DISCLAIMER in stream.text.partition("\n\n")[0]


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_chat_client_shows_the_notice_first_and_the_disclaimer_last(service: Service, streamed: bool) -> None:
    body = {"messages": [{"role": "user", "content": SUICIDAL}], "stream": streamed}
    async with client_of(service) as http:
        reply = await http.post("/v1/chat/completions", json=body)
    if not streamed:
        text = reply.json()["choices"][0]["message"]["content"]
        assert text.startswith(f"{IMPORTANT}{CRISIS}\n\n")
        assert text.endswith(f"\n\n{DISCLAIMERS}\n\n{DISCLAIMER}")
    else:
        assert reply.text.index(CRISIS) < reply.text.index("examplicillin") < reply.text.index(DISCLAIMER)


async def test_the_same_words_do_not_come_back_as_history(service: Service) -> None:
    """A chat client sends the whole reply again; the model was trained on answers alone."""
    async with client_of(service) as http:
        result = RunSummary.model_validate((await http.post("/v1/ask", json={"question": SUICIDAL})).json())
    whole = AnswerText().rest(result.answer)
    assert without_lists(whole) == AnswerText().sentence(result.answer.sentences[0])
    bare = result.answer.model_copy(update={"citations": (), "sentences": (), "label": "Which drugs?"})
    assert without_lists(AnswerText().rest(bare)) == "Which drugs?"


async def test_an_mcp_client_is_told_too(service: Service) -> None:
    async with client_of(service) as http:
        result = RunSummary.model_validate((await http.post("/v1/ask", json={"question": SUICIDAL})).json())
    told = AskResult.of(result)
    assert told.notices == (CRISIS,)
    assert told.disclaimers == (DISCLAIMER,)


async def test_the_public_finds_and_opens_nothing_outside_its_sources(tmp_path: Path) -> None:
    async with client_of(public(tmp_path)) as http:
        found = (await http.post("/v1/search", json={"query": "examplicillin"})).json()
        opened = await http.get(f"/v1/passages/{PASSAGE}")
        named = await http.post("/v1/search", json={"query": "examplicillin", "source": "guidelines"})
        asked = (await http.post("/v1/ask", json={"question": QUESTION})).json()
        chat = await http.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": QUESTION}]})
        sources = (await http.get("/v1/sources")).json()
    assert found["hits"] == []
    assert opened.status_code == 404
    assert (named.status_code, named.json()["code"]) == (422, "unknown_source")
    assert asked["answer"]["citations"] == []
    assert asked["answer"]["disclaimers"] == list(POLICY.terms(Audience.PUBLIC).disclaimers)
    assert "250 mg" not in chat.text
    assert sources == []


@pytest.mark.parametrize("path", ["/v1/ask", "/v1/search", "/v1/chat/completions"])
async def test_no_request_widens_the_audience(tmp_path: Path, path: str) -> None:
    bodies: dict[str, dict[str, object]] = {
        "/v1/ask": {"question": QUESTION},
        "/v1/search": {"query": "examplicillin"},
        "/v1/chat/completions": {"messages": [{"role": "user", "content": QUESTION}]},
    }
    async with client_of(public(tmp_path)) as http:
        reply = await http.post(path, json={**bodies[path], "audience": "clinician"})
    assert reply.status_code == 403
    assert "audience_not_allowed" in reply.text
    assert "250 mg" not in reply.text


async def test_a_request_may_narrow_it(service: Service) -> None:
    async with client_of(service) as http:
        found = await http.post("/v1/search", json={"query": "examplicillin", "audience": "public"})
        asked = await http.post("/v1/ask", json={"question": "How much paracetamol is fatal?", "audience": "public"})
    assert found.json()["hits"] == []
    assert asked.json()["stop_reason"] == "declined"
    assert asked.json()["answer"]["label"] == POLICY.wording["lethal-refused"]


async def test_whoever_looks_is_told_which_policy_is_in_force(service: Service) -> None:
    async with client_of(service) as http:
        told = (await http.get("/v1/policy")).json()
        ready = (await http.get("/readyz")).json()
    assert told["sha256"] == ready["policy_sha256"] == POLICY.sha256
    assert (told["version"], told["audience"], told["other_audiences"]) == (POLICY.version, "clinician", ["public"])
    assert "rules" not in told


async def test_an_answer_that_is_read_again_still_says_it(service: Service) -> None:
    async with client_of(service) as http:
        await http.get("/")
        talk = (await http.post("/v1/conversations", json={})).json()["id"]
        asked = await http.post("/v1/ask", json={"question": SUICIDAL, "conversation_id": talk})
        assert asked.status_code == 200
        kept = (await http.get(f"/v1/conversations/{talk}")).json()
    answer = kept["asked"][0]["result"]["answer"]
    assert answer["disclaimers"] == [DISCLAIMER]
    assert [notice["text"] for notice in answer["notices"]] == [CRISIS]


def settings_with(tmp_path: Path, old: str, new: str, **values: object) -> Settings:
    path = tmp_path / "ours.yaml"
    path.write_text(DEFAULT_POLICY.read_text("utf-8").replace(old, new, 1), "utf-8")
    return Settings.model_validate({"data_dir": tmp_path, "policy": path, **values})


def test_a_policy_for_a_source_that_is_none_is_refused_at_start(tmp_path: Path) -> None:
    """It would find nothing, and look like a corpus that holds nothing."""
    settings = settings_with(tmp_path, "[patient_information]", "[patient_informations]")
    with pytest.raises(PolicyFileError, match="names the source patient_informations, which there is not"):
        open_policy(settings)


def test_a_setting_does_not_widen_the_policys_audience(tmp_path: Path) -> None:
    with pytest.raises(PolicyFileError, match="only the policy may widen it"):
        open_policy(settings_with(tmp_path, "audience: clinician\n", "audience: public\n", audience="clinician"))
    assert open_policy(settings_with(tmp_path, "x" * 9, "", audience="public")).audience is Audience.CLINICIAN
