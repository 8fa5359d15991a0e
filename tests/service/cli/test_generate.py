"""`clinsearch rollouts generate` from the command line, against a small scripted server over HTTP."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent import read_journal

from .invoking import indexed, run
from .scripted_server import ScriptedHandler, scripted_server

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A data directory with an index, and a model server on loopback."""
    with scripted_server() as url:
        yield indexed(tmp_path_factory.mktemp("data"), CLINSEARCH_MODEL_URL=url)


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    rows = [json.dumps({"question": f"Which antibiotic for cystitis in case {i}?"}) for i in range(6)]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_a_file_of_questions_becomes_rollouts_and_a_second_call_adds_none(
    environment: dict[str, str], questions: Path, tmp_path: Path
) -> None:
    output, figures = tmp_path / "out", tmp_path / "summary.json"
    command = ("rollouts", "generate", "--questions", str(questions), "--output", str(output), "--n", "2")
    first = run(environment, *command, "--concurrency", "3", "--json", str(figures))
    assert first.exit_code == 0, first.output
    assert "12 made, 0 were there before, 0 owed" in first.stdout
    summary = json.loads(figures.read_text())
    assert summary["stop_reasons"] == {"answered": 12}
    assert summary["completion_tokens"] == 12 * 3 * 5
    again = run(environment, *command)
    assert "0 made, 12 were there before" in again.stdout
    checked = run(environment, "rollouts", "validate", str(output))
    assert checked.exit_code == 0, checked.output
    other = run(environment, *command, "--temperature", "0.9")
    assert other.exit_code == 1
    assert "temperature" in other.stderr


def test_an_adapter_is_asked_for_by_name(environment: dict[str, str], questions: Path, tmp_path: Path) -> None:
    ScriptedHandler.asked.clear()
    arguments = ("--questions", str(questions), "--output", str(tmp_path / "out"), "--adapter", "night-shift")
    assert run(environment, "rollouts", "generate", *arguments).exit_code == 0
    assert set(ScriptedHandler.asked) == {"night-shift"}


def test_a_stronger_model_elsewhere_can_be_the_teacher(
    environment: dict[str, str], questions: Path, tmp_path: Path
) -> None:
    ScriptedHandler.asked.clear()
    here = {name: value for name, value in environment.items() if name != "CLINSEARCH_MODEL_URL"}
    there = ("--model-url", environment["CLINSEARCH_MODEL_URL"], "--model-name", "large")
    output = tmp_path / "out"
    arguments = ("--questions", str(questions), "--output", str(output), "--policy", "model", *there)
    result = run(here, "rollouts", "generate", *arguments)
    assert result.exit_code == 0, result.output
    assert set(ScriptedHandler.asked) == {"large"}
    made = list(read_journal(output))
    assert {rollout.policy.model for rollout in made} == {"large"}
    assert not any(rollout.policy.search_first for rollout in made)
    other = run(here, "rollouts", "generate", *arguments[:-1], "larger")
    assert other.exit_code == 1
    assert "model 'large' and not 'larger'" in other.stderr


