"""What routes share: access to the service and checks with the same wording everywhere."""

from __future__ import annotations

from fastapi import Request

from retrieval import UnknownSourceError, source_named
from service.container import Service
from service.problems import ProblemError


def service_of(request: Request) -> Service:
    """The service behind this application."""
    service = request.app.state.service
    assert isinstance(service, Service)
    return service


def check_source(service: Service, source: str | None) -> None:
    """Refuse a source that does not exist. Raises ProblemError."""
    if source is None:
        return
    try:
        source_named(source, service.agent.searcher.sources)
    except UnknownSourceError as error:
        raise ProblemError(422, error.code, str(error)) from error
