"""What every test shares: one model server a session, and no silent skips in continuous integration."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from .misbehaving_fixture import misbehaving
from .model_server_fixture import model_server

__all__ = ["misbehaving", "model_server"]

_ALLOWED = Path(__file__).parent / "allowed_skips.txt"
_skipped: list[str] = []


def pytest_configure() -> None:
    """Have every search of a test wait for the reranker: an order must not depend on how busy the machine is."""
    os.environ.setdefault("CLINSEARCH_RERANK_DEADLINE_MS", "60000")
    # Nor may an example of Hypothesis's end at a fifth of a second, as is its default anywhere but in CI.
    settings.register_profile("busy", settings(), deadline=None)
    settings.load_profile("busy")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note every skipped test."""
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note a file that skipped itself while it was read: none of its tests runs."""
    if report.skipped:
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Under CI=true a skipped test fails the run, unless allowed_skips.txt gives its reason."""
    if os.environ.get("CI") != "true" or hasattr(session.config, "workerinput"):
        return
    lines = _ALLOWED.read_text(encoding="utf-8").splitlines() if _ALLOWED.exists() else []
    allowed = {line.split(" ", 1)[0] for line in lines if line and not line.startswith("#")}
    if unexpected := [nodeid for nodeid in _skipped if nodeid.split("[")[0] not in allowed]:
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"skipped without a reason in {_ALLOWED.name}: {', '.join(unexpected)}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED if exitstatus == 0 else exitstatus
