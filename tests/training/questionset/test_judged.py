"""If these fail, real questions are lost silently, or a set is trained on that was published to measure with."""

from __future__ import annotations

import lzma
from pathlib import Path

from retrieval import PassageId
from training.questionset import LibraryWords, judged_questions
from training.questionset.real import RealQuestion, question_sha256

ASKED = "Is colchicine all right for gout?"


def _folder(path: Path) -> Path:
    xml = f"<r><pair><chq>{ASKED}</chq><faq>Colchicine for gout?</faq></pair></r>"
    (path / "mediqa_rqe_train.xml.xz").write_bytes(lzma.compress(xml.encode()))
    (path / "k_qa_questions.jsonl.xz").write_bytes(lzma.compress(b'{"Question": "Can I run with gout?"}\n'))
    return path


def _row(text: str, *gold: str, split: str = "train") -> RealQuestion:
    return RealQuestion.model_validate(
        {
            "question_sha256": question_sha256(text),
            "source": "guidelines",
            "split": split,
            "answerable": bool(gold),
            "gold": gold,
            "note": "for a test",
        }
    )


def test_a_real_question_has_its_words_its_gold_and_a_search(tmp_path: Path, library: LibraryWords) -> None:
    gold = next(item.passage.id for item in library.located if "colchicine" in item.passage.text)
    judged = judged_questions([_row(ASKED, gold)], _folder(tmp_path), library)
    (question,) = judged.questions["train"]
    assert question.question == ASKED
    assert question.real
    assert question.training_consent
    assert "colchicine" in question.queries[0]


def test_what_cannot_be_used_is_counted(tmp_path: Path, library: LibraryWords) -> None:
    gold = library.located[0].passage.id
    rows = [_row(ASKED, gold, "nowhere#1"), _row("Colchicine for gout?", "nowhere#1"), _row("In no file?", gold)]
    judged = judged_questions(rows, _folder(tmp_path), library)
    assert [question.gold for question in judged.questions["train"]] == [(PassageId(gold),)]
    assert judged.unknown_gold == 2
    assert judged.left_out == 2


def test_patients_questions_are_not_trained_on(tmp_path: Path, library: LibraryWords) -> None:
    judged = judged_questions([_row("Can I run with gout?")], _folder(tmp_path), library)
    assert not judged.questions["train"][0].training_consent


def test_without_the_publishers_files_the_reason_is_said(tmp_path: Path, library: LibraryWords) -> None:
    judged = judged_questions([_row(ASKED)], tmp_path / "none", library)
    assert not any(judged.questions.values())
    assert judged.why_none is not None
