"""Sources an operator adds: in settings, on documents, in what is listed and searched."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from service.cli import app

LOCAL = json.dumps(
    [{"id": "local_formulary", "description": "Drugs and doses that our hospital stocks.", "regions": ["INT"]}]
)


def run(data: Path, *arguments: str, sources: str | None = LOCAL) -> Result:
    environment = {"CLINSEARCH_DATA_DIR": str(data), "CLINSEARCH_ENCODER": "hashing", "COLUMNS": "250"}
    return CliRunner().invoke(app, list(arguments), env={**environment, "CLINSEARCH_SOURCES": sources})


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "zebra.md").write_text("# Zebra bites\n\nIrrigate a zebra bite at once. (Strong for)\n", "utf-8")
    return folder


def test_documents_are_put_under_an_added_source_and_found_there(tmp_path: Path, pack: Path) -> None:
    added = run(tmp_path, "corpus", "add", str(pack), "--source", "local_formulary")
    assert added.exit_code == 0, added.output
    listed = run(tmp_path, "corpus", "list").output
    assert "local_formulary" in listed
    assert "not in settings" not in listed
    assert run(tmp_path, "index", "build").exit_code == 0
    found = run(tmp_path, "search", "zebra bite", "--source", "local_formulary", "--json")
    assert [hit["document"]["title"] for hit in json.loads(found.stdout)["hits"]] == ["Zebra bites"]
    wrong = run(tmp_path, "search", "zebra bite", "--source", "local_formulry")
    assert wrong.exit_code == 1
    assert "Did you mean local_formulary? Sources: guidelines, local_formulary." in wrong.stderr


def test_adding_again_under_another_source_moves_the_documents(tmp_path: Path, pack: Path) -> None:
    assert run(tmp_path, "corpus", "add", str(pack)).exit_code == 0
    moved = run(tmp_path, "corpus", "add", str(pack), "--source", "local_formulary")
    assert "1 new or changed" in moved.output
    assert "unchanged" in run(tmp_path, "corpus", "add", str(pack), "--source", "local_formulary").output
    assert "guidelines" not in run(tmp_path, "corpus", "list").output


def test_a_source_that_does_not_exist_is_refused_before_anything_is_read(tmp_path: Path, pack: Path) -> None:
    wrong = run(tmp_path, "corpus", "add", str(pack), "--source", "patient_informaton")
    assert wrong.exit_code == 1
    assert "Did you mean patient_information?" in wrong.stderr
    assert "Nothing was added" in run(tmp_path, "corpus", "list").output


def test_a_file_that_names_an_unknown_source_is_named_and_left_out(tmp_path: Path, pack: Path) -> None:
    (pack / "lion.md").write_text("---\ntitle: Lions\nsource: guidlines\n---\n\nAvoid lions. (Strong for)\n", "utf-8")
    added = run(tmp_path, "corpus", "add", str(pack))
    assert added.exit_code == 1
    assert "lion.md names the source 'guidlines', which does not exist" in added.stderr
    assert "1 documents" in added.stdout


def test_documents_of_a_source_taken_out_of_settings_are_pointed_out(tmp_path: Path, pack: Path) -> None:
    assert run(tmp_path, "corpus", "add", str(pack), "--source", "local_formulary").exit_code == 0
    listed = run(tmp_path, "corpus", "list", sources=None)
    assert "not in settings" in listed.stdout
    assert "Not offered to the agent: local_formulary." in listed.stderr


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ('[{"id": "Local Formulary", "description": "What we stock."}]', "(0.id): an id has up to 40 lower-case"),
        ('[{"id": "local_formulary"}]', "(0.description): Field required"),
        ('[{"id": "a1", "description": "What we stock.", "region": "GB"}]', "(0.region): Extra inputs"),
        (f"{LOCAL[:-1]}, {LOCAL[1:]}", ": the source local_formulary stands twice."),
        ('[{"id": ', ": it is not valid JSON."),
    ],
    ids=["bad-id", "no-description", "unknown-field", "twice", "no-json"],
)
def test_a_wrong_setting_is_one_sentence(tmp_path: Path, value: str, said: str) -> None:
    wrong = run(tmp_path, "settings", "show", sources=value)
    assert wrong.exit_code == 1
    assert f"CLINSEARCH_SOURCES is wrong{' ' if said.startswith('(') else ''}{said}" in wrong.stderr


def test_settings_show_every_source_with_its_filters(tmp_path: Path) -> None:
    shown = run(tmp_path, "settings", "show").stdout
    assert "  guidelines: " in shown
    assert "  local_formulary: Drugs and doses that our hospital stocks. (regions: INT)" in shown
