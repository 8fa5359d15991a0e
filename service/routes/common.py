"""What routes share: access to the service and checks with the same wording everywhere."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from agent import ClinicalAgent, Question, QuestionError
from retrieval import UnknownSourceError, source_named
from service.container import Service
from service.problems import PROBLEM_JSON, Problem, ProblemError
from service.schemas import QuestionBody

PROBLEM: dict[str, Any] = {"model": Problem, "content": {PROBLEM_JSON: {}}}
#: What any route can answer that is somebody's own.
PERSONAL: dict[int | str, dict[str, Any]] = {
    401: {**PROBLEM, "description": "Nobody is signed in, or this browser is not known."},
    403: {**PROBLEM, "description": "A page of another origin asked, or this deployment keeps no conversations."},
}


def service_of(request: Request) -> Service:
    """The service behind this application."""
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


def agent_of(service: Service, model: str | None) -> ClinicalAgent:
    """The agent of a model by name, the one in use where none is named. Raises ProblemError."""
    if model is None:
        return service.agent
    agent = service.agents.get(model)
    if agent is None:
        known = ", ".join(service.agents)
        raise ProblemError(422, "unknown_model", f"There is no model of that name here. Models: {known}.")
    return agent


def check_source(service: Service, source: str | None) -> None:
    """Refuse a source that does not exist. Raises ProblemError."""
    if source is None:
        return
    try:
        source_named(source, service.agent.searcher.sources)
    except UnknownSourceError as error:
        raise ProblemError(422, error.code, str(error)) from error


def question_of(service: Service, body: QuestionBody) -> Question:
    """The question as the agent takes it, of a source that exists. Raises ProblemError."""
    try:
        question = body.to_question()
    except QuestionError as error:
        raise ProblemError(422, error.code, str(error)) from error
    check_source(service, body.source)
    return question
