"""What routes share: access to the service, and the problems that they declare."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from agent import ClinicalAgent
from service.container import Service
from service.problems import PROBLEM_JSON, Problem, ProblemError

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
