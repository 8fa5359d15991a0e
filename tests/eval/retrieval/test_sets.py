"""Reading question sets: a file read wrongly gives figures about something else.

The benchmarks' own files are read where they are; the texts below are made up.
"""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from pathlib import Path

import pytest

from eval.retrieval.errors import SetInvalidError, SetMissingError
from eval.retrieval.question_set import QuestionSet
from eval.retrieval.sets import NAMED_SETS, benchmarks_folder, load_set, read_beir
from eval.retrieval.sets.bioasq import read_bioasq
from eval.retrieval.sets.mediqa import read_mediqa
from eval.retrieval.sets.nfcorpus import read_nfcorpus


def beir(folder: Path, qrels: dict[str, str] | None = None) -> Path:
    (folder / "qrels").mkdir(parents=True)
    passages = [{"_id": 1, "title": "Gout", "text": "acute pain"}, {"_id": "2", "text": "rash", "metadata": {}}]
    queries = [{"_id": "q1", "text": "painful toe"}, {"_id": "q2", "text": "itch"}, {"_id": "other", "text": "train"}]
    for name, rows in (("corpus", passages), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    default = {"test": "query-id\tcorpus-id\tscore\nq1\t1\t2\nq1\t2\t0\nq2\t2\t1\n"}
    for name, text in (qrels or default).items():
        (folder / "qrels" / f"{name}.tsv").write_text(text, encoding="utf-8")
    return folder


def archive(path: Path, files: dict[str, str]) -> None:
    with tarfile.open(path, "w:xz") as tar:
        for name, text in files.items():
            content = text.encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


def texts(found: QuestionSet) -> list[str]:
    return sorted(passage.text for entry in found.entries for passage in entry.passages)


def test_a_beir_folder_is_read_with_titles_and_grades(tmp_path: Path) -> None:
    found = load_set(str(beir(tmp_path / "toes")))
    assert found.name == "toes"
    assert {query.id: dict(query.grades) for query in found.queries} == {"q1": {"1": 2, "2": 0}, "q2": {"2": 1}}
    assert found.entries[0].passages[0].section == ("Gout",), "the title is searched with the text"
    assert found.left_out == {}, "queries of another split are not losses"


def test_the_only_qrels_file_is_used_else_test_else_the_user_chooses(tmp_path: Path) -> None:
    line = "q1\t1\t1\n"
    assert len(read_beir(beir(tmp_path / "a", {"dev": line})).queries) == 1
    both = beir(tmp_path / "b", {"dev": line, "test": line + "q2\t2\t1\n"})
    assert len(read_beir(both).queries) == 2
    assert len(read_beir(both, split="dev").queries) == 1
    with pytest.raises(SetMissingError, match=r"--split dev\|train"):
        read_beir(beir(tmp_path / "c", {"dev": line, "train": line}))


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("corpus.jsonl", '{"_id": "1", "text": "secret words"', "corpus.jsonl line 1 is not JSON"),
        ("corpus.jsonl", '{"text": "secret words"}', "corpus.jsonl line 1 has no _id"),
        ("queries.jsonl", '{"_id": "q1"}', "queries.jsonl"),
        ("qrels/test.tsv", "q1\t1\t1\nq1 2 secret", "test.tsv line 2"),
        ("qrels/test.tsv", "q1\t1\t0.5\n", "whole number"),
    ],
)
def test_a_damaged_file_is_named_with_its_line_and_without_its_text(
    tmp_path: Path, file: str, text: str, message: str
) -> None:
    folder = beir(tmp_path / "x")
    (folder / file).write_text(text, encoding="utf-8")
    with pytest.raises(SetInvalidError, match=message) as caught:
        read_beir(folder)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("gone", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_folder_of_another_layout_is_named(tmp_path: Path, gone: str) -> None:
    folder = beir(tmp_path / "x")
    (folder / gone).unlink()
    with pytest.raises(SetMissingError, match="BEIR layout"):
        read_beir(folder)


def test_an_unknown_set_lists_those_there_are() -> None:
    with pytest.raises(SetMissingError, match="nfcorpus"):
        load_set("no-such-set")


def test_the_starter_set_holds_every_condition() -> None:
    found = load_set("starter")
    conditions = {passage.id.split("/")[1] for entry in found.entries for passage in entry.passages}
    assert {query.id for query in found.queries} == conditions
    for query in found.queries:
        assert all(item.startswith(f"starter/{query.id}/") for item in query.grades)


def test_bioasq_snippets_of_the_same_words_are_one_passage(tmp_path: Path) -> None:
    """Kept apart, finding one of them would leave the other as missed."""
    questions = [
        {"id": "a", "body": "First?", "snippets": [{"text": "Shared  words."}, {"text": "Own words."}]},
        {"id": "b", "body": "Second?", "snippets": [{"text": "Shared words."}, {"text": " "}]},
        {"id": "c", "body": "Third?"},
    ]
    archive(tmp_path / "bioasq_7b_9b.tar.xz", {"x/1.json": json.dumps({"questions": questions}), "x/readme.txt": "-"})
    found = read_bioasq(tmp_path)
    assert texts(found) == ["Own words.", "Shared words."]
    assert [len(query.grades) for query in found.queries] == [2, 1]
    assert found.left_out == {"queries without a relevant passage": 1}


def test_nfcorpus_is_read_from_its_three_files(tmp_path: Path) -> None:
    files = {
        "dev.docs": "M1\tsome words\nM2\tother\u2028words",
        "dev.titles.queries": "P1\twhy\nP2\thow\n",
        "dev.2-1-0.qrel": "P1\t0\tM1\t2\nP1\t0\tM2\t1\n",
    }
    archive(tmp_path / "nfcorpus_dev.tar.xz", files)
    found = read_nfcorpus(tmp_path)
    assert found.passages == 2
    assert {query.id: dict(query.grades) for query in found.queries} == {"P1": {"M1": 2, "M2": 1}}


def mediqa(folder: Path, *, head: str = "") -> Path:
    answers = "".join(
        f'<Answer AID="{n}" ReferenceScore="{score}"><AnswerText>answer {n}</AnswerText></Answer>'
        for n, score in enumerate((1, 2, 3, 4))
    )
    question = f'<Question QID="1"><QuestionText>{{}}</QuestionText><AnswerList>{answers}</AnswerList></Question>'
    for part in ("TrainingSet2-Alexa", "ValidationSet"):
        text = f'<?xml version="1.0"?>{head}<Set>{question.format(part)}</Set>'
        (folder / f"mediqa_task3_{part}.xml.xz").write_bytes(lzma.compress(text.encode()))
    return folder


def test_mediqa_grades_become_gains_and_only_correct_answers_are_relevant(tmp_path: Path) -> None:
    found = read_mediqa(mediqa(tmp_path))
    assert found.passages == 4, "an answer given to two questions is searched once"
    assert [query.id for query in found.queries] == ["TrainingSet2-Alexa/1", "ValidationSet/1"]
    assert sorted(found.queries[0].grades.values()) == [0, 1, 2, 3]
    assert found.relevant_from == 2


def test_an_xml_file_that_defines_entities_is_refused(tmp_path: Path) -> None:
    """Nested entities fill the memory."""
    with pytest.raises(SetInvalidError, match="mediqa"):
        read_mediqa(mediqa(tmp_path, head='<!DOCTYPE Set [<!ENTITY a "b">]>'))


def test_a_part_of_mediqa_asks_its_own_questions_of_all_answers(tmp_path: Path) -> None:
    folder = mediqa(tmp_path)
    whole = read_mediqa(folder)
    parts = [read_mediqa(folder, part, part) for part in ("TrainingSet2-Alexa", "ValidationSet")]
    assert {query.id for part in parts for query in part.queries} == {query.id for query in whole.queries}
    for part in parts:
        assert all(query.id.startswith(f"{part.name}/") for query in part.queries)
        assert part.passages == whole.passages


@pytest.mark.parametrize("read", [read_bioasq, read_nfcorpus, read_mediqa])
def test_a_benchmark_that_is_absent_or_damaged_is_one_sentence(read: object, tmp_path: Path) -> None:
    assert callable(read)
    with pytest.raises(SetMissingError, match="CLINSEARCH_BENCHMARKS"):
        read(tmp_path)
    for name in ("bioasq_7b_9b.tar.xz", "nfcorpus_dev.tar.xz", "mediqa_task3_TrainingSet2-Alexa.xml.xz"):
        (tmp_path / name).write_bytes(b"not an archive")
    (tmp_path / "mediqa_task3_ValidationSet.xml.xz").write_bytes(b"")
    with pytest.raises(SetInvalidError, match="cannot be read"):
        read(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "passages", "queries"), [("nfcorpus", 3193, 323), ("mediqa", 741, 127), ("bioasq", 12_492, 1492)]
)
def test_the_real_files_give_the_whole_set(name: str, passages: int, queries: int) -> None:
    found = real_set(name)
    assert (found.passages, len(found.queries)) == (passages, queries)


def real_set(name: str) -> QuestionSet:
    if not benchmarks_folder().is_dir():
        pytest.skip("the benchmarks' files are not there (CLINSEARCH_BENCHMARKS)")
    return NAMED_SETS[name]()
