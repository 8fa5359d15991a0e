"""`up` with small real programs in place of the parts: starting in order, failing, and stopping everything."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PART = [sys.executable, str(HERE / "part.py")]
#: Seconds that anything here may take on a busy machine.
PATIENCE_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def gone(pid: int) -> bool:
    """True when the process has ended, zombies included."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


class Up:
    """A running supervisor and what it printed."""

    def __init__(self, folder: Path, **changes: object) -> None:
        self.folder = folder
        self.pids = folder / "pids"
        self.pids.touch()
        self.output = folder / "output"
        api, model = free_port(), free_port()
        plan: dict[str, object] = {
            "prepare": [*PART, "step", "0"],
            "model": [*PART, "serve", str(model), str(self.pids)],
            "index": [*PART, "step", "0"],
            "api": [*PART, "serve", str(api), str(self.pids)],
            "api_url": f"http://127.0.0.1:{api}",
            "model_url": f"http://127.0.0.1:{model}/v1",
            "model_name": "clinsearch",
            "model_api_key": None,
            "logs": str(folder / "logs"),
            "grace_s": 3.0,
            "backoff_s": 0.05,
        }
        for name, options in changes.items():
            old = plan.get(name)
            plan[name] = (
                [*old, *options]
                if name in ("model", "api") and isinstance(old, list) and isinstance(options, list)
                else options
            )
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(HERE / "drive.py")],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                text=True,
            )
        assert self.process.stdin is not None
        with self.process.stdin as stdin:
            stdin.write(json.dumps(plan))

    def said(self) -> str:
        return self.output.read_text()

    def until_said(self, text: str) -> None:
        until(lambda: text in self.said() or self.process.poll() is not None)
        assert text in self.said()

    def started(self) -> list[int]:
        """Every process that served, and every helper that those started."""
        return [int(pid) for pid in self.pids.read_text().split()]

    def end(self, number: signal.Signals | None = None) -> int:
        if number is not None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    ups: list[Up] = []

    def begin(**changes: object) -> Up:
        ups.append(Up(tmp_path, **changes))
        return ups[-1]

    yield begin
    for up in ups:
        if up.process.poll() is None:
            up.process.kill()
            up.process.wait()
        for pid in up.started():
            if not gone(pid):
                os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_requested_stop_leaves_no_process_behind_and_is_no_failure(
    start: Callable[..., Up], number: signal.Signals
) -> None:
    up = start()
    up.until_said("is ready at http://127.0.0.1:")
    assert "curl -s" in up.said()
    assert len(up.started()) == 4
    assert up.end(number) == 0
    until(lambda: all(gone(pid) for pid in up.started()))


def test_a_part_that_ignores_the_polite_request_is_ended_after_the_grace(start: Callable[..., Up]) -> None:
    up = start(model=["--stubborn"], grace_s=0.5)
    up.until_said("is ready at")
    assert up.end(signal.SIGTERM) == 0
    until(lambda: all(gone(pid) for pid in up.started()))


def test_a_second_ctrl_c_does_not_wait_for_the_grace(start: Callable[..., Up]) -> None:
    up = start(api=["--stubborn"], grace_s=600.0)
    up.until_said("is ready at")
    up.process.send_signal(signal.SIGINT)
    up.until_said("Stopping")
    assert up.end(signal.SIGINT) == 0
    until(lambda: all(gone(pid) for pid in up.started()))


def test_a_model_server_that_dies_is_started_again_while_the_api_stays(start: Callable[..., Up]) -> None:
    up = start()
    up.until_said("is ready at")
    model = up.started()[0]
    os.kill(model, signal.SIGKILL)
    up.until_said("The model server ended with code -9 and is started again")
    up.until_said("The model server is back")
    until(lambda: gone(up.started()[1]))  # the helper of the one that died does not hold its memory
    assert up.process.poll() is None
    assert up.end(signal.SIGTERM) == 0
    until(lambda: all(gone(pid) for pid in up.started()))


def test_a_model_server_that_keeps_failing_is_left_off_and_the_product_still_serves(start: Callable[..., Up]) -> None:
    up = start(model=["--fails"], restarts=2)
    up.until_said("is ready at")
    assert "keeps failing" in up.said()
    assert "without a model" in up.said()
    assert up.said().count("is started again") == 2
    assert up.end(signal.SIGTERM) == 0


def test_without_a_local_model_the_warning_comes_first(start: Callable[..., Up]) -> None:
    up = start(prepare=None, model=None, model_url=None, warnings=["No model here."])
    up.until_said("without a model")
    assert up.said().startswith("No model here.")
    assert up.end(signal.SIGTERM) == 0


def test_a_server_that_reports_no_token_ids_is_pointed_out(start: Callable[..., Up]) -> None:
    up = start(model=["--no-token-ids"])
    up.until_said("is ready at")
    assert "reports no token ids" in up.said()
    assert up.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(("part", "title"), [("prepare", "Preparing the model"), ("index", "Indexing the guidelines")])
def test_a_step_that_fails_stops_everything_with_its_own_sentence(
    start: Callable[..., Up], part: str, title: str
) -> None:
    up = start(**{part: [*PART, "step", "1"]})
    assert up.end() == 1
    assert f"{title} failed" in up.said()
    assert "step ran" in up.said(), "the step told its own error on the terminal"
    assert "Traceback" not in up.said()
    until(lambda: all(gone(pid) for pid in up.started()))


def test_a_log_that_cannot_be_written_is_one_sentence(start: Callable[..., Up], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    up = start(logs=str(tmp_path / "file" / "logs"))
    assert up.end() == 1
    assert "CLINSEARCH_DATA_DIR" in up.said()
    assert "Traceback" not in up.said()


def test_the_run_before_keeps_its_log_and_a_new_one_begins(start: Callable[..., Up], tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "api.log").write_text("the run before")
    up = start()
    up.until_said("is ready at")
    assert up.end(signal.SIGTERM) == 0
    assert (logs / "api.previous.log").read_text() == "the run before"
    assert "the run before" not in (logs / "api.log").read_text()


def test_an_api_that_dies_ends_the_product_and_names_its_log(start: Callable[..., Up]) -> None:
    up = start(api=["--fails"])
    assert up.end() == 1
    assert "The API ended with code 3" in up.said()
    assert "api.log" in up.said()
    assert "Traceback" not in up.said()
    until(lambda: all(gone(pid) for pid in up.started()))
