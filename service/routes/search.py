"""Search and the passages behind citations, without the model."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request

from agent import Citation
from service.policy import PolicyInfo
from service.routes.common import PROBLEM, service_of
from service.schemas import SearchBody, SearchHit, SearchResponse, SourceInfo, Suggestions, SuggestionsBody
from service.searching import MAX_ID_CHARS, found, passage_named, suggested

router = APIRouter(tags=["search"])


@router.post("/v1/search")
async def search(request: Request, body: SearchBody) -> SearchResponse:
    """Find recommendations: hybrid BM25 and dense search, best first."""
    result = await found(service_of(request), body)
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


@router.get(
    "/v1/passages/{passage_id:path}",
    responses={
        404: {**PROBLEM, "description": "There is no such passage in this index."},
        410: {**PROBLEM, "description": "The passage was withdrawn; the detail says when and why."},
    },
)
async def passage(request: Request, passage_id: Annotated[str, Path(max_length=MAX_ID_CHARS)]) -> Citation:
    """One passage with its document; the number is always 1. 410 with the reason where it was withdrawn."""
    return Citation.of(1, await passage_named(service_of(request), passage_id))


@router.post("/v1/suggestions")
async def suggestions(request: Request, body: SuggestionsBody) -> Suggestions:
    """Questions that may be asked after an answer, at most three, without the model.

    Each is made of what a guideline says of one recommendation, and is given only where a search for it finds that
    recommendation first.
    """
    return Suggestions(suggestions=await suggested(service_of(request), body))


@router.get("/v1/regions")
async def regions(request: Request) -> tuple[str, ...]:
    """The regions that the index holds guidance of: country codes, "EU" or "INT"."""
    return service_of(request).agent.searcher.regions


@router.get("/v1/policy")
async def policy(request: Request) -> PolicyInfo:
    """The organisation's policy in force: its version and hash, whom it answers, what is searched and always said."""
    return PolicyInfo.of(service_of(request).agent)


@router.get("/v1/sources")
async def sources(request: Request) -> tuple[SourceInfo, ...]:
    """The sources that can be searched: those of the settings that the index holds documents of."""
    return tuple(SourceInfo.of(source) for source in service_of(request).agent.searcher.sources)
