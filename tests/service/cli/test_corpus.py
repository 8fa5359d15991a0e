"""`clinsearch corpus`: what an operator adds is listed, searched, and gone when it is removed."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from service.cli import app


def run(data: Path, *arguments: str) -> Result:
    """Run one command over a data directory."""
    environment = {"CLINSEARCH_DATA_DIR": str(data), "CLINSEARCH_ENCODER": "hashing"}
    return CliRunner().invoke(app, list(arguments), env=environment)


def test_add_list_search_and_remove(tmp_path: Path) -> None:
    data, pack = tmp_path / "data", tmp_path / "pack"
    pack.mkdir()
    (pack / "zebra.md").write_text("# Zebra bites\n\nIrrigate a zebra bite at once. (Strong for)\n", "utf-8")
    (pack / "broken.json").write_text("{", "utf-8")
    added = run(data, "corpus", "add", str(pack))
    assert added.exit_code == 1, added.output
    assert "1 documents (1 new or changed), 1 passages, 1 recommendations, 1 with strength" in added.output
    assert "broken.json" in added.output
    (pack / "broken.json").unlink()
    assert run(data, "corpus", "add", str(pack)).exit_code == 0
    assert "unchanged" in run(data, "corpus", "add", str(pack)).output
    assert "pack" in run(data, "corpus", "list").output
    assert run(data, "index", "build").exit_code == 0
    found = json.loads(run(data, "search", "zebra", "bite", "--json", "--limit", "1").stdout)["hits"][0]
    assert (found["passage"]["strength"], found["document"]["title"]) == ("Strong for", "Zebra bites")
    assert run(data, "corpus", "remove", "pack").exit_code == 0
    assert run(data, "corpus", "remove", "pack").exit_code == 1
    assert "Nothing was added" in run(data, "corpus", "list").output


def test_metadata_can_be_stated_and_a_wrong_one_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "zebra.md"
    file.write_text("# Zebra bites\n\nIrrigate a zebra bite at once. (Strong for)\n", "utf-8")
    data = tmp_path / "data"
    stated = ("--publisher", "Example Zoo", "--region", "KE", "--published", "2019-05", "--review-by", "2020")
    assert run(data, "corpus", "add", str(file), *stated).exit_code == 0
    assert run(data, "index", "build").exit_code == 0
    shown = run(data, "search", "zebra", "bite", "--region", "ke", "--published-to", "2019-05", "--limit", "1").stdout
    assert "Example Zoo" in shown
    assert "Expired: its review date (2020) has passed." in shown
    for option, value, sentence in (
        ("--region", "Kenya", "--region takes a country code"),
        ("--review-by", "soon", "--review-by takes a date"),
        ("--publisher", " ", "--publisher takes 1 to 200 characters"),
    ):
        wrong = run(data, "corpus", "add", str(file), option, value)
        assert wrong.exit_code == 1
        assert sentence in wrong.stderr


def test_replacing_a_document_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A mistyped id would leave the older guidance current."""
    for name in ("old", "new"):
        (tmp_path / f"{name}.md").write_text(
            f"---\nid: zoo/{name}\n---\n# Zebra bites\n\nIrrigate {name} bites.\n", "utf-8"
        )
    assert run(tmp_path, "corpus", "add", str(tmp_path / "old.md")).exit_code == 0
    mistyped = run(tmp_path, "corpus", "add", str(tmp_path / "new.md"), "--supersedes", "zoo/odl")
    assert "No document here has the id 'zoo/odl'" in mistyped.stderr
    right = run(tmp_path, "corpus", "add", str(tmp_path / "new.md"), "--supersedes", "zoo/old")
    assert "No document here" not in right.stderr


def test_a_wrong_reader_and_a_missing_path_are_one_sentence(tmp_path: Path) -> None:
    wrong = run(tmp_path, "corpus", "add", "x.pdf", "--reader", "word")
    assert wrong.exit_code == 1
    assert "There is no reader 'word'" in wrong.stderr
    missing = run(tmp_path, "corpus", "add", str(tmp_path / "nowhere"))
    assert missing.exit_code == 1
    assert "does not exist" in missing.stderr
