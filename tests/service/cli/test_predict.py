"""`clinsearch index predict`. If these fail, an operator's documents are not found by questions, or work is lost."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agent import CompletionRequest, ManualClock, ModelUnavailableError, ScriptedModel
from agent.errors import ModelNonsenseError, ModelStatusError
from agent.scripted import Reply
from retrieval import CorpusEntry, CorpusError, Document, DocumentId, Passage, PassageId, PassageKind, SourceId
from retrieval.predicted_queries import read_predicted_queries
from service.predicted_queries import predicted_queries
from service.query_writer import WRITTEN_FILE, without_predicted, write_queries
from service.settings import Settings

from .invoking import run
from .scripted_server import scripted_server

DOCUMENT = Document(
    id=DocumentId("local"), source=SourceId("guidelines"), title="Local gout", publisher="Example", region="GB"
)
QUERIES = ["Which drug for an acute flare of gout?", "54M hot toe, CKD. what can I give", "big toe red and sore"]
REPLY = json.dumps({"queries": QUERIES})
GUIDELINE = """---
id: local-gout
title: Local gout pathway
publisher: Example Trust
region: GB
published: 2024-05
---
# Gout

## Treatment

- We recommend starting colchicine for an acute flare (strong recommendation).
"""


def passages(count: int) -> list[tuple[Passage, Document]]:
    return [
        (
            Passage(
                id=PassageId(f"local#{number}"),
                document_id=DOCUMENT.id,
                kind=PassageKind.RECOMMENDATION,
                section=("Gout", "Treatment"),
                text=f"Start colchicine, rule {number}.",
                contraindications=("severe renal impairment",),
            ),
            DOCUMENT,
        )
        for number in range(1, count + 1)
    ]


def test_a_model_is_shown_the_recommendation_and_its_queries_are_kept(tmp_path: Path) -> None:
    model = ScriptedModel([f"Here you are:\n{REPLY}"])
    told: list[tuple[int, int]] = []
    done = asyncio.run(write_queries(passages(2), model, tmp_path / "predicted", report=lambda *at: told.append(at)))
    assert (done.written, done.failed) == (2, 0)
    assert told == [(1, 2), (2, 2)]
    shown = model.requests[0].messages[-1].content
    assert all(part in shown for part in ("Local gout", "Gout > Treatment", "rule 1", "severe renal impairment"))
    assert read_predicted_queries([tmp_path / "predicted" / WRITTEN_FILE]) == {
        "local#1": tuple(QUERIES),
        "local#2": tuple(QUERIES),
    }


@pytest.mark.parametrize(
    "reply",
    ["I cannot help.", "{}", '{"queries": "one"}', '{"queries": []}', '{"queries": [1]}', "{", '{"queries": ["x"]}',
     Reply(error=ModelNonsenseError("odd"))],
)  # fmt: skip
def test_a_reply_that_holds_none_is_counted_and_the_rest_goes_on(tmp_path: Path, reply: str | Reply) -> None:
    model = ScriptedModel([reply, REPLY])
    done = asyncio.run(write_queries(passages(3), model, tmp_path, concurrency=1))
    assert (done.written, done.failed) == (2, 1)
    assert set(read_predicted_queries([tmp_path / WRITTEN_FILE])) == {"local#2", "local#3"}


def test_a_server_that_goes_ends_the_run_and_what_was_written_stays(tmp_path: Path) -> None:
    model = ScriptedModel([REPLY, Reply(error=ModelUnavailableError("gone"))])
    with pytest.raises(ModelUnavailableError):
        asyncio.run(write_queries(passages(3), model, tmp_path, concurrency=1))
    written = read_predicted_queries([tmp_path / WRITTEN_FILE])
    assert set(written) == {"local#1"}
    entry = CorpusEntry(document=DOCUMENT, passages=tuple(passage for passage, _ in passages(3)))
    assert [passage.id for passage, _ in without_predicted([entry], written)] == ["local#2", "local#3"]


def test_a_disk_that_fails_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CorpusError, match=WRITTEN_FILE):
        asyncio.run(write_queries(passages(1), ScriptedModel([REPLY]), tmp_path / "file"))


def test_settings_turn_them_off(tmp_path: Path) -> None:
    assert predicted_queries(Settings(data_dir=tmp_path))
    assert predicted_queries(Settings(data_dir=tmp_path, predicted_queries="off")) == {}


def test_an_operators_guideline_is_found_by_what_a_model_wrote(tmp_path: Path) -> None:
    (tmp_path / "gout.md").write_text(GUIDELINE, encoding="utf-8")
    environment = {"CLINSEARCH_DATA_DIR": str(tmp_path / "data"), "CLINSEARCH_ENCODER": "hashing"}
    added = run(environment, "corpus", "add", str(tmp_path / "gout.md"))
    assert added.exit_code == 0, added.output

    def script(request: CompletionRequest) -> str:
        assert "starting colchicine" in request.messages[-1].content
        return REPLY

    with scripted_server("writer", script=script) as url:
        wrote = run(environment, "index", "predict", "--model-url", url, "--model-name", "writer")
        assert wrote.exit_code == 0, wrote.output
        assert "Written for 1 recommendations, failed for 0." in wrote.output
        again = run(environment, "index", "predict", "--model-url", url, "--model-name", "writer")
        assert "Every recommendation has its questions." in again.output
    assert run(environment, "index", "build").exit_code == 0
    found = run(environment, "search", "54M hot toe, CKD. what can I give", "--limit", "1")
    assert "Local gout pathway" in found.output


def test_a_model_that_writes_nothing_of_use_is_said(tmp_path: Path) -> None:
    (tmp_path / "gout.md").write_text(GUIDELINE, encoding="utf-8")
    environment = {"CLINSEARCH_DATA_DIR": str(tmp_path / "data")}
    assert run(environment, "corpus", "add", str(tmp_path / "gout.md")).exit_code == 0
    with scripted_server("writer", script=lambda _: "no") as url:
        wrote = run(environment, "index", "predict", "--model-url", url, "--model-name", "writer")
        off = {**environment, "CLINSEARCH_PREDICTED_QUERIES": "off"}
        refused = run(off, "index", "predict", "--model-url", url, "--model-name", "writer")
    assert wrote.exit_code == 1
    assert "name a stronger one" in wrote.output
    assert refused.exit_code == 1
    assert "Predicted queries are off" in refused.output


def test_a_server_that_refuses_ends_the_run(tmp_path: Path) -> None:
    model = ScriptedModel([Reply(error=ModelStatusError(401))])
    with pytest.raises(ModelStatusError):
        asyncio.run(write_queries(passages(2), model, tmp_path, concurrency=1))


def test_a_busy_server_is_asked_again(tmp_path: Path) -> None:
    model = ScriptedModel([Reply(error=ModelStatusError(503)), Reply(error=ModelUnavailableError("reset")), REPLY])
    done = asyncio.run(write_queries(passages(1), model, tmp_path, concurrency=1, clock=ManualClock()))
    assert (done.written, done.failed) == (1, 0)


def test_a_line_that_was_not_finished_is_taken_off(tmp_path: Path) -> None:
    whole = '{"passage": "local#8", "queries": ["whole"]}\n'
    (tmp_path / WRITTEN_FILE).write_text(whole + '{"passage": "local#9", "que', encoding="utf-8")
    asyncio.run(write_queries(passages(1), ScriptedModel([REPLY]), tmp_path))
    assert set(read_predicted_queries([tmp_path / WRITTEN_FILE])) == {"local#8", "local#1"}
