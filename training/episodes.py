"""What a batch needs of a line of questions: its teacher, and the clinician behind it."""

from __future__ import annotations

from pydantic import ValidationError

from agent import Question, Rollout
from agent.batch import BatchTask, TaskError
from retrieval import Hit, PassageId, Searcher
from training.clinician import clinicians_reply
from training.questions import TrainingQuestion
from training.teacher import Teacher


def teacher_of(task: BatchTask, searcher: Searcher) -> Teacher:
    """The teacher of one line.

    Raises:
        TaskError: the line names no gold, or a passage that is not in the index.
    """
    try:
        question = TrainingQuestion.model_validate(task.row)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise TaskError(f"it says too little for the teacher: {where or 'question'}: {first['msg']}") from error
    gold: dict[PassageId, Hit] = {}
    for passage_id in question.gold:
        found = searcher.hit(passage_id)
        if found is None:
            raise TaskError(
                f"it names the passage {passage_id[:80]}, which is not in the index; build the questions again from it"
            )
        gold[passage_id] = found
    return Teacher(question, gold)


def simulated_clinician(task: BatchTask, asked: Question, rollout: Rollout) -> Question | None:
    """The clinician's next turn, where the line holds a hidden case and the run asked for something."""
    if "case" not in task.row:
        return None
    try:
        question = TrainingQuestion.model_validate(task.row)
    except ValidationError:
        return None
    return clinicians_reply(question, asked, rollout)
