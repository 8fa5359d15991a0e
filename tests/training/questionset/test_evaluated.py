"""If these fail, a set is evaluated on questions that nothing was held against."""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from pathlib import Path

from training.questionset import evaluated_sets


def _archive(path: Path, name: str, text: str) -> None:
    with tarfile.open(path, "w:xz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        archive.addfile(member, io.BytesIO(text.encode()))


def test_the_projects_own_sets_are_always_there(tmp_path: Path) -> None:
    found, missing = evaluated_sets(tmp_path)
    assert {one.name for one in found} >= {"guideline_questions", "condition_questions", "off_corpus_questions"}
    assert all(one.questions for one in found)
    assert "k_qa_with_answers.jsonl.xz" in missing


def test_every_publishers_layout_is_read(tmp_path: Path) -> None:
    (tmp_path / "k_qa_with_answers.jsonl.xz").write_bytes(lzma.compress(b'{"Question": "One?"}\n'))
    (tmp_path / "k_qa_nli.csv.xz").write_bytes(lzma.compress(b"Question,Label\nTwo?,x\n"))
    xml = b"<r><Question><QuestionText>Three?</QuestionText></Question></r>"
    (tmp_path / "mediqa_task3_ValidationSet.xml.xz").write_bytes(lzma.compress(xml))
    _archive(tmp_path / "bioasq_7b_9b.tar.xz", "a.json", json.dumps({"questions": [{"body": "Four?"}]}))
    _archive(tmp_path / "nfcorpus_dev.tar.xz", "dev.titles.queries", "PLAIN-1\tfive\n")
    row = json.dumps({"prompt": [{"role": "user", "content": "Six?"}, {"role": "assistant", "content": "No."}]})
    (tmp_path / "healthbench_srh_637.json.xz").write_bytes(lzma.compress(f"[{row}]".encode()))
    sets = {one.name: set(one.questions) for one in evaluated_sets(tmp_path)[0]}
    assert sets["k_qa"] == {"One?"}
    assert sets["k_qa_nli"] == {"Two?"}
    assert "Three?" in sets["mediqa_validation"]
    assert sets["bioasq"] == {"Four?"}
    assert sets["nfcorpus"] == {"five"}
    assert sets["healthbench_srh"] == {"Six?"}
