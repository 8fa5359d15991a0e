"""Sentences written about statements of the library, faithful ones and ones wrong in one clinical detail.

`sentences.jsonl` is the project's own text. Language models wrote it: of each statement one sentence near its wording
and one in quite other words that both say what it says, and one of each sort with one detail changed, with the kind of
the change. Nobody judged them, no model and no clinician. Nothing in it is guidance: half of it is wrong on purpose.
What a sentence shares with its statement is not kept but pointed to (`training.entailment.edits`), so the library is
needed to read it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.gate.statements import texts_of
from retrieval import Document, Passage, PassageId
from training.entailment.edits import Edit, sentence_of
from training.questionset import read_rows

SENTENCES_FILE = Path(__file__).with_name("sentences.jsonl")

#: "close": near the statement's wording; "other": in quite other words.
Form = Literal["close", "other", "wrong_close", "wrong_other"]
#: Of the statement: train teaches, calibration chooses the decision, dev is looked at, test is looked at last. Those of
#: calibration stand in the documents of train, those of dev and test in others.
Part = Literal["train", "calibration", "dev", "test"]


class WrittenSentences(BaseModel):
    """One line of `sentences.jsonl`: what was written about one statement."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passage: PassageId
    #: Which of the passage's statements, from 0.
    statement: int = Field(ge=0)
    #: First 12 hex digits of the SHA-256 of the statement's text: it must still be the same.
    sha256: str = Field(pattern=r"^[0-9a-f]{12}$")
    part: Part
    close: tuple[Edit, ...]
    other: tuple[Edit, ...]
    wrong_close: tuple[Edit, ...]
    wrong_other: tuple[Edit, ...]
    #: What was changed in the two wrong ones.
    kinds: tuple[str, str]


class LabelledSentence(BaseModel):
    """A sentence with the statement it was written about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sentence: str
    title: str
    before: str
    statement: str
    strength: str | None
    form: Form
    #: "close" and "other" for faithful ones, else what was changed.
    kind: str
    part: Part
    passage: PassageId

    @property
    def faithful(self) -> bool:
        """Whether the statement says it."""
        return not self.form.startswith("wrong")


def read_written_sentences(path: Path = SENTENCES_FILE) -> tuple[WrittenSentences, ...]:
    """The rows, in the file's order.

    Raises:
        RealQuestionsError: the file cannot be read, or a line of it is not as stated above.
    """
    return read_rows(path, WrittenSentences)


def statement_sha256(text: str) -> str:
    """What `WrittenSentences.sha256` holds of a statement."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def labelled(
    rows: Sequence[WrittenSentences], library: Mapping[PassageId, tuple[Passage, Document]]
) -> tuple[tuple[LabelledSentence, ...], int]:
    """The sentences again, four a row in the rows' order, and how many rows the library lacks or holds otherwise."""
    found: list[LabelledSentence] = []
    lost = 0
    for row in rows:
        held = library.get(row.passage)
        texts = texts_of(held[0]) if held else []
        if held is None or row.statement >= len(texts) or statement_sha256(texts[row.statement]) != row.sha256:
            lost += 1
            continue
        passage, document = held
        statement = texts[row.statement]
        sentences: tuple[tuple[Form, str, tuple[Edit, ...]], ...] = (
            ("close", "close", row.close),
            ("other", "other", row.other),
            ("wrong_close", row.kinds[0], row.wrong_close),
            ("wrong_other", row.kinds[1], row.wrong_other),
        )
        found += [
            LabelledSentence(
                sentence=sentence_of(edits, statement),
                title=document.title,
                before=texts[row.statement - 1] if row.statement else "",
                statement=statement,
                strength=passage.strength,
                form=form,
                kind=kind,
                part=row.part,
                passage=row.passage,
            )
            for form, kind, edits in sentences
        ]
    return tuple(found), lost
