"""Search and the passages behind citations, without the model."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.concurrency import run_in_threadpool

from agent import Citation, QuestionError, clean_question
from retrieval import PassageId, RetrievalError, SearchRequest
from service.problems import ProblemError
from service.routes.common import check_source, service_of
from service.schemas import SearchBody, SearchHit, SearchResponse, SourceInfo

router = APIRouter(tags=["search"])


@router.post("/v1/search")
async def search(request: Request, body: SearchBody) -> SearchResponse:
    """Find recommendations: hybrid BM25 and dense search, best first."""
    service = service_of(request)
    try:
        query = clean_question(body.query)
    except QuestionError as error:
        raise ProblemError(
            422, error.code.replace("question", "query"), str(error).replace("question", "query")
        ) from error
    check_source(service, body.source)
    wanted = SearchRequest(queries=(query,), filters=body.filters(), home_region=body.home_region, limit=body.limit)
    try:
        result = await run_in_threadpool(service.agent.searcher.search, wanted)
    except RetrievalError as error:
        raise _unavailable(error) from error
    return SearchResponse(
        hits=tuple(
            SearchHit(
                rank=h.rank,
                score=h.score,
                citation=Citation.of(h.rank, h),
                relevance=h.relevance,
                below_floor=h.below_floor,
            )
            for h in result.hits
        ),
        index_version=result.index_version,
        total_ms=result.total_ms,
        undated_left_out=result.undated_left_out,
    )


@router.get("/v1/passages/{passage_id:path}")
async def passage(request: Request, passage_id: Annotated[str, Path(max_length=500)]) -> Citation:
    """One passage with its document; the number is always 1. 410 with the reason where it was withdrawn."""
    searcher = service_of(request).agent.searcher
    try:
        withdrawal = await run_in_threadpool(searcher.withdrawal, PassageId(passage_id))
        found = await run_in_threadpool(searcher.hit, PassageId(passage_id))
    except RetrievalError as error:
        raise _unavailable(error) from error
    if withdrawal is not None:
        raise ProblemError(
            410,
            "passage_withdrawn",
            f"This passage was withdrawn on {withdrawal.at:%Y-%m-%d} and must not be used: {withdrawal.why}",
        )
    if found is None:
        raise ProblemError(404, "passage_not_found", "There is no such passage in this index.")
    return Citation.of(1, found)


@router.get("/v1/sources")
async def sources(request: Request) -> tuple[SourceInfo, ...]:
    """The sources that can be searched: those of the settings that the index holds documents of."""
    return tuple(SourceInfo.of(source) for source in service_of(request).agent.searcher.sources)


def _unavailable(error: RetrievalError) -> ProblemError:
    return ProblemError(
        503, error.code, "The guidelines could not be searched just now. Try again in a moment.", retry_after_s=2
    )
