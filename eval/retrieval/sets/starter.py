"""The starter guidelines with one question per condition.

The questions were written from the condition names alone by someone who had not seen the recommendations. Every
recommendation of the condition counts as relevant: this measures whether the search finds the right condition,
not whether it finds the one recommendation that answers the question.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from pydantic import ValidationError

from eval.conditions import QUESTIONS_FILE, condition_questions
from eval.retrieval.errors import SetInvalidError
from eval.retrieval.question_set import QuestionSet, assembled
from retrieval import starter_entries

_WHAT = (
    "Does the search find recommendations of the right condition? Every recommendation of the condition counts as "
    "relevant: it does not say whether the one that answers the question comes first."
)


def read_starter(questions: Path = QUESTIONS_FILE) -> QuestionSet:
    """The set.

    Raises:
        SetInvalidError: the question file is damaged.
        RetrievalError: a starter file breaks its schema.
    """
    entries = tuple(starter_entries())
    try:
        asked = condition_questions(questions)
    except (OSError, ValueError, ValidationError) as error:
        raise SetInvalidError(f"The file {questions.name} cannot be read: {type(error).__name__}.") from error
    grades: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for entry in entries:
        for passage in entry.passages:
            condition = passage.id.split("/")[1]  # "starter/<condition>/<number>"
            grades[condition][passage.id] = 1
    return assembled(
        "starter",
        measures_what=_WHAT,
        entries=entries,
        queries=[(question.id, question.question) for question in asked],
        grades={question.id: grades[question.id] for question in asked},
    )
