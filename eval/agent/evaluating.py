"""Recorded runs of several models on one file of questions, scored and compared. No model is run here."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from agent import Rollout, read_journal
from agent.version import PRODUCER
from eval.agent.comparing import Durations, ModelTallies, compare, groups_of, summed
from eval.agent.episodes import Episode, episodes
from eval.agent.questions import AgentQuestion, read_questions
from eval.agent.reliability import curves
from eval.agent.report import AgentReport, EvaluatedModel, Reliability
from eval.agent.scoring import graded, score, succeeded
from eval.retrieval.bootstrap import LEVEL, RESAMPLES, SEED
from eval.retrieval.errors import SetInvalidError, SetMissingError

#: Beside the directories of runs: the questions as they were asked.
QUESTIONS_FILE = "questions.jsonl"


@dataclass(frozen=True, slots=True)
class ScoredModel:
    """One model's runs as figures; by key of the question."""

    about: EvaluatedModel
    tallies: ModelTallies
    durations: Durations
    #: Of questions with gold, one value for each repetition.
    success: Mapping[str, Sequence[float]]
    graded: Mapping[str, Sequence[float]]


def evaluate_runs(directory: Path, names: Sequence[str]) -> AgentReport:
    """Score and compare the runs in `directory`, one folder for each model, first the one others are compared with.

    Raises:
        SetMissingError, SetInvalidError: there are no questions, or no runs of a model.
        JournalError: a line of a journal is not a record.
    """
    file = directory / QUESTIONS_FILE
    questions = read_questions(file)
    by_key = {question.key: question for question in questions}
    models = [_scored(name, directory / name, by_key) for name in names]
    finished = [q for q in questions if all(q.key in model.tallies for model in models)]
    if not finished:
        raise SetInvalidError("No question was answered by every model yet; run the same command without --from.")
    return AgentReport(
        producer=PRODUCER,
        measured_at=datetime.now(UTC),
        questions_sha256=hashlib.sha256(file.read_bytes()).hexdigest(),
        questions=len(finished),
        unfinished=len(questions) - len(finished),
        not_known=not_known(finished),
        models=tuple(model.about for model in models),
        groups=tuple(
            compare(name, members, [model.tallies for model in models], [model.durations for model in models])
            for name, members in groups_of(finished).items()
        ),
        reliability=_reliability(finished, models),
        resamples=RESAMPLES,
        level=LEVEL,
        seed=SEED,
        tallies={
            question.id: {
                model.about.name: {name: (tally.over, tally.of) for name, tally in model.tallies[question.key].items()}
                for model in models
            }
            for question in finished
        },
    )


def found_models(directory: Path) -> tuple[str, ...]:
    """Names of the models that have runs here, in the order in which they were begun."""
    folders = [path for path in directory.glob("*") if path.is_dir() and any(path.glob("rollouts-*.jsonl"))]
    folders.sort(key=lambda path: min(segment.name for segment in path.glob("rollouts-*.jsonl")))
    return tuple(path.name for path in folders)


def read_model(
    name: str, directory: Path, questions: Collection[str]
) -> tuple[EvaluatedModel, Mapping[str, Mapping[int, Episode]]]:
    """What made one model's runs, and its episodes on the questions of these keys.

    Raises:
        SetMissingError: there are no runs of it.
        JournalError: a line of a journal is not a record.
    """
    if not directory.is_dir():
        raise SetMissingError(f"There are no runs of {name} in {directory.parent}.")
    seen: list[Rollout] = []
    failures: Counter[str] = Counter()
    runs = 0

    def read() -> Iterator[Rollout]:
        nonlocal runs
        for rollout in read_journal(directory):
            if (rollout.provenance.episode or rollout.task_key) in questions:
                runs += 1
                failures.update(failure.code for failure in rollout.outcome.failures)
                seen[:] = [rollout]
                yield rollout

    found = episodes(read())
    if not seen:
        raise SetMissingError(f"There are no runs of {name} on these questions in {directory.parent}.")
    policy = seen[0].policy
    about = EvaluatedModel(
        name=name,
        served_as=policy.model,
        adapter=policy.adapter,
        search_first=policy.search_first,
        quote=policy.quote,
        caution=policy.caution,
        temperature=policy.temperature,
        prompt_sha256=policy.prompt_sha256,
        index_version=seen[0].provenance.index_version,
        runs=runs,
        failures=dict(sorted(failures.items())),
    )
    return about, found


def _scored(name: str, directory: Path, questions: Mapping[str, AgentQuestion]) -> ScoredModel:
    about, found = read_model(name, directory, questions.keys())
    tallies, durations, success, grades = {}, {}, {}, {}
    for key, repetitions in found.items():
        question = questions[key]
        made = [episode for _, episode in sorted(repetitions.items())]
        tallies[key] = summed([score(episode, question) for episode in made])
        durations[key] = [run.duration_ms for episode in made for run in episode]
        if question.gold is not None and question.answerable is not False:
            success[key] = [float(succeeded(episode, question)) for episode in made]
            grades[key] = [graded(episode, question) for episode in made]
    return ScoredModel(about, tallies, durations, success, grades)


def not_known(questions: Sequence[AgentQuestion]) -> dict[str, int]:
    """Of how many questions something is not known, by what."""
    counts = {
        "kind": sum(question.made is None for question in questions),
        "answerable": sum(question.answerable is None for question in questions),
        "gold": sum(question.gold is None for question in questions),
        "must_have": sum(question.must_have is None for question in questions),
        "real": sum(question.real is None for question in questions),
    }
    return {name: count for name, count in counts.items() if count}


def _reliability(questions: Sequence[AgentQuestion], models: Sequence[ScoredModel]) -> Reliability | None:
    """None unless questions were answered more than once."""
    keys = [question.key for question in questions if all(question.key in model.success for model in models)]
    n = max((len(model.success[key]) for model in models for key in keys), default=0)
    whole = [key for key in keys if all(len(model.success[key]) == n for model in models)]
    if n < 2 or not whole:
        return None
    return Reliability(
        problems=len(whole),
        repetitions=n,
        left_out=len(keys) - len(whole),
        success=curves([[model.success[key] for key in whole] for model in models]),
        graded=curves([[model.graded[key] for key in whole] for model in models]),
    )
