"""What the product's own search puts first for each question: hard negatives in training, candidates in choosing.

Kept line by line in the run's folder, so that a stopped run goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from retrieval import PassageId, SearchFilters, SearchRequest
from retrieval.search import Searcher
from training.errors import CheckpointError
from training.reranker.questions import RankedQuestion


class Mined(BaseModel):
    """A question with its hits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: RankedQuestion
    #: Passages with the search's score, best first.
    hits: tuple[tuple[PassageId, float], ...]
    #: Version of the index that was searched.
    index: str


def mine(
    questions: Sequence[RankedQuestion],
    searcher: Searcher,
    path: Path,
    limit: int,
    report: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Mined, ...]:
    """The first `limit` hits of every question in its source, in the order of the questions.

    Args:
        searcher: without a reranker, whose own order would be learnt from.
        path: holds what was found so far; made where it is absent.

    Raises:
        CheckpointError: `path` holds hits of other questions or of another index, or cannot be read.
        RetrievalError: the search failed.
    """
    found = _held(path)
    asked = [(one.question, one.index) for one in found]
    if asked != [(question, searcher.index_version) for question in questions[: len(found)]]:
        raise CheckpointError(f"The hits in {path.parent.name} are of other questions or another index: remove them.")
    with path.open("a", encoding="utf-8") as file:
        for number, question in enumerate(questions[len(found) :], start=len(found) + 1):
            request = SearchRequest(
                queries=(question.question,), filters=SearchFilters(source=question.source), limit=limit
            )
            hits = tuple((hit.passage.id, hit.score) for hit in searcher.search(request).hits)
            found.append(Mined(question=question, hits=hits, index=searcher.index_version))
            file.write(found[-1].model_dump_json() + "\n")
            file.flush()
            report(number, len(questions))
    return tuple(found)


def _held(path: Path) -> list[Mined]:
    """What an earlier run found; a line that it was stopped in is cut off."""
    if not path.exists():
        return []
    try:
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            path.write_bytes(whole)
        return [Mined.model_validate_json(line) for line in whole.split(b"\n") if line]
    except (OSError, ValidationError) as error:
        raise CheckpointError(f"The hits in {path.parent.name} cannot be read: remove them.") from error
