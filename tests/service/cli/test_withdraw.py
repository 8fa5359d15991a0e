"""`clinsearch corpus withdraw|restore|withdrawn` over the real starter guidelines."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from retrieval import open_corpus

from ...starter import starter
from .invoking import indexed, run

QUESTION = "First-line antibiotic for an adult with uncomplicated lower urinary tract infection?"
WHY = "Checked against the publisher: the dose is out of date."


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield {
            "CLINSEARCH_DATA_DIR": str(tmp_path),
            "CLINSEARCH_ENCODER": "hashing",
            "CLINSEARCH_MODEL_URL": f"http://127.0.0.1:{taken.getsockname()[1]}/v1",
        }


def found(environment: dict[str, str]) -> list[str]:
    result = run(environment, "search", "nitrofurantoin", "cystitis", "--json", "--limit", "20")
    assert result.exit_code == 0, result.output
    return [hit["passage"]["id"] for hit in json.loads(result.stdout)["hits"]]


def test_withdraw_restore_and_build(environment: dict[str, str]) -> None:
    """One story, in the order an operator lives it; a passage first, then its document."""
    indexed(Path(environment["CLINSEARCH_DATA_DIR"]))
    asked = json.loads(run(environment, "ask", QUESTION, "--json").stdout)
    citation = asked["answer"]["citations"][0]
    passage, document = citation["passage_id"], citation["document_id"]
    assert passage in found(environment)

    done = run(environment, "corpus", "withdraw", passage, "--why", WHY, "--who", "Example Pharmacist")
    assert done.exit_code == 0, done.output
    assert asked["rollout_id"] in done.stdout
    assert "1 past answer cited it." in done.stdout
    assert passage not in found(environment)
    again = run(environment, "corpus", "withdraw", passage, "--why", WHY)
    assert (again.exit_code, "already withdrawn" in again.stderr) == (1, True)
    assert run(environment, "corpus", "restore", passage, "--why", "It was right.").exit_code == 0
    assert passage in found(environment)

    done = run(environment, "corpus", "withdraw", document, "--why", WHY, "--who", "Example Pharmacist")
    assert asked["rollout_id"] in done.stdout
    before = found(environment)
    assert not [name for name in before if name.startswith(document)]
    listed = run(environment, "corpus", "withdrawn").stdout
    assert f"document {document}: {WHY} (Example Pharmacist" in listed
    built = run(environment, "index", "build")
    assert built.exit_code == 0
    assert not [name for name in found(environment) if name.startswith(document)]
    unknown = run(environment, "corpus", "withdraw", "nobody/knows", "--why", WHY)
    assert unknown.exit_code == 1
    assert "There is no document or passage 'nobody/knows'" in unknown.stderr
    assert run(environment, "corpus", "restore", document, "--why", "It was right.").exit_code == 0
    assert run(environment, "index", "build").exit_code == 0
    assert passage in found(environment)
    assert run(environment, "corpus", "withdrawn").stdout == "Nothing is withdrawn.\n"


def test_what_is_not_indexed_yet_can_be_withdrawn(environment: dict[str, str]) -> None:
    entry = starter()[0]
    document, passage = entry.document.id, entry.passages[0].id
    assert "No past answer cited it." in run(environment, "corpus", "withdraw", document, "--why", WHY).stdout
    assert run(environment, "corpus", "withdraw", passage, "--why", WHY).exit_code == 0
    assert run(environment, "index", "build").exit_code == 0
    with closing(open_corpus(Path(environment["CLINSEARCH_DATA_DIR"]) / "index")) as corpus:
        assert corpus.document(document) is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("withdraw", "starter/acute", "--why", WHY), "There is no document or passage 'starter/acute'"),
        (("restore", "starter/acute", "--why", WHY), "'starter/acute' is not withdrawn"),
        (("withdraw", str(starter()[0].document.id), "--why", " "), "--why takes the reason"),
    ],
    ids=["part-of-an-id", "not-withdrawn", "no-reason"],
)
def test_a_wrong_withdrawal_is_one_sentence(
    environment: dict[str, str], arguments: tuple[str, ...], sentence: str
) -> None:
    result = run(environment, "corpus", *arguments)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert not (Path(environment["CLINSEARCH_DATA_DIR"]) / "withdrawals.jsonl").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--published-from", "last year"), "--published-from takes a date"),
        (("--published-to", "2018-13"), "--published-to takes a date"),
        (("--published-from", "2021", "--published-to", "2020"), "--published-from is after --published-to"),
        (("--home-region", "Narnia"), "two-letter country code"),
    ],
    ids=["from", "to", "order", "home"],
)
@pytest.mark.parametrize("command", ["search", "ask"])
def test_a_wrong_filter_is_one_sentence(
    environment: dict[str, str], command: str, arguments: tuple[str, ...], sentence: str
) -> None:
    result = run(environment, command, "dose", *arguments)
    assert result.exit_code == 1
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def test_search_takes_every_filter(environment: dict[str, str]) -> None:
    indexed(Path(environment["CLINSEARCH_DATA_DIR"]))

    def hits(*arguments: str) -> list[dict[str, dict[str, str]]]:
        result = run(environment, "search", "antibiotic dose", "--json", "--limit", "50", *arguments)
        assert result.exit_code == 0, result.output
        found: list[dict[str, dict[str, str]]] = json.loads(result.stdout)["hits"]
        return found

    publisher = hits()[0]["document"]["publisher"]
    assert {hit["document"]["publisher"] for hit in hits("--publisher", publisher.upper())} == {publisher}
    assert all(hit["document"]["published"] >= "2020" for hit in hits("--published-from", "2020"))
    assert all(hit["document"]["published"] <= "2016" for hit in hits("--published-to", "2016"))
    assert {hit["passage"]["strength"] for hit in hits("--strength", "moderate")} <= {"Grade B", "Class IIa"}
    assert hits("--language", "fr") == []
    assert hits("--region", "UK") == hits("--region", "GB") != []
    nothing = run(environment, "search", "antibiotic dose", "--publisher", "Nobody", "--region", "UK").stdout
    assert "Nothing found within these filters: publisher Nobody, region UK or GB." in " ".join(nothing.split())
    assert len(hits("--region", "US", "--include-superseded")) > 0
    elsewhere = run(environment, "search", "antibiotic dose", "--region", "US", "--home-region", "GB").stdout
    assert "From another region." in elsewhere
    at_home = run(environment, "search", "antibiotic dose", "--region", "US", "--home-region", "us").stdout
    assert "From another region." not in at_home


def test_a_user_without_a_name_is_asked_who_decides(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nameless)
    document = str(starter()[0].document.id)
    refused = run(environment, "corpus", "withdraw", document, "--why", WHY)
    assert (refused.exit_code, "--who" in refused.stderr) == (1, True)
    assert run(environment, "corpus", "withdraw", document, "--why", WHY, "--who", "Example Pharmacist").exit_code == 0


def test_a_lost_record_stops_search_and_build_until_somebody_decides(environment: dict[str, str]) -> None:
    indexed(Path(environment["CLINSEARCH_DATA_DIR"]))
    document = str(starter()[0].document.id)
    assert run(environment, "corpus", "withdraw", document, "--why", WHY, "--who", "x").exit_code == 0
    (Path(environment["CLINSEARCH_DATA_DIR"]) / "withdrawals.jsonl").unlink()
    for command in (("search", "dose"), ("index", "build"), ("corpus", "withdrawn"), ("ask", "dose")):
        refused = run(environment, *command)
        assert (refused.exit_code, "Restore the file from a backup" in refused.stderr) == (1, True), command
    accepted = run(environment, "corpus", "withdrawn", "--accept-loss")
    assert (accepted.exit_code, "Acts lost: 1." in accepted.stderr) == (0, True)
    assert run(environment, "search", "dose").exit_code == 0
