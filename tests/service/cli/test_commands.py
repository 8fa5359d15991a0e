"""The command line over the real starter guidelines, with the hashing encoder and no model server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app

from .invoking import indexed

QUESTION = "First-line antibiotic for an adult with uncomplicated lower urinary tract infection?"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A data directory with an index, and an address where no model listens."""
    with socket.socket() as taken:  # bound, never listening: connections are refused
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        yield indexed(tmp_path_factory.mktemp("data"), CLINSEARCH_MODEL_URL=address)


def run(environment: dict[str, str], *arguments: str, typed: str | None = None) -> Result:
    """Run one command."""
    return CliRunner().invoke(app, list(arguments), env=environment, input=typed)


def test_search_prints_whole_recommendations(environment: dict[str, str]) -> None:
    result = run(environment, "search", "nitrofurantoin", "cystitis", "--json")
    assert result.exit_code == 0
    hits = json.loads(result.stdout)["hits"]
    assert any("nitrofurantoin" in hit["passage"]["text"].lower() for hit in hits)
    assert hits[0]["document"]["url"].startswith("https://")
    readable = run(environment, "search", "nitrofurantoin", "cystitis", "--limit", "1")
    assert "Not for patient care" in readable.stdout


def test_ask_without_a_model_still_lists_the_right_recommendations(environment: dict[str, str]) -> None:
    result = run(environment, "ask", QUESTION, "--json")
    assert result.exit_code == 0, result.output
    outcome = json.loads(result.stdout)
    assert outcome["stop_reason"] == "model_failed"
    assert outcome["answer"]["kind"] == "recommendations"
    assert outcome["answer"]["citations"][0]["condition"] == "Lower urinary tract infection in adults"
    assert "Searched guidelines" in result.stderr, "steps are shown as they happen"


def test_ask_reads_standard_input_and_numbers_its_sources(environment: dict[str, str]) -> None:
    result = run(environment, "ask", "-", typed=QUESTION)
    assert result.exit_code == 0
    assert "[1] Lower urinary tract infection in adults" in result.stdout


def test_every_run_is_in_the_journal(environment: dict[str, str]) -> None:
    run(environment, "ask", QUESTION)
    checked = run(environment, "rollouts", "validate")
    assert checked.exit_code == 0
    assert "1 records" in checked.stdout
    counted = run(environment, "rollouts", "stats")
    assert "stopped: model_failed" in counted.stdout


def test_validate_names_the_line_that_is_not_a_record(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "rollouts-X.jsonl").write_text('{"schema": "rollout.v9"}\n', encoding="utf-8")
    result = run(environment, "rollouts", "validate", str(tmp_path))
    assert result.exit_code == 1
    assert "rollouts-X.jsonl line 1" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("ask", " "), "The question is empty"),
        (("ask", "dose?", "--source", "nowhere"), "Sources: guidelines"),
        (("search", "dose", "--source", "nowhere"), "nowhere"),
    ],
)
def test_bad_input_is_one_sentence(environment: dict[str, str], arguments: tuple[str, ...], sentence: str) -> None:
    result = run(environment, *arguments)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def test_without_an_index_the_command_says_how_to_build_one(environment: dict[str, str], tmp_path: Path) -> None:
    result = run({**environment, "CLINSEARCH_DATA_DIR": str(tmp_path)}, "search", "dose")
    assert result.exit_code == 1
    assert "clinsearch index build" in result.stderr


def test_a_wrong_setting_is_named(environment: dict[str, str]) -> None:
    result = run({**environment, "CLINSEARCH_PORT": "many"}, "settings", "show")
    assert result.exit_code == 1
    assert "CLINSEARCH_PORT" in result.stderr


def test_settings_show_hides_secrets_and_says_where_values_come_from(environment: dict[str, str]) -> None:
    result = run({**environment, "CLINSEARCH_MODEL_API_KEY": "hunter2"}, "settings", "show")
    assert "hunter2" not in result.stdout
    assert "CLINSEARCH_ENCODER=hashing  (environment)" in result.stdout
    assert "CLINSEARCH_PORT=8000  (default)" in result.stdout


def test_index_status_names_what_was_left_on_a_server(environment: dict[str, str]) -> None:
    shown = run(environment, "index", "status")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert json.loads(shown.stdout)["passages"] > 0
    left = Path(environment["CLINSEARCH_DATA_DIR"]) / "index" / "left-behind.jsonl"
    record = {"url": "https://qdrant.example.org:6333", "collection": "clinsearch-3-x", "points": 7, "dimension": 8}
    left.write_text(json.dumps(record) + "\n", encoding="utf-8")
    told = run(environment, "index", "status")
    left.unlink()
    assert "clinsearch-3-x (7 passages) on the Qdrant server https://qdrant.example.org:6333" in told.stderr
    assert json.loads(told.stdout) == json.loads(shown.stdout)
