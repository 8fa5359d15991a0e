"""Real questions, each with the passages that answer it, or the statement that none does.

`real.jsonl` holds no text of a question or of a passage: a question is named by the hash of its text, a passage by its
id. The texts are third-party material; `question_texts` reads them from the publishers' own files, so that a set can be
built where those are. Who judged, and how, is in the decision on questions (docs/adr).

The sets: clinicians' questions of the MEDIQA 2019 training set for question entailment (Ben Abacha and
Demner-Fushman), which has them from the National Library of Medicine's collection of questions asked by family
doctors, and patients' questions of K-QA (Manes et al. 2024).
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeVar
from xml.etree.ElementTree import ParseError

from defusedxml.ElementTree import fromstring
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from retrieval import PassageId, SourceId

REAL_FILE = Path(__file__).with_name("real.jsonl")

RealSplit = Literal["train", "dev", "test"]
QuestionFile = Literal["mediqa_rqe_train", "k_qa_questions"]
_Row = TypeVar("_Row", bound=BaseModel)
_CLINICIANS = "mediqa_rqe_train.xml.xz"
_PATIENTS = "k_qa_questions.jsonl.xz"


class RealQuestionsError(Exception):
    """Judged or written questions, or the publishers' files, cannot be used; the message is one sentence."""

    code = "real_questions_unusable"
    retryable = False


class RealQuestion(BaseModel):
    """One line of `real.jsonl`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: See `question_sha256`.
    question_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    #: The source a good search goes to; where there is no answer, the one that a clinician would look in first.
    source: SourceId
    split: RealSplit
    answerable: bool
    #: Passages that answer by themselves, any one of them enough; the plainest first. Some lie in another source.
    gold: tuple[PassageId, ...] = Field(max_length=5)
    #: Why, in the annotator's own words.
    note: str = Field(min_length=3, max_length=120)

    @model_validator(mode="after")
    def _whole(self) -> RealQuestion:
        if self.answerable != bool(self.gold):
            raise ValueError("an answerable question names its gold passages, and no other question does")
        if len(set(self.gold)) != len(self.gold):
            raise ValueError("a gold passage is named once")
        return self


class RealText(BaseModel):
    """A question's own words, and the file that they stand in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    text: str
    file: QuestionFile


def normalised(text: str) -> str:
    """Runs of white space as one space, none at the ends; nothing else is changed."""
    return " ".join(text.split())


def question_sha256(text: str) -> str:
    """The name of a question: the SHA-256 of its normalised text in UTF-8, 64 hexadecimal digits."""
    return hashlib.sha256(normalised(text).encode("utf-8")).hexdigest()


def read_real_questions(path: Path = REAL_FILE) -> tuple[RealQuestion, ...]:
    """The judged questions, in the file's order.

    Raises:
        RealQuestionsError: the file cannot be read, or a line of it is not as stated above.
    """
    return read_rows(path, RealQuestion)


def read_rows(path: Path, row: type[_Row]) -> tuple[_Row, ...]:
    """The lines of a file of judged questions, in its order.

    Raises:
        RealQuestionsError: the file cannot be read, or a line of it is no `row`.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
        return tuple(row.model_validate_json(line) for line in lines if line)
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise RealQuestionsError(f"{path.name} cannot be used: {error}") from error


def question_texts(folder: Path) -> Mapping[str, RealText]:
    """Every question of the publishers' files in `folder`, by its hash; of two alike, the clinicians' file's.

    Raises:
        RealQuestionsError: a file is missing or is not as its publisher laid it out.
    """
    found: dict[str, RealText] = {}
    for file, texts in (("mediqa_rqe_train", _clinicians(folder)), ("k_qa_questions", _patients(folder))):
        for text in texts:
            entry = RealText.model_validate({"text": normalised(text), "file": file})
            found.setdefault(question_sha256(text), entry)
    return found


def with_texts(rows: Iterable[RealQuestion], folder: Path) -> Iterator[tuple[RealQuestion, RealText]]:
    """Each judged question with its words.

    Raises:
        RealQuestionsError: as `question_texts`, or a question stands in none of the files.
    """
    texts = question_texts(folder)
    for row in rows:
        if row.question_sha256 not in texts:
            raise RealQuestionsError(
                f"Question {row.question_sha256[:12]} stands in none of the files in {folder}: get the release that "
                "was judged."
            )
        yield row, texts[row.question_sha256]


def _clinicians(folder: Path) -> Iterator[str]:
    """Questions as asked and their short forms."""
    try:
        root = fromstring(_unpacked(folder / _CLINICIANS))
    except ParseError as error:
        raise RealQuestionsError(f"{_CLINICIANS} is not XML: {error}") from error
    for pair in root.iter("pair"):
        for form in ("chq", "faq"):
            yield pair.findtext(form) or ""


def _patients(folder: Path) -> Iterator[str]:
    for line in _unpacked(folder / _PATIENTS).splitlines():
        try:
            yield str(json.loads(line)["Question"])
        except (ValueError, KeyError, TypeError) as error:
            raise RealQuestionsError(f"{_PATIENTS} has a line without a question") from error


def _unpacked(path: Path) -> str:
    try:
        return lzma.decompress(path.read_bytes()).decode("utf-8")
    except (OSError, lzma.LZMAError, UnicodeDecodeError) as error:
        raise RealQuestionsError(f"{path} cannot be read: put the publisher's file there.") from error
