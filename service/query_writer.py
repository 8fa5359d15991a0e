"""A model that writes predicted queries for an operator's own documents, one recommendation at a time.

What comes with the package was written for public guidelines (`docs/adr/0037`). Any instruct model behind an
OpenAI-compatible server can write the others, before the next index build.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent import Clock, CompletionRequest, Message, ModelClient, ModelError, ModelUnavailableError, SystemClock
from agent.errors import ModelStatusError
from agent.retry import RetryingCaller
from retrieval import CorpusEntry, CorpusError, Document, Passage, PassageKind
from retrieval.predicted_queries import PredictedFor, PredictedQueries

#: Where a model's are written, in `Settings.predicted_dir`.
WRITTEN_FILE = "written.jsonl"
#: Words of a recommendation that the model reads.
_READ_WORDS = 200
_MAX_TOKENS = 400
_TIMEOUT_S = 120.0
_TOLD = (
    "You write search queries. You are given one recommendation of a clinical guideline. Write three questions that a "
    "clinician could type and that this recommendation answers: first a plain question of 8 to 16 words that names the "
    "condition; then one of 12 to 26 words in the shorthand of a ward, about an invented patient (age and sex like "
    "67M, abbreviations) whom the recommendation fits; then one of 8 to 18 words that describes the condition by "
    "findings, a brand or lay words instead of naming it. Never state the answer, and never copy five words in a row. "
    'Reply with a JSON object and nothing else: {"queries": ["...", "...", "..."]}'
)
_SCHEMA: dict[str, object] = {
    "type": "object",
    "properties": {
        "queries": {
            "type": "array",
            "items": {"type": "string", "minLength": 3, "maxLength": 400},
            "minItems": 3,
            "maxItems": 3,
        }
    },
    "required": ["queries"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class WritingDone:
    """What came of a run."""

    #: Recommendations that queries were written for.
    written: int
    #: Those for which the model gave nothing that can be used; the next run asks again.
    failed: int


def without_predicted(
    entries: Iterable[CorpusEntry], predicted: PredictedQueries
) -> tuple[tuple[Passage, Document], ...]:
    """The recommendations of a library that no query is predicted for."""
    return tuple(
        (passage, entry.document)
        for entry in entries
        for passage in entry.passages
        if passage.kind is PassageKind.RECOMMENDATION and passage.id not in predicted
    )


async def write_queries(
    recommendations: Sequence[tuple[Passage, Document]],
    model: ModelClient,
    directory: Path,
    *,
    concurrency: int = 8,
    report: Callable[[int, int], None] = lambda _done, _total: None,
    clock: Clock | None = None,
) -> WritingDone:
    """Have a model write queries and append them to `WRITTEN_FILE` in `directory`, which is made.

    Each line is written as a whole when its recommendation is done, so a run that was stopped goes on where it was.

    Args:
        concurrency: recommendations asked for at once.
        report: called with recommendations done and recommendations in all.

    Raises:
        ModelUnavailableError: the server cannot be reached, also not after three attempts.
        ModelStatusError: it refuses: a wrong key, a model it does not have. What was written before stays.
        CorpusError: the disk failed.
    """
    _cut_unfinished(directory / WRITTEN_FILE)
    waiting = iter(recommendations)
    caller = RetryingCaller(clock or SystemClock())
    done = written = 0

    async def work() -> None:
        nonlocal done, written
        for passage, document in waiting:
            line = await _written(passage, document, model, caller)
            if line is not None:
                _append(directory / WRITTEN_FILE, line)
                written += 1
            done += 1
            report(done, len(recommendations))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(work())
    except* (ModelUnavailableError, ModelStatusError, CorpusError) as failed:
        raise failed.exceptions[0] from None
    return WritingDone(written=written, failed=len(recommendations) - written)


def _asked(passage: Passage, document: Document) -> CompletionRequest:
    headings = " > ".join(passage.section)
    text = " ".join(passage.citable_text.split()[:_READ_WORDS])
    told = f"Guideline: {document.title}\nHeadings: {headings}\nRecommendation: {text}"
    return CompletionRequest(
        messages=(Message(role="system", content=_TOLD), Message(role="user", content=told)),
        max_tokens=_MAX_TOKENS,
        json_schema=_SCHEMA,
    )


async def _written(
    passage: Passage, document: Document, model: ModelClient, caller: RetryingCaller
) -> PredictedFor | None:
    """What a model writes for a recommendation; None where it fails or its reply holds no queries."""
    request = _asked(passage, document)
    try:
        completion, _ = await caller.call(lambda left: model.complete(request, left), _TIMEOUT_S)
    except ModelUnavailableError:
        raise
    except ModelError as error:
        if isinstance(error, ModelStatusError) and not error.retryable:
            raise
        return None
    reply = completion.text
    try:
        held = json.loads(reply[reply.index("{") : reply.rindex("}") + 1])
        return PredictedFor(passage=passage.id, queries=held["queries"])
    except (ValueError, TypeError, KeyError):
        return None


def _cut_unfinished(path: Path) -> None:
    """Take off what a stopped run wrote of its last line."""
    try:
        with path.open("r+b") as file:
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)
    except FileNotFoundError:
        return
    except OSError as error:
        raise CorpusError(f"could not write {path.name}: {error.strerror}") from error


def _append(path: Path, line: PredictedFor) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(line.model_dump_json() + "\n")
    except OSError as error:
        raise CorpusError(f"could not write {path.name}: {error.strerror}") from error
