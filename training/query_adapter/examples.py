"""What the query adapter learns from: questions on guidelines, what answers them, and all passages they may find.

Passages are not encoded anew: their vectors are those of the index.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from retrieval import PassageId, SourceId
from retrieval.encoders import Vectors
from retrieval.searched_text import dense_text, text_hash
from retrieval.vectors import VectorStore
from training.errors import TrainingDataError
from training.questionset import LibraryWords
from training.reranker import RankedQuestion

#: Searches of this source are adapted.
SOURCE = SourceId("guidelines")


class Example(BaseModel):
    """A question with rows of the pool."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str
    #: Any of them is right; at least one.
    answers: tuple[int, ...]
    #: Neither right nor wrong: they answer in part.
    ignored: tuple[int, ...] = ()


@dataclass(frozen=True)
class Pool:
    """Every current passage of the source, with its vector of record."""

    ids: Sequence[PassageId]
    #: What the encoder read of each: two passages of one text are one answer.
    texts: Sequence[str]
    #: Shape [passages, dimension].
    vectors: Vectors
    #: Of documents that may be trained on: only these are right or wrong in training. Shape [passages].
    trainable: NDArray[np.bool_]

    @cached_property
    def rows(self) -> dict[PassageId, int]:
        """The row of each passage."""
        return {id: row for row, id in enumerate(self.ids)}

    @cached_property
    def _same(self) -> dict[str, list[int]]:
        found: defaultdict[str, list[int]] = defaultdict(list)
        for row, text in enumerate(self.texts):
            found[text].append(row)
        return dict(found)

    def rows_of(self, ids: Iterable[PassageId]) -> tuple[int, ...]:
        """Rows of the passages that are in the pool and of all with the same text, sorted."""
        texts = {self.texts[self.rows[id]] for id in ids if id in self.rows}
        return tuple(sorted(row for text in texts for row in self._same[text]))


def read_pool(words: LibraryWords, trainable: Collection[PassageId], vectors: VectorStore) -> Pool:
    """The passages of the source with their vectors.

    Raises:
        TrainingDataError: there are none, or the index that `vectors` belongs to lacks one.
        CorpusError: a vector cannot be read.
    """
    passages = [
        located.passage
        for number, located in enumerate(words.located)
        if located.document.source == SOURCE and words.current(number)
    ]
    texts = [dense_text(passage) for passage in passages]
    keys = [text_hash(text) for text in texts]
    if not passages or any(key not in vectors for key in keys):
        raise TrainingDataError("The index is not of this library: run `clinsearch index build`.")
    ids = [passage.id for passage in passages]
    return Pool(ids, texts, vectors.get(keys), np.array([id in trainable for id in ids]))


def build_examples(questions: Iterable[RankedQuestion], pool: Pool) -> tuple[tuple[Example, ...], dict[str, int]]:
    """The questions of the part `train` on the source that a trainable passage answers, in their order, and counts.

    Raises:
        TrainingDataError: there is none.
    """
    found, counts = [], Counter[str]()
    for one in questions:
        if one.part != "train" or one.source != SOURCE or not one.gold:
            continue
        answers = tuple(row for row in pool.rows_of(one.gold) if pool.trainable[row])
        if not answers:
            counts["questions left out: their answers may not be trained on"] += 1
            continue
        ignored = tuple(row for row in pool.rows_of(one.partly) if row not in answers)
        found.append(Example(question=one.question, answers=answers, ignored=ignored))
        counts[f"examples from {one.origin} questions"] += 1
    if not found:
        raise TrainingDataError(
            "No question has its answer in the library: add the corpora with `clinsearch corpus add`, then build the "
            "index."
        )
    counts["passages to choose from"] = int(pool.trainable.sum())
    return tuple(found), dict(counts)


def examples_hash(examples: Iterable[Example], pool: Pool) -> str:
    """SHA-256 (hex) of the examples in their order and of what there is to choose from."""
    digest = hashlib.sha256()
    for example in examples:
        digest.update(example.model_dump_json().encode())
    for text, taken in zip(pool.texts, pool.trainable, strict=True):
        digest.update(f"{text_hash(text)}{int(taken)}".encode())
    return digest.hexdigest()
