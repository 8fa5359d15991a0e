"""Real guidelines: clinicians' questions with the recommendations that answer them.

The questions were written for this project by a language model in the manner of a busy clinician, from the
recommendations but not in their words (no five in a row), before any search was tried on them. Further answers were
then judged by the same model, from the beginning and end of each passage, among the results of untuned BM25, dense
and hybrid search (pooling, as in TREC): the first ten of each where they lie in guidelines on the question's subject,
the first five elsewhere, and statements on that subject with nearly the words of an answer. Grade 2 answers the
question, grade 1 helps with a part of it. What no pool held is unjudged and counts as wrong. Advice that a newer
version of the same guideline has changed is no answer.

Searched are all passages of two corpora as the product's own readers cut them. The question file holds none of their
text: an answer is a document and the hash of a few of its words, so it is found again wherever cuts fall. Development
and test questions have no document in common, nor guidelines on one subject.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.retrieval.errors import SetInvalidError, SetMissingError
from eval.retrieval.question_set import QuestionSet, assembled
from eval.retrieval.sets.locating import CORPORA_VARIABLE
from retrieval import LIBRARY_FILE, CorpusEntry, CutLimits, DocumentId, Library, Passage, add_paths, packaged_counter

QUESTIONS_FILE = Path(__file__).parents[2] / "guideline_questions.jsonl"
#: The corpora searched, as their publishers' files are called.
CORPORA = ("ngc_open.tar.xz", "uspstf_2024.json.xz")
#: Hexadecimal digits of a fingerprint that are kept.
DIGITS = 16
_RELEVANT_GRADE = 2
_WORD = re.compile(r"[^\W_]+")
_WHAT = (
    "Does the search find the recommendation that answers a clinician's question among all passages of two guideline "
    "corpora? Questions and judgements are a language model's; only pooled results were judged."
)

Split = Literal["dev", "test"]


class AnswerMark(BaseModel):
    """Which passage answers, without its text: a run of its words, hashed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    document_id: DocumentId
    grade: Literal[1, 2]
    #: How many words, case and punctuation left out, the hash is over.
    words: int = Field(ge=1, le=64)
    #: First digits of the SHA-256 of those words joined by single spaces.
    sha256: str = Field(pattern=rf"^[0-9a-f]{{{DIGITS}}}$")


class GuidelineQuestion(BaseModel):
    """A question, which half it belongs to, and what answers it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    question: str
    split: Split
    corpus: Literal["ngc", "uspstf"]
    answers: tuple[AnswerMark, ...] = Field(min_length=1)


def read_guidelines(folder: Path, *, split: Split | None = None, questions: Path = QUESTIONS_FILE) -> QuestionSet:
    """The set, or one half of it; the passages searched are the same.

    Args:
        folder: holds the corpora as their publishers ship them.

    Raises:
        SetMissingError: a corpus is not in `folder`.
        SetInvalidError: a corpus or the question file cannot be read.
        RetrievalError: the disk failed.
    """
    entries = _entries(folder)
    asked = [question for question in guideline_questions(questions) if split in (None, question.split)]
    found = Finder(entries)
    grades: defaultdict[str, dict[str, int]] = defaultdict(dict)
    lost = 0
    for question in asked:
        for answer in question.answers:
            passages = found.passages(answer)
            lost += not passages
            for passage in passages:
                grades[question.id][passage.id] = max(answer.grade, grades[question.id].get(passage.id, 0))
    return assembled(
        "guidelines" if split is None else f"guidelines-{split}",
        measures_what=_WHAT,
        entries=entries,
        queries=[(question.id, question.question) for question in asked],
        grades=grades,
        relevant_from=_RELEVANT_GRADE,
        left_out={"answers whose passage was not found": lost},
    )


def guideline_questions(path: Path = QUESTIONS_FILE) -> tuple[GuidelineQuestion, ...]:
    """The questions, in the file's order.

    Raises:
        SetInvalidError: the file cannot be read; the message names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SetInvalidError(f"The file {path.name} cannot be read: {type(error).__name__}.") from error
    asked = []
    for number, line in enumerate(lines, start=1):
        try:
            asked.append(GuidelineQuestion.model_validate(json.loads(line)))
        except (ValueError, ValidationError) as error:
            raise SetInvalidError(f"{path.name} line {number} is no guideline question.") from error
    return tuple(asked)


class Finder:
    """Finds marked passages again by their words."""

    def __init__(self, entries: Iterable[CorpusEntry]) -> None:
        self._passages = {entry.document.id: entry.passages for entry in entries}
        self._hashed: dict[tuple[DocumentId, int], Mapping[str, tuple[Passage, ...]]] = {}

    def passages(self, answer: AnswerMark) -> tuple[Passage, ...]:
        """Those of the document that hold the marked words: none, one, or several that repeat each other."""
        key = (answer.document_id, answer.words)
        if key not in self._hashed:
            self._hashed[key] = self._windows(*key)
        return self._hashed[key].get(answer.sha256, ())

    def _windows(self, document_id: DocumentId, words: int) -> Mapping[str, tuple[Passage, ...]]:
        held: defaultdict[str, dict[str, Passage]] = defaultdict(dict)
        for passage in self._passages.get(document_id, ()):
            for window in fingerprints(passage.text, words):
                held[window][passage.id] = passage
        return {window: tuple(passages.values()) for window, passages in held.items()}


def fingerprints(text: str, words: int) -> list[str]:
    """The fingerprint of every run of `words` words in a text, in order; none where it has fewer."""
    plain = _WORD.findall(text.casefold())
    runs = (" ".join(plain[start : start + words]) for start in range(len(plain) - words + 1))
    return [hashlib.sha256(run.encode()).hexdigest()[:DIGITS] for run in runs]


def _entries(folder: Path) -> tuple[CorpusEntry, ...]:
    paths = [folder / name for name in CORPORA]
    for path in paths:
        if not path.is_file():
            raise SetMissingError(
                f"The guideline corpus {path.name} is not there: set {CORPORA_VARIABLE} to its folder."
            )
    with (
        tempfile.TemporaryDirectory(prefix="clinsearch-eval-") as scratch,
        Library(Path(scratch) / LIBRARY_FILE) as held,
    ):
        for report in add_paths(paths, held, CutLimits(packaged_counter())):
            if report.failed or not report.documents:
                raise SetInvalidError(f"The file {Path(report.path).name} cannot be read as a corpus of guidelines.")
        return tuple(held.entries())
