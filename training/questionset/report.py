"""What was built, and what it was kept apart from: the numbers that a card and a reader need. No text of a question."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from pydantic import BaseModel, ConfigDict

from training.decontamination import Evaluated
from training.questions import TrainingQuestion
from training.questionset.build import BuildPlan, Built
from training.questionset.terms import PARTS, Part

SCHEMA = "questions-report.v1"


class PartReport(BaseModel):
    """One file."""

    model_config = ConfigDict(frozen=True)

    questions: int
    real: int
    sha256: str
    kinds: dict[str, int]
    #: Of the built questions, the shares that were asked for and those that were reached.
    shares: dict[str, tuple[float, float]]
    #: Where they come from, see `TrainingQuestion.question_source`.
    sources: dict[str, int]
    licences: dict[str, int]
    wordings: int
    gold_passages: int
    #: Groups of documents on one condition that facts were found in.
    clusters: int
    #: Left out for standing too near to a question of the named set.
    dropped: dict[str, int]


class QuestionsReport(BaseModel):
    """All three."""

    model_config = ConfigDict(frozen=True)

    schema_version: str = SCHEMA
    seed: int
    corpus_sha256: str
    parts: dict[str, PartReport]
    #: Sets that train and dev were held against, with their numbers of questions.
    evaluated: dict[str, int]
    #: Files of evaluation sets that were not on this machine: nothing was held against them.
    evaluated_missing: list[str]
    #: Exact, near (Jaccard of the terms at least 0.8) and 13-word overlaps left of train and dev with any set, or test.
    overlaps_left: int
    gold_in_two_parts: int
    wordings_in_two_parts: int
    real_unknown_gold: int = 0
    real_left_out: int = 0
    written_left_out: int = 0
    real_missing: str | None = None


def lines(questions: Iterable[TrainingQuestion]) -> str:
    """A file of questions, one a line."""
    return "".join(question.model_dump_json() + "\n" for question in questions)


def report_of(
    built: Built,
    plan: BuildPlan,
    *,
    corpus_sha256: str,
    evaluated: Sequence[Evaluated],
    missing: Sequence[str],
    overlaps_left: int,
) -> QuestionsReport:
    """The report of a build, without what concerns real questions."""
    return QuestionsReport(
        seed=plan.seed,
        corpus_sha256=corpus_sha256,
        parts={part: _part(built, plan, part) for part in PARTS},
        evaluated={one.name: len(one.questions) for one in evaluated},
        evaluated_missing=list(missing),
        overlaps_left=overlaps_left,
        gold_in_two_parts=_shared([{id for q in built.questions[part] for id in q.gold} for part in PARTS]),
        wordings_in_two_parts=_shared([_wordings(built.questions[part]) for part in PARTS]),
    )


def markdown(report: QuestionsReport) -> str:
    """The report to read."""
    text = [
        "# Questions",
        "",
        f"Seed {report.seed}; corpus {report.corpus_sha256[:16]}. "
        "Shares are of built questions: real and written ones are counted apart.",
        "",
        "| part | questions | real | wordings | gold passages | clusters | sha256 |",
        "|---|---|---|---|---|---|---|",
    ]
    text += [
        f"| {name} | {p.questions} | {p.real} | {p.wordings} | {p.gold_passages} | {p.clusters} | {p.sha256[:16]} |"
        for name, p in report.parts.items()
    ]
    text += ["", "| kind: all (of the built, stated) | " + " | ".join(report.parts) + " |"]
    text.append("|---|" + "---|" * len(report.parts))
    for kind in next(iter(report.parts.values())).shares:
        made = [
            f"{p.kinds.get(kind, 0)} ({reached:.1%}, {stated:.1%})"
            for p in report.parts.values()
            for stated, reached in [p.shares[kind]]
        ]
        text.append(f"| {kind} | " + " | ".join(made) + " |")
    text += ["", "| source | " + " | ".join(report.parts) + " |", "|---|" + "---|" * len(report.parts)]
    for source in sorted({source for p in report.parts.values() for source in p.sources}):
        text.append(f"| {source} | " + " | ".join(str(p.sources.get(source, 0)) for p in report.parts.values()) + " |")
    text += ["", "## Decontamination", "", "Train and dev were held against:"]
    text += [f"- {name}: {count} questions" for name, count in report.evaluated.items()]
    text += [f"- {name}: not on this machine" for name in report.evaluated_missing]
    for name, p in report.parts.items():
        for against, count in sorted(p.dropped.items()):
            text.append(f"- dropped from {name}, too near to {against}: {count}")
    text += [
        f"- overlaps left (same terms, Jaccard 0.8, 13 words in a row): {report.overlaps_left}",
        f"- gold passages in two parts: {report.gold_in_two_parts}",
        f"- wordings in two parts: {report.wordings_in_two_parts}",
        f"- gold passages of real questions that the library does not hold: {report.real_unknown_gold}",
        f"- real questions left out: {report.real_left_out}",
        f"- written questions left out, their gold not in the library: {report.written_left_out}",
    ]
    if report.real_missing:
        text.append(f"- {report.real_missing}")
    return "\n".join(text) + "\n"


def _part(built: Built, plan: BuildPlan, part: Part) -> PartReport:
    questions = built.questions[part]
    kinds = Counter(question.kind for question in questions)
    made = Counter(question.kind for question in questions if question.template is not None)
    total = max(sum(made.values()), 1)
    return PartReport(
        questions=len(questions),
        real=sum(question.real for question in questions),
        sha256=hashlib.sha256(lines(questions).encode()).hexdigest(),
        kinds={kind.value: kinds[kind] for kind in plan.shares_of(part)},
        shares={kind.value: (share, made[kind] / total) for kind, share in plan.shares_of(part).items()},
        sources=dict(sorted(Counter(question.question_source for question in questions).items())),
        licences=dict(sorted(Counter(question.licence for question in questions).items())),
        wordings=len(_wordings(questions)),
        gold_passages=len({id for question in questions for id in question.gold}),
        clusters=built.clusters[part],
        dropped=dict(sorted(built.dropped[part].items())),
    )


def _wordings(questions: Iterable[TrainingQuestion]) -> set[str]:
    return {one for question in questions if question.template for one in question.template.split("+")}


def _shared(sets: Sequence[set[str]]) -> int:
    return sum(count > 1 for count in Counter(one for own in sets for one in own).values())
