"""What `clinsearch train reranker` and `clinsearch train queries` share: their material, and errors as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from eval.retrieval import EvaluationError
from eval.retrieval.sets import benchmarks_folder
from retrieval import read_predicted_queries
from service.cli.common import errors_as_sentences, stop
from service.cli.questions import library_entries, texts_folder
from service.cli.stages import ShowStage
from service.settings import Settings
from training.questionset import (
    LibraryWords,
    RealQuestionsError,
    evaluated_sets,
    judged_questions,
    read_real_questions,
    read_written_questions,
    written_questions,
)
from training.reranker import (
    CASE_QUESTIONS_FILE,
    Material,
    TrainingDataError,
    TrainingError,
    read_passage_questions,
)


def read_material(settings: Settings, show: ShowStage) -> Material:
    """The library with its questions.

    Raises:
        TrainingDataError: a set that training is kept apart from, or a file of the real questions, is not there.
        RealQuestionsError: a file of questions cannot be read.
        RetrievalError: the library cannot be read.
    """
    show("reading what is measured with", 0, 1)
    evaluated, missing = evaluated_sets(benchmarks_folder())
    if missing:
        raise TrainingDataError(f"Training cannot be kept apart from what is not there: {', '.join(missing)}.")
    show("reading the library", 0, 1)
    words = LibraryWords(library_entries(settings))
    real = judged_questions(read_real_questions(), texts_folder(), words)
    if real.why_none is not None:
        # Which documents are kept for testing is known from the real questions.
        raise TrainingDataError(real.why_none)
    judged, _ = written_questions(read_written_questions(), words)
    return Material(
        words=words,
        written=read_passage_questions(),
        cases=read_passage_questions(CASE_QUESTIONS_FILE),
        predicted=read_predicted_queries(),
        judged=judged,
        real=real.questions,
        evaluated=evaluated,
    )


@contextmanager
def training_sentences(interrupted: str) -> Iterator[None]:
    """Errors of training and measuring end the command with one sentence; so does an interrupt, with this one."""
    try:
        with errors_as_sentences():
            yield
    except RealQuestionsError as error:
        raise stop(f"{error}.") from error
    except (EvaluationError, TrainingError) as error:
        raise stop(str(error)) from error
    except KeyboardInterrupt:
        raise stop(interrupted, 130) from None
