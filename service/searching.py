"""Search and the passages behind citations, without the model: the same for every way into the service."""

from __future__ import annotations

from fastapi.concurrency import run_in_threadpool

from agent import Audience, QuestionError, clean_question
from agent.suggesting import Suggestion, follow_ups
from retrieval import (
    Hit,
    HomeRegion,
    PassageId,
    RetrievalError,
    SearchRequest,
    SearchResult,
    UnknownSourceError,
    source_named,
)
from service.container import Service
from service.policy import searcher_wanted
from service.problems import ProblemError
from service.schemas import SearchBody, SuggestionsBody

#: Longest id of a passage.
MAX_ID_CHARS = 500


def check_source(service: Service, source: str | None, audience: Audience | None = None) -> None:
    """Refuse an audience that is not answered here, and a source that does not exist for it. Raises ProblemError."""
    sources = searcher_wanted(service.agent, audience).sources
    if source is None:
        return
    try:
        source_named(source, sources)
    except UnknownSourceError as error:
        raise ProblemError(422, error.code, str(error)) from error


async def found(service: Service, body: SearchBody) -> SearchResult:
    """What a search finds, best first. Raises ProblemError."""
    try:
        query = clean_question(body.query)
    except QuestionError as error:
        raise ProblemError(
            422, error.code.replace("question", "query"), str(error).replace("question", "query")
        ) from error
    check_source(service, body.source, body.audience)
    wanted = SearchRequest(queries=(query,), filters=body.filters(), home_region=body.home_region, limit=body.limit)
    try:
        return await run_in_threadpool(searcher_wanted(service.agent, body.audience).search, wanted)
    except RetrievalError as error:
        raise unavailable(error) from error


async def passage_named(service: Service, passage_id: str, home_region: HomeRegion | None = None) -> Hit:
    """One passage with its document.

    Raises:
        ProblemError: 410 with the reason where it was withdrawn, 404 where there is none.
    """
    searcher, name = service.agent.searcher, PassageId(passage_id)
    try:
        withdrawal = await run_in_threadpool(searcher.withdrawal, name)
        hit = await run_in_threadpool(searcher.hit, name, home_region)
    except RetrievalError as error:
        raise unavailable(error) from error
    if withdrawal is not None:
        raise ProblemError(
            410,
            "passage_withdrawn",
            f"This passage was withdrawn on {withdrawal.at:%Y-%m-%d} and must not be used: {withdrawal.why}",
        )
    if hit is None:
        raise ProblemError(404, "passage_not_found", "There is no such passage in this index.")
    return hit


async def suggested(service: Service, body: SuggestionsBody) -> tuple[Suggestion, ...]:
    """Questions that may be asked after an answer. Raises ProblemError."""
    check_source(service, body.source, body.audience)
    try:
        return await run_in_threadpool(
            follow_ups,
            searcher_wanted(service.agent, body.audience),
            body.passage_ids,
            body.found_ids,
            filters=body.filters(),
            home_region=body.home_region,
        )
    except RetrievalError as error:
        raise unavailable(error) from error


def unavailable(error: RetrievalError) -> ProblemError:
    """What a client is told where the search failed."""
    return ProblemError(
        503, error.code, "The guidelines could not be searched just now. Try again in a moment.", retry_after_s=2
    )
