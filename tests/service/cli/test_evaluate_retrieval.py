"""`clinsearch eval retrieval` as a user runs it, with the hashing encoder and made-up sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eval.retrieval import RetrievalReport
from service.cli import app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set in the BEIR layout, and room for results."""
    found = tmp_path / "toes"
    (found / "qrels").mkdir(parents=True)
    passages = [{"_id": f"p{n}", "text": text} for n, text in enumerate(("gout of the toe", "rash", "fever", "gout"))]
    queries = [{"_id": "q1", "text": "gout in a toe"}, {"_id": "q2", "text": "itching rash"}]
    (found / "corpus.jsonl").write_text("\n".join(map(json.dumps, passages)), encoding="utf-8")
    (found / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), encoding="utf-8")
    (found / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tp0\t2\nq1\tp3\t1\nq2\tp1\t1\n", "utf-8")
    return found


def run(data: Path, *arguments: str) -> Result:
    environment = {
        "CLINSEARCH_DATA_DIR": str(data),
        "CLINSEARCH_ENCODER": "hashing",
        "CLINSEARCH_BENCHMARKS": str(data / "no-benchmarks"),
    }
    return CliRunner().invoke(app, ["eval", "retrieval", *arguments], env=environment)


def test_one_table_and_one_record_for_all_sets_and_systems(folder: Path, tmp_path: Path) -> None:
    record = tmp_path / "result.json"
    result = run(
        tmp_path, "--set", f"{folder}", "--set", "starter", "--queries", "5",
        "--system", "bm25,dense,hybrid,rank-bm25", "--json", str(record),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert result.stdout.count("hybrid") >= 2
    assert result.stdout.count("agrees with rank-bm25") == 2
    report = RetrievalReport.model_validate_json(record.read_text(encoding="utf-8"))
    assert [found.name for found in report.sets] == ["toes", "starter"]
    assert report.encoder == "hashing"
    bm25 = report.sets[0].system("bm25")
    assert bm25 is not None
    assert bm25.measures["ndcg@10"].mean == 1.0


def test_the_figure_is_drawn(folder: Path, tmp_path: Path) -> None:
    result = run(tmp_path, "--set", str(folder), "--system", "bm25", "--plot", str(tmp_path / "figure.svg"))
    assert result.exit_code == 0, result.output
    assert (tmp_path / "figure.svg").stat().st_size > 1000


def test_a_set_that_is_not_here_is_skipped_and_the_others_are_measured(folder: Path, tmp_path: Path) -> None:
    result = run(tmp_path, "--set", "nfcorpus,mediqa", "--set", str(folder), "--system", "bm25")
    assert result.exit_code == 0, result.output
    assert "Skipped nfcorpus" in result.stderr
    assert "CLINSEARCH_BENCHMARKS" in result.stderr
    assert "toes" in result.stdout
    nothing = run(tmp_path, "--set", "nfcorpus", "--system", "bm25")
    assert nothing.exit_code == 1
    assert "Nothing was measured" in nothing.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--system", "magic"), "There is no system 'magic'"),
        (("--system", "bm25", "--baseline", "dense"), "not among the systems"),
        (("--json", "no-such-folder/x.json"), "its folder does not exist"),
        (("--plot", "x.doc"), "ends in one of"),
        (("--split", "dev"), "choose --split test"),
    ],
)
def test_bad_input_is_one_sentence(folder: Path, tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    result = run(tmp_path, "--set", str(folder), *arguments)
    assert result.exit_code == 1
    assert sentence in " ".join(result.stderr.split())
    assert "Traceback" not in result.output


def test_a_damaged_set_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "corpus.jsonl").write_text("{", encoding="utf-8")
    result = run(tmp_path, "--set", str(folder), "--system", "bm25")
    assert result.exit_code == 1
    assert "corpus.jsonl line 1" in result.stderr
