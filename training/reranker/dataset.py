"""From mined questions to training groups: the answer, and passages that the search puts high and that are not it.

Everything follows from the questions, their hits, the config and its seed. What is left out is counted by its reason.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from retrieval import PassageId
from retrieval.reranking import reranked_text
from training.errors import TrainingDataError
from training.questionset import LibraryWords
from training.questionset.library_words import Located
from training.reranker.config import RerankerConfig
from training.reranker.groups import READ_COUNT, Group
from training.reranker.mining import Mined
from training.reranker.questions import UNJUDGED, RankedQuestion

_ANSWERS, _PARTLY, _SAME_DOCUMENT = 3, 1, 1


def build_groups(
    mined: Iterable[Mined], words: LibraryWords, trainable: Collection[PassageId], config: RerankerConfig
) -> tuple[tuple[Group, ...], dict[str, int]]:
    """The groups of the questions of the part `train`, in their order, and counts.

    Args:
        words: holds every passage of `trainable`.

    Raises:
        TrainingDataError: there is no group, or `words` lacks a passage.
    """
    drawn = random.Random(config.seed)  # noqa: S311 - a draw to repeat, not a secret
    groups: list[Group] = []
    counts: Counter[str] = Counter()
    for one in mined:
        if one.question.part != "train":
            continue
        gold = [id for id in one.question.gold if id in trainable]
        others = _others(one, gold, words, trainable)
        if one.question.gold and not gold:
            counts["questions left out: their answers may not be trained on"] += 1
        elif len(others) < 2:
            counts["questions left out: nothing to tell the answer from"] += 1
        else:
            groups.append(_group(one, gold, others, words, trainable, config, drawn))
            counts[f"groups from {one.question.origin} questions"] += 1
            if _read(one.question):
                counts[READ_COUNT] += 1
            counts["groups that nothing answers"] += not gold
    if not groups:
        raise TrainingDataError(
            "No question has its answer in the library: add the corpora with `clinsearch corpus add`, then build the "
            "index."
        )
    counts["pairs"] = sum(len(group.passages) for group in groups)
    return tuple(groups), dict(counts)


def passage_text(words: LibraryWords, id: PassageId) -> str:
    """A passage as the reranker reads it.

    Raises:
        TrainingDataError: the library does not hold it.
    """
    return reranked_text(_located(words, id).passage)


def _others(
    one: Mined, gold: Sequence[PassageId], words: LibraryWords, trainable: Collection[PassageId]
) -> list[PassageId]:
    """Hits that do not have the words of an answer, as the answers themselves have, best first."""
    answers = {passage_text(words, id) for id in gold}
    return [id for id, _ in one.hits if id in trainable and passage_text(words, id) not in answers]


def _group(
    one: Mined,
    gold: Sequence[PassageId],
    others: list[PassageId],
    words: LibraryWords,
    trainable: Collection[PassageId],
    config: RerankerConfig,
    drawn: random.Random,
) -> Group:
    # Where none of what was read may be trained on, it is as if nothing had been read.
    chosen, grades = _judged(one, others, trainable, config, drawn) if _read(one.question) else ([], [])
    if chosen:
        answers = drawn.sample(gold, min(len(gold), config.answers))
    elif one.question.origin in UNJUDGED:
        # Other answers were never looked for and would stand near the top: so no hit is always a negative, most are
        # drawn from the first few, some from the rest.
        near, far = others[: config.near_hits], others[config.near_hits :]
        drawn.shuffle(near)
        chosen = near[: config.negatives - config.far_negatives]
        chosen += drawn.sample(far, min(len(far), config.negatives - len(chosen)))
        documents = {_located(words, id).document.id for id in gold}
        grades = [_SAME_DOCUMENT if _located(words, id).document.id in documents else 0 for id in chosen]
        answers = list(gold[:1])
    else:
        # Judged: the first hits were read, and what is not gold does not answer.
        chosen = others[: config.negatives]
        grades = [0] * len(chosen)
        answers = drawn.sample(gold, min(len(gold), config.answers))
    return Group(
        origin=one.question.origin,
        question=one.question.question,
        passages=tuple(passage_text(words, id) for id in (*answers, *chosen)),
        grades=(*[_ANSWERS] * len(answers), *grades),
    )


def _read(question: RankedQuestion) -> bool:
    """Whether its first hits were read one by one."""
    return bool(question.partly or question.others)


def _judged(
    one: Mined,
    others: Sequence[PassageId],
    trainable: Collection[PassageId],
    config: RerankerConfig,
    drawn: random.Random,
) -> tuple[list[PassageId], list[int]]:
    """What does not answer, with its grades: some that do in part, most that do not, and some from far down."""
    question = one.question
    read = {*question.gold, *question.partly, *question.others}
    partly = [id for id in question.partly if id in trainable]
    wrong = [id for id in question.others if id in trainable]
    far = [id for id in others[config.near_hits :] if id not in read]
    drawn.shuffle(partly)
    drawn.shuffle(wrong)
    partly = partly[: config.partly]
    wrong = wrong[: config.negatives - len(partly) - config.far_judged]
    wrong += drawn.sample(far, min(len(far), config.negatives - len(partly) - len(wrong)))
    return partly + wrong, [_PARTLY] * len(partly) + [0] * len(wrong)


def _located(words: LibraryWords, id: PassageId) -> Located:
    number = words.number(id)
    if number is None:
        raise TrainingDataError("The index is not of this library: run `clinsearch index build`.")
    return words.located[number]
