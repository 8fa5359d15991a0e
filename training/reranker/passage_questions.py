"""Questions written for the reranker, each from one passage and in the words of a ward.

`passage_questions.jsonl` is the project's own text. Language models wrote it: they read one passage at a time (its
first 150 words, with title and headings) and were told to ask what that passage answers and its neighbours do not, with
at least half of the content words others than the passage's and never five words of it in a row. Of most questions on
guidelines in the part `train` language models, which had not written them, also read what the product's search puts
first, in no order and without being told which passage was written from, and said of each whether it answers. No
clinician judged anything. Of the others the passage written from counts as the answer, and whether another one answers
as well is unknown. The part `train` trains the reranker and the query adapter; the part `dev` chooses how much of what
was learnt is kept and how much it weighs; those of it on guidelines are also the answerable ones of
`eval/ward_questions`, whose figures are flattered by that.

`case_questions.jsonl` is of the same form and making: each tells of an invented patient three to five ordinary facts,
at least two of which have nothing to do with what is asked, so that a search learns to look past them. Nobody judged
other answers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from retrieval import PassageId, SourceId
from training.questionset import read_rows

PASSAGE_QUESTIONS_FILE = Path(__file__).with_name("passage_questions.jsonl")
CASE_QUESTIONS_FILE = Path(__file__).with_name("case_questions.jsonl")


class Judged(BaseModel):
    """What was said of the passages that were read for a question: its own one and the search's first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: Who reads only this passage has the answer.
    answers: tuple[PassageId, ...]
    #: An important part of it, or advice on something close to what was asked.
    partly: tuple[PassageId, ...]
    #: Neither.
    others: tuple[PassageId, ...]


class PassageQuestion(BaseModel):
    """One line of either file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(min_length=5, max_length=400)
    #: The passage it was written from.
    passage: PassageId
    #: That of the passage's document, see `training.questionset.DocumentParts`.
    part: Literal["train", "dev"]
    #: Where the passage lies.
    source: SourceId
    #: None where nobody judged.
    judged: Judged | None = None

    @property
    def gold(self) -> tuple[PassageId, ...]:
        """The passages that count as answers."""
        return (self.passage,) if self.judged is None else self.judged.answers


def read_passage_questions(path: Path = PASSAGE_QUESTIONS_FILE) -> tuple[PassageQuestion, ...]:
    """The questions, in the file's order.

    Raises:
        RealQuestionsError: the file cannot be read, or a line of it is not as stated above.
    """
    return read_rows(path, PassageQuestion)
