"""What the reranker is asked in training and in choosing: questions of several origins in one form and one order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from retrieval import PassageId, PredictedQueries, SourceId
from training.decontamination import Contamination
from training.questions import QuestionKind, TrainingQuestion
from training.questionset import Part
from training.reranker.passage_questions import PassageQuestion

#: "written": from one passage, most of them with judgements of what a search found. "case": from one passage, about a
#: patient of whom more is told than matters. "predicted": the query that a passage is likely to be searched for with
#: (`retrieval.predicted_queries`). "judged": written, and judged among what a search found for a question that its
#: writer knew the answers of. "real": asked by people, and judged.
Origin = Literal["written", "case", "predicted", "judged", "real"]
#: Nobody looked for other answers than the passage that these were written from.
UNJUDGED: frozenset[Origin] = frozenset({"written", "case", "predicted"})
_KINDS = frozenset({QuestionKind.ANSWERABLE, QuestionKind.UNANSWERABLE})


class RankedQuestion(BaseModel):
    """A question with the passages that answer it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    #: Any one answers; none where nothing in the library does.
    gold: tuple[PassageId, ...]
    #: Read, and found to answer in part, or not; both empty where the first hits were not read one by one.
    partly: tuple[PassageId, ...] = ()
    others: tuple[PassageId, ...] = ()
    #: Where it is searched.
    source: SourceId
    origin: Origin
    part: Literal["train", "dev"]


def ranked_questions(
    written: Iterable[PassageQuestion],
    judged: Iterable[TrainingQuestion],
    real: Mapping[Part, Sequence[TrainingQuestion]],
    cases: Iterable[PassageQuestion] = (),
) -> tuple[RankedQuestion, ...]:
    """The questions of train and dev in a fixed order; those that need two passages, or ask back, are left out."""
    # Where none of the passages that were read answers, that says nothing of the library.
    found = [_written(row, "written") for row in written if row.gold]
    found += [_written(row, "case") for row in cases if row.gold]
    found += [_question(one, "judged", "train") for one in judged if one.kind in _KINDS]
    found += [_question(one, "real", "train") for one in real["train"] if one.kind in _KINDS and one.training_consent]
    found += [_question(one, "real", "dev") for one in real["dev"] if one.kind in _KINDS]
    return tuple(found)


def kept_apart(
    questions: Iterable[RankedQuestion], evaluated: Contamination
) -> tuple[tuple[RankedQuestion, ...], Counter[str]]:
    """The questions that no evaluated set asks, and how many others each set asks."""
    kept, counts = [], Counter[str]()
    for one in questions:
        if (name := evaluated.of_question(one.question)) is None:
            kept.append(one)
        else:
            counts[f"{one.part} questions left out: asked in {name}"] += 1
    return tuple(kept), counts


def predicted_questions(
    predicted: PredictedQueries, sources: Mapping[PassageId, SourceId]
) -> tuple[RankedQuestion, ...]:
    """Those of the passages that `sources` names, all of the part train, in the order of `predicted`."""
    return tuple(
        RankedQuestion(question=query, gold=(passage,), source=sources[passage], origin="predicted", part="train")
        for passage, queries in predicted.items()
        if passage in sources
        for query in queries
    )


def _written(row: PassageQuestion, origin: Origin) -> RankedQuestion:
    judged = row.judged
    return RankedQuestion(
        question=row.question,
        gold=row.gold,
        partly=judged.partly if judged else (),
        others=judged.others if judged else (),
        source=row.source,
        origin=origin,
        part=row.part,
    )


def _question(one: TrainingQuestion, origin: Origin, part: Literal["train", "dev"]) -> RankedQuestion:
    return RankedQuestion(question=one.question, gold=one.gold, source=SourceId(one.source), origin=origin, part=part)
