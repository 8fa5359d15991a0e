"""The training data of the reranker: questions from the corpora and graded answers, kept apart from evaluation.

Everything follows from the corpora, the config and its seed. What is left out is counted by its reason.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from retrieval import Passage, Searcher
from retrieval.reranking import reranked_text
from training.decontamination import Contamination
from training.errors import TrainingDataError
from training.reranker.config import RerankerConfig
from training.reranker.groups import Group, Origin
from training.reranker.mining import mined_negatives
from training.reranker.questions import Asked

# One question at the start of a text, with the words after it.
_ECHO = re.compile(r"^[^.?!]{5,200}\?\s+(?=\S)")

#: Says how many questions have been worked through, of how many.
Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class GradedQuestion:
    """A question whose answers people graded: texts with grades 0 .. 3."""

    question: str
    answers: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Dataset:
    """What is trained on, in order, and what is not."""

    groups: tuple[Group, ...]
    graded: tuple[Group, ...]
    #: Questions of whole pages that no training group comes from: for choosing the weight of the stage.
    held_out: tuple[Asked, ...]
    #: Groups by origin, and what was left out by reason.
    counts: dict[str, int]


def build_dataset(
    asked: Sequence[Asked],
    graded: Iterable[GradedQuestion],
    searcher: Searcher,
    evaluated: Contamination,
    graded_apart: Contamination,
    config: RerankerConfig,
    report: Report = lambda _done, _total: None,
) -> Dataset:
    """Assemble the data.

    Args:
        asked: questions from the corpora, shuffled.
        graded: graded answers to train on; none may be of an evaluated question.
        evaluated: what corpus questions are kept apart from: every evaluated set.
        graded_apart: what graded answers are kept apart from: the evaluated sets without their own.

    Raises:
        TrainingDataError: nothing is left to train on.
        RetrievalError: the search failed.
    """
    drawn = random.Random(config.seed)  # noqa: S311 - a draw to repeat, not a secret
    counts: Counter[str] = Counter()
    clean = [one for one in asked if _is_clean(one, evaluated, counts)]
    held_out, rest = _split(clean, config)
    chosen = _balanced(rest, config)
    groups = []
    for number, one in enumerate(chosen, start=1):
        group = _group(one, searcher, config, drawn, evaluated, counts)
        if group is not None:
            groups.append(group)
            counts[f"groups from {one.origin}"] += 1
        report(number, len(chosen))
    marked = list(_graded_groups(graded, graded_apart, counts))
    if not groups:
        raise TrainingDataError("The library holds no questions to train on: add MedQuAD with `clinsearch corpus add`.")
    counts["pairs"] = sum(len(group.passages) for group in (*groups, *marked))
    return Dataset(tuple(groups), tuple(marked), held_out, dict(counts))


def _is_clean(one: Asked, evaluated: Contamination, counts: Counter[str]) -> bool:
    if (name := evaluated.of_question(one.question)) is not None:
        counts[f"questions left out: asked in {name}"] += 1
    elif (name := evaluated.of_passage(one.answer.text)) is not None:
        counts[f"questions left out: answer in {name}"] += 1
    else:
        return True
    return False


def _split(clean: Sequence[Asked], config: RerankerConfig) -> tuple[tuple[Asked, ...], list[Asked]]:
    """Held-out MedQuAD questions first; no other question of their pages is trained on."""
    held: list[Asked] = []
    pages: set[str] = set()
    for one in clean:
        if len(held) == config.held_out_questions:
            break
        if one.origin == "medquad" and one.document_id not in pages:
            held.append(one)
            pages.add(one.document_id)
    return tuple(held), [one for one in clean if one.document_id not in pages]


def _balanced(rest: Sequence[Asked], config: RerankerConfig) -> list[Asked]:
    limits: dict[Origin, int] = {
        "medquad": config.medquad_questions,
        "nigeria": config.nigeria_questions,
        "mmwr": config.mmwr_questions,
    }
    taken: Counter[str] = Counter()
    forms: Counter[str] = Counter()
    chosen = []
    for one in rest:
        if taken[one.origin] >= limits[one.origin]:
            continue
        if one.origin == "medquad" and forms[one.form] >= config.questions_of_a_form:
            continue
        taken[one.origin] += 1
        forms[one.form] += 1
        chosen.append(one)
    return chosen


def _group(
    one: Asked,
    searcher: Searcher,
    config: RerankerConfig,
    drawn: random.Random,
    evaluated: Contamination,
    counts: Counter[str],
) -> Group | None:
    related = drawn.sample(one.related, min(config.related, len(one.related)))
    mined = []
    for passage in mined_negatives(searcher, one, config, drawn):
        if (name := evaluated.of_passage(passage.text)) is not None:
            counts[f"negatives left out: passage in {name}"] += 1
        else:
            mined.append(passage)
    graded = [(one.answer, 3), *((p, 1) for p in related), *((p, 0) for p in mined)]
    if len(graded) < 2:
        counts["questions left out: nothing to tell the answer from"] += 1
        return None
    untitled = drawn.random() < config.untitled_share
    texts = tuple(trained_text(passage, untitled=untitled) for passage, _ in graded)
    return Group(origin=one.origin, question=one.question, passages=texts, grades=tuple(grade for _, grade in graded))


def trained_text(passage: Passage, *, untitled: bool) -> str:
    """What stands in a group for a passage, without a question it begins by repeating.

    A third of MedQuAD's answers start with their own question; left in, it alone would tell them from the others.
    """
    bare = _ECHO.sub("", passage.text, count=1) or passage.text
    return bare if untitled else reranked_text(passage.model_copy(update={"text": bare}))


def _graded_groups(graded: Iterable[GradedQuestion], apart: Contamination, counts: Counter[str]) -> Iterable[Group]:
    for one in graded:
        if (name := apart.of_question(one.question)) is not None:
            counts[f"graded questions left out: asked in {name}"] += 1
            continue
        kept = []
        for text, grade in one.answers:
            if (name := apart.of_passage(text)) is not None:
                counts[f"graded answers left out: passage in {name}"] += 1
            else:
                kept.append((text, grade))
        if len({grade for _, grade in kept}) < 2:
            counts["graded questions left out: all answers of one grade"] += 1
            continue
        counts["groups from mediqa"] += 1
        yield Group(
            origin="mediqa",
            question=one.question,
            passages=tuple(text for text, _ in kept),
            grades=tuple(grade for _, grade in kept),
        )
