"""What `up` starts, worked out from settings before anything runs.

A plan is plain data, so that the supervisor can be tested with small programs in place of the real ones.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from service.model.environment import DEFAULT_PLACE, find_model_environment
from service.ports import port_is_free

if TYPE_CHECKING:  # the supervisor itself needs neither settings nor the agent behind them
    from service.settings import Settings

Argv = tuple[str, ...]

_EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - compared with, not listened on


class PlanError(Exception):
    """The product cannot be started as it is configured; the message says what to do."""


@dataclass(frozen=True)
class Plan:
    """Programs in the order they are started, and where they answer."""

    #: Runs to its end before the model server starts; None with no local model.
    prepare: Argv | None
    #: The local model server; None when another server is used or there is none.
    model: Argv | None
    index: Argv
    api: Argv
    #: Where people reach the API: "http://host:port".
    api_url: str
    #: The OpenAI-compatible server that is asked ("http://host:port/v1"); None when there is none.
    model_url: str | None
    model_name: str
    model_api_key: str | None = field(repr=False)
    logs: Path
    #: Said before anything starts.
    warnings: tuple[str, ...] = ()
    #: Seconds between a polite and a final request to end.
    grace_s: float = 10.0
    #: How often a model server that dies is started again, and the seconds before the first of them (then doubled).
    restarts: int = 3
    backoff_s: float = 2.0


def plan_for(settings: Settings, *, model_place: Path = DEFAULT_PLACE) -> Plan:
    """The plan for these settings.

    Raises:
        PlanError: a port is in use.
    """
    host = "127.0.0.1" if settings.host in _EVERY_ADDRESS else settings.host
    environment = find_model_environment(model_place) if settings.model_url is None else None
    if not port_is_free(settings.host, settings.port):
        raise PlanError(
            f"Port {settings.port} is in use: stop what listens there, or set CLINSEARCH_PORT to a free port."
        )
    if environment is not None and not port_is_free("127.0.0.1", settings.model_port):
        raise PlanError(
            f"Port {settings.model_port}, for the model server, is in use: stop what listens there, or set "
            "CLINSEARCH_MODEL_PORT to a free port."
        )
    warnings: tuple[str, ...] = ()
    if settings.model_url is None and environment is None:
        warnings = (
            "The model server is not installed here, so answers will be labelled search results; "
            "set CLINSEARCH_MODEL_URL to use a model elsewhere.",
        )
    command = (sys.executable, "-m", "service.cli")
    key = settings.model_api_key
    return Plan(
        prepare=(*command, "model", "prepare") if environment else None,
        model=(*command, "model", "serve") if environment else None,
        index=(*command, "index", "build"),
        api=(*command, "serve"),
        api_url=f"http://{f'[{host}]' if ':' in host else host}:{settings.port}",
        model_url=settings.local_model_url if environment else settings.model_url,
        model_name=settings.model_name,
        model_api_key=key.get_secret_value() if key else None,
        logs=settings.data_dir / "logs",
        warnings=warnings,
    )
