"""What routes share: access to the service and checks with the same wording everywhere."""

from __future__ import annotations

from fastapi import Request

from service.container import Service
from service.problems import ProblemError


def service_of(request: Request) -> Service:
    """The service behind this application."""
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


def check_source(service: Service, source: str | None) -> None:
    """Refuse a source that does not exist. Raises ProblemError."""
    known = [str(item.id) for item in service.agent.searcher.sources]
    if source is not None and source not in known:
        raise ProblemError(422, "unknown_source", f"There is no such source. Use one of: {', '.join(known)}.")