def test_the_summary_names_ends_searches_tokens_rate_and_failures(
    environment: dict[str, str], questions: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    ScriptedHandler.refuse_every = 7
    try:
        result = run(environment, "rollouts", "generate", "--questions", str(questions), "--output", str(output))
    finally:
        ScriptedHandler.refuse_every = 0
    assert result.exit_code == 0, result.output
    for pattern in (
        r"runs       6 made, 0 were there before, 0 owed",
        r"searches   [1-9]",
        r"tokens     \d+ prompt, \d+ sampled, \d+ sampled a second",
        r"stopped    answered \d",
        r"stopped    model_failed \d",
        r"failure    model_status \d",
    ):
        assert re.search(pattern, result.stdout), pattern


def test_a_bad_line_is_named_and_the_exit_code_says_so(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    path.write_text('{"question": "Which antibiotic for cystitis?"}\n{"qestion": "typo"}\n', encoding="utf-8")
    result = run(environment, "rollouts", "generate", "--questions", str(path), "--output", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert "bad line   2: question: Field required" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--questions", "missing.jsonl"), "missing.jsonl cannot be read"),
        (("--questions", "missing.jsonl", "--shard", "3/2"), "A shard is written i/n"),
        (("--questions", "q", "--policy", "teacher", "--model-url", "http://127.0.0.1:1/v1"), "The teacher asks no"),
        (("--questions", "q", "--ray-address", "127.0.0.1:6379"), "--ray-address needs `--engine ray`"),
        (("--questions", "q", "--engine", "ray", "--shard", "1/2"), "leave out --shard"),
    ],
)
def test_wrong_input_is_one_sentence(
    environment: dict[str, str], tmp_path: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    result = run(environment, "rollouts", "generate", "--output", str(tmp_path / "out"), *arguments)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def test_without_a_model_server_nothing_begins(environment: dict[str, str], questions: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = environment | {"CLINSEARCH_MODEL_URL": f"http://127.0.0.1:{taken.getsockname()[1]}/v1"}
        result = run(away, "rollouts", "generate", "--questions", str(questions), "--output", str(tmp_path / "out"))
    assert result.exit_code == 1
    assert f"The model server at {away['CLINSEARCH_MODEL_URL']} does not answer" in result.stderr.replace("\n", "")


def test_the_teacher_acts_from_the_gold_and_a_hidden_case_is_one_episode(
    environment: dict[str, str], tmp_path: Path
) -> None:
    found = run(environment, "search", "nitrofurantoin cystitis", "--json")
    gold = json.loads(found.stdout)["hits"][0]["passage"]["id"]
    shared = {"gold": [gold], "queries": ["nitrofurantoin cystitis"], "question_source": "made", "licence": "CC0-1.0"}
    rows: list[dict[str, object]] = [
        {"id": "1", "question": "Which antibiotic for cystitis?", "kind": "answerable"},
        {
            "id": "2",
            "question": "Antibiotic for a lower UTI, please?",
            "kind": "underspecified",
            "missing": "pregnancy",
            "case": {"pregnancy": "She is not pregnant."},
        },
    ]
    path, output = tmp_path / "questions.jsonl", tmp_path / "out"
    lines = [json.dumps({**shared, "training_consent": True, **row}) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    command = ("rollouts", "generate", "--questions", str(path), "--output", str(output), "--policy", "teacher")
    result = run(environment, *command)
    assert result.exit_code == 0, result.output
    made = list(read_journal(output))
    assert sorted(str(r.outcome.stop_reason) for r in made) == ["answered", "answered", "needs_clarification"]
    episodes = Counter(r.provenance.episode for r in made)
    assert sorted(episodes.values()) == [1, 2]
    assert all(r.provenance.licence == "CC0-1.0" and r.provenance.training_consent for r in made)
    assert "0 made, 2 were there before" in run(environment, *command).stdout


def test_a_line_that_says_too_little_for_the_teacher_is_named(
    environment: dict[str, str], questions: Path, tmp_path: Path
) -> None:
    arguments = ("--questions", str(questions), "--output", str(tmp_path / "out"), "--policy", "teacher")
    result = run(environment, "rollouts", "generate", *arguments)
    assert result.exit_code == 1
    assert "bad line   1: it says too little for the teacher" in result.stdout


def test_without_ray_one_sentence_says_what_to_install(
    environment: dict[str, str], questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    output = tmp_path / "out"
    command = ("rollouts", "generate", "--questions", str(questions), "--output", str(output), "--engine", "ray")
    result = run(environment, *command)
    assert result.exit_code == 1
    assert result.stderr.strip() == "The Ray engine is not installed: pip install 'clinsearch[cluster]'."
    assert list(read_journal(output)) == []


@pytest.mark.parametrize("place", ["nowhere", "127.0.0.1:99999999", ":6379"])
def test_a_cluster_that_is_not_there_is_one_sentence(
    environment: dict[str, str], questions: Path, tmp_path: Path, place: str
) -> None:
    command = ("rollouts", "generate", "--questions", str(questions), "--output", str(tmp_path / "out"))
    result = run(environment, *command, "--engine", "ray", "--ray-address", place)
    assert result.exit_code == 1
    assert re.search(r"is named host:port|Nothing answers at", result.stderr.replace("\n", " ")), result.stderr
    assert "Traceback" not in result.output


RAY_BOUND_S = 90


@pytest.mark.slow
def test_two_ray_workers_share_a_file_and_one_is_killed(environment: dict[str, str], tmp_path: Path) -> None:
    """A real cluster of this machine: what the dead worker began is gone on with, nothing is lost, torn or doubled."""
    path, output, figures = tmp_path / "questions.jsonl", tmp_path / "out", tmp_path / "summary.json"
    rows = [json.dumps({"question": f"Which antibiotic for cystitis in case {i}?"}) for i in range(40)]
    path.write_text("\n".join(rows), encoding="utf-8")
    command = [sys.executable, "-m", "service.cli", "rollouts", "generate", "--questions", str(path)]
    command += ["--output", str(output), "--n", "3", "--concurrency", "8", "--json", str(figures)]
    command += ["--engine", "ray", "--workers", "2"]
    ScriptedHandler.delay_s = 0.03
    try:
        with subprocess.Popen(
            command,
            env={**os.environ, **environment, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as driver:
            try:
                shard = _a_shard_at_work(output, driver, time.monotonic() + RAY_BOUND_S)
                victim = int(shard.read_text().split()[0])
                at_the_kill = Counter((r.task_key, r.rep) for r in read_journal(output))
                os.kill(victim, signal.SIGKILL)
                told, _ = driver.communicate(timeout=RAY_BOUND_S)
            finally:
                driver.kill()
    finally:
        ScriptedHandler.delay_s = 0.0
    assert driver.returncode == 0, told
    kept = Counter((r.task_key, r.rep) for r in read_journal(output))
    assert 0 < len(at_the_kill) < 120, "the worker was not killed in the middle"
    assert set(at_the_kill) <= set(kept)
    assert set(kept.values()) == {1}
    assert len(kept) == 120
    summary = json.loads(figures.read_text())
    assert (summary["wanted"], summary["generated"], summary["done_before"]) == (120, 120, 0)
    assert summary["stop_reasons"] == {"answered": 120}
    assert summary["completion_tokens"] == 120 * 3 * 5
    assert int(shard.read_text().split()[0]) != victim, "nobody took the dead worker's place"
    again = run(environment, *command[3:-4])
    assert "0 made, 120 were there before" in again.stdout, again.output


def _workers(output: Path) -> set[int]:
    """Process ids that have held a shard."""
    return {int(text.split()[0]) for lock in output.glob("shard-*.lock") if (text := lock.read_text())}


def _a_shard_at_work(output: Path, driver: subprocess.Popen[str], deadline: float) -> Path:
    """Wait until both workers have written a few runs; the lock of the shard that was begun last."""
    while time.monotonic() < deadline:
        if driver.poll() is not None:
            break
        written = [path.stat().st_size for path in output.glob("rollouts-*.jsonl")]
        locks = [lock for lock in output.glob("shard-*.lock") if lock.stat().st_size]
        if sum(size > 0 for size in written) >= 2 and len(_workers(output)) == 2:
            return max(locks, key=lambda lock: lock.stat().st_mtime_ns)
        time.sleep(0.05)
    driver.kill()
    pytest.fail(f"two workers did not begin: {driver.communicate()[0]}")
