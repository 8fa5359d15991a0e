"""Recorded runs on one file of questions, read in every arm, scored and compared. No model is run here."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent.version import PRODUCER
from eval.agent.comparing import Durations, ModelTallies, compare, summed
from eval.agent.episodes import Episode
from eval.agent.evaluating import QUESTIONS_FILE, found_models, not_known, read_model
from eval.agent.questions import AgentQuestion, read_questions
from eval.agent.report import EvaluatedModel, Group
from eval.answers.arms import WITHOUT_SEARCH, Arm, Ending, read_answer
from eval.answers.matrix import matrix
from eval.answers.measures import MEASURE_NAMES
from eval.answers.passages import Passages, read_passages
from eval.answers.report import AnswersReport, ModelArms
from eval.answers.scoring import Scorers, score
from eval.retrieval.bootstrap import LEVEL, RESAMPLES, SEED
from eval.retrieval.errors import SetInvalidError


@dataclass(frozen=True, slots=True)
class _ScoredArm:
    """One model's answers in one arm, by key of the question."""

    tallies: ModelTallies
    durations: Durations
    endings: Mapping[str, Sequence[Ending]]


@dataclass(frozen=True, slots=True)
class _ScoredModel:
    about: EvaluatedModel
    arms: Mapping[Arm, _ScoredArm]


def evaluate_answers(directory: Path, names: Sequence[str], scorers: Scorers) -> AnswersReport:
    """Score and compare the runs in `directory`, a folder for each model and, where asked, one for it without search.

    Raises:
        SetMissingError, SetInvalidError: there are no questions, no runs of a model, or no kept passages.
        JournalError: a line of a journal is not a record.
    """
    file = directory / QUESTIONS_FILE
    questions = read_questions(file)
    by_key = {question.key: question for question in questions}
    passages = read_passages(directory)
    models = [_scored(name, directory, by_key, passages, scorers) for name in names]
    columns = [arm for model in models for arm in model.arms.values()]
    finished = [question for question in questions if all(question.key in arm.tallies for arm in columns)]
    if not finished:
        raise SetInvalidError("No question was answered in every way yet; run the same command without --from.")
    groups = _groups(finished)
    shown = [model.arms[Arm.SHOWN] for model in models]
    return AnswersReport(
        producer=PRODUCER,
        measured_at=datetime.now(UTC),
        questions_sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        questions=len(finished),
        unfinished=len(questions) - len(finished),
        not_known={
            **{name: count for name, count in not_known(finished).items() if name not in ("kind", "real")},
            **({"needs_context": lacking} if (lacking := sum(q.needs_context is None for q in finished)) else {}),
        },
        judged_by=_judged_by(scorers),
        models=tuple(model.about for model in models),
        compared=tuple(_compared(name, members, shown) for name, members in groups.items()),
        by_model=tuple(
            ModelArms(
                model=model.about.name,
                arms=tuple(model.arms),
                groups=tuple(_compared(name, members, list(model.arms.values())) for name, members in groups.items()),
                matrices={
                    arm: matrix((q.answerable, ending) for q in finished for ending in scored.endings[q.key])
                    for arm, scored in model.arms.items()
                },
            )
            for model in models
        ),
        resamples=RESAMPLES,
        level=LEVEL,
        seed=SEED,
        tallies={
            question.id: {
                model.about.name: {
                    arm: {name: (tally.over, tally.of) for name, tally in scored.tallies[question.key].items()}
                    for arm, scored in model.arms.items()
                }
                for model in models
            }
            for question in finished
        },
    )


def models_in(directory: Path) -> tuple[str, ...]:
    """Names of the models that have runs here, in the order in which they were begun."""
    return tuple(name for name in found_models(directory) if not name.endswith(WITHOUT_SEARCH))


def _scored(
    name: str, directory: Path, questions: Mapping[str, AgentQuestion], passages: Passages, scorers: Scorers
) -> _ScoredModel:
    about, searched = read_model(name, directory / name, questions.keys())
    found = {Arm.SHOWN: searched, Arm.UNGATED: searched}
    alone = directory / f"{name}{WITHOUT_SEARCH}"
    if alone.is_dir():
        _, found[Arm.UNSEARCHED] = read_model(alone.name, alone, questions.keys())
    arms = {}
    for arm, episodes in found.items():
        tallies, durations, endings = {}, {}, {}
        for key, repetitions in episodes.items():
            made: list[Episode] = [episode for _, episode in sorted(repetitions.items())]
            tallies[key] = summed([score(episode, arm, questions[key], passages, scorers) for episode in made])
            durations[key] = [run.duration_ms for episode in made for run in episode]
            endings[key] = [read_answer(episode, arm, questions[key].earlier).ending for episode in made]
        arms[arm] = _ScoredArm(tallies, durations, endings)
    return _ScoredModel(about, arms)


def _groups(questions: Sequence[AgentQuestion]) -> dict[str, list[AgentQuestion]]:
    found = {"all": list(questions)}
    names = dict.fromkeys(question.of_set for question in questions if question.of_set is not None)
    if len(names) > 1:
        for name in names:
            found[name] = [question for question in questions if question.of_set == name]
    return found


def _compared(name: str, questions: Sequence[AgentQuestion], arms: Sequence[_ScoredArm]) -> Group:
    return compare(name, questions, [arm.tallies for arm in arms], [arm.durations for arm in arms], MEASURE_NAMES)


def _judged_by(scorers: Scorers) -> dict[str, str]:
    judges = {"support, citation recall and precision": scorers.support.name, "must-have, words": scorers.coverage.name}
    return {**judges, **({"must-have, meaning": scorers.near.name} if scorers.near is not None else {})}
