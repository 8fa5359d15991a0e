"""Several models: a question names the one that answers, and nobody gets another one without knowing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from agent import ClinicalAgent, MemoryJournal, ModelIdentity, ScriptedModel
from agent.scripted import ByTurn
from service.container import Service, other_models
from service.settings import Settings

from .conftest import QUESTION, ServiceFactory, client_of


def with_second_model(make_service: ServiceFactory) -> tuple[Service, MemoryJournal]:
    service = make_service()
    journal = MemoryJournal()
    identity = ModelIdentity(model="base", trained=False)
    model = ScriptedModel([ByTurn("examplicillin dose")], identity=identity)
    settings = service.settings.agent_settings(trained=False)
    agent = ClinicalAgent(model, service.agent.searcher, journal, settings=settings)
    return replace(service, others={"base": agent}), journal


async def test_the_named_model_answers_and_the_answer_says_so(make_service: ServiceFactory) -> None:
    service, journal = with_second_model(make_service)
    async with client_of(service) as http:
        named = (await http.post("/v1/ask", json={"question": QUESTION, "model": "base"})).json()
        default = (await http.post("/v1/ask", json={"question": QUESTION, "model": "clinsearch"})).json()
        unnamed = (await http.post("/v1/ask", json={"question": QUESTION})).json()
        streamed = await http.post(
            "/v1/ask", json={"question": QUESTION, "model": "base"}, headers={"accept": "text/event-stream"}
        )
    assert (named["model"], default["model"], unnamed["model"]) == ("base", "scripted", "scripted")
    assert named["answer"]["kind"] == "recommendations", "an untrained model searches and its words are not used"
    assert '"model":"base"' in streamed.text.replace(" ", "")
    assert len(journal.rollouts) == 2


async def test_the_models_are_listed_as_openai_clients_expect(make_service: ServiceFactory) -> None:
    service, _ = with_second_model(make_service)
    async with client_of(service) as http:
        body = (await http.get("/v1/models")).json()
    assert body["object"] == "list"
    assert [(model["id"], model["object"], model["default"], model["trained"]) for model in body["data"]] == [
        ("clinsearch", "model", True, True),
        ("base", "model", False, False),
    ]


async def test_an_unknown_model_is_refused_with_those_there_are(make_service: ServiceFactory) -> None:
    service, _ = with_second_model(make_service)
    async with client_of(service) as http:
        response = await http.post("/v1/ask", json={"question": QUESTION, "model": "gpt"})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "unknown_model"
    assert "clinsearch, base" in response.json()["detail"]


def test_settings_say_where_each_model_is_asked(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {
            "data_dir": tmp_path,
            "model_port": 8200,
            "also": ("base", "/adapters/dpo"),
            "model_urls": {"large": "http://elsewhere:8000/v1/"},
        }
    )
    found: Mapping[str, tuple[str, ModelIdentity]] = other_models(settings)
    assert {name: url for name, (url, _) in found.items() if name == "large"} == {"large": "http://elsewhere:8000/v1"}
    assert settings.also_ports == {"base": 8201, "/adapters/dpo": 8202}
    assert list(found) == ["base", "dpo", "large"]
    assert not found["base"][1].trained
    assert found["large"][1].trained


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"also": ("base", "base")}, "same name"),
        ({"also": ("a/x",), "model_urls": {"x": "http://h/v1"}}, "same name"),
        ({"model_urls": {"clinsearch": "http://h/v1"}}, "same name"),
        ({"model_urls": {"x": "h:8000"}}, "needs an address"),
    ],
    ids=["twice", "two places", "the one in use", "no address"],
)
def test_settings_that_would_mix_models_up_are_refused(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Settings.model_validate(values)
