"""The search step: the model's query and, in the first search of a source, the clinician's own words."""

from __future__ import annotations

import asyncio

from agent import spans
from agent.choosing import LOOKED_AT, evidence_of
from agent.client import Message
from agent.disagreements import opposing
from agent.evidence import Evidence
from agent.patient import applies, conflicts_of, with_unsaid
from agent.prompts import NOTHING_FOUND_LINE, REPEATED_LINE, evidence_message
from agent.rollout import RetrievalEntry, RetrievedPassage
from agent.run import Run
from agent.sufficiency import AskedWords, signs_of
from retrieval import Hit, Passage, SearchRequest, SourceId, StoreError
from retrieval.documents import sha256_of

#: Below the gap between two neighbouring ranks of one leg (1/61 - 1/62), so that it decides only between equals.
UNTRAINED_QUERY_WEIGHT = 0.001
#: Hits among which one that disagrees with the evidence is looked for.
LOOKED_FOR_DISAGREEMENTS = 20


async def search(run: Run, source: str, query: str | None) -> None:
    """Run one search and put what is new into the messages as evidence.

    `query` is None when the service searches by itself, with the clinician's words alone. An
    identical search is refused with a hint instead of being run again.

    Raises:
        RetrievalError: the search could not be run.
    """
    started = run.clock.monotonic()
    own_words = run.question.own_words
    signature = (source, " ".join((query or own_words).casefold().split()))
    if signature in run.seen_searches:
        run.repeated_searches += 1
        if run.messages[-1].role == "assistant":
            run.messages.append(Message(role="user", content=REPEATED_LINE))
        await run.step("search", "Skipped a search that was already made.", started, found=0)
        return
    run.seen_searches.add(signature)
    first = source not in {entry.source for entry in run.retrieval}
    run.searches += 1
    most = run.settings.evidence_per_search
    own_query = with_unsaid(own_words, run.patient) if first or query is None else None
    queries = tuple(dict.fromkeys(q for q in (own_query, query) if q))
    with spans.span(spans.SEARCH) as span:
        request = SearchRequest(
            queries=queries,
            # What a model writes that was not trained to write queries may only break ties.
            later_weight=UNTRAINED_QUERY_WEIGHT if run.settings.search_first and first else 1.0,
            filters=run.question.filters.model_copy(update={"source": SourceId(source)}),
            home_region=run.question.home_region,
            limit=max(LOOKED_AT, most),
        )
        try:
            async with asyncio.timeout(min(run.settings.search_timeout_s, max(run.spending.remaining_s, 0.001))):
                result = await asyncio.to_thread(run.searcher.search, request)
        except TimeoutError as error:
            raise StoreError("the search did not end in time") from error

        def fits(passage: Passage) -> bool:
            return applies(conflicts_of(run.patient, passage))

        chosen = evidence_of(result, own_words, most, fits=fits)
        near = [hit for hit in result.hits[:LOOKED_FOR_DISAGREEMENTS] if not hit.below_floor]
        signs = signs_of(own_words, result.hits, chosen)
        if signs is not None:
            run.signs.append(signs)
        against = await asyncio.to_thread(opposing, chosen, near)
        span.set_attribute(spans.HITS, len(chosen))
    # What is found and off the subject is neither shown nor given to the model.
    left_out = sum(hit.below_floor for hit in result.hits[:most])
    new: list[Evidence] = []
    logged = []
    for hit in chosen:
        evidence, is_new = run.book.add(hit)
        if is_new or evidence in run.beside:
            new.append(evidence)
        logged.append(_logged(evidence.key, hit))
    run.beside = [item for item in run.beside if item not in new]
    so_far = [item for item in run.book.all() if item not in run.beside]
    for hit in against:
        evidence, is_new = run.book.add(hit)
        if is_new:
            run.beside.append(evidence)
            logged.append(_logged(evidence.key, hit, beside=True))
    run.retrieval.append(
        RetrievalEntry(
            step=run.steps[-1].i if query is not None and run.steps else None,
            source=source,
            queries=queries,
            index_version=result.index_version,
            hits=tuple(logged),
            below_floor=left_out,
            signs=signs,
            reranked=result.reranked,
            total_ms=result.total_ms,
        )
    )
    if run.messages[-1].role == "assistant":
        # Otherwise no model waits for it: the model failed before it replied, and roles must alternate.
        asked = AskedWords(own_words)
        found = evidence_message(new, asked=asked, so_far=so_far)
        run.messages.append(found if new else Message(role="user", content=NOTHING_FOUND_LINE))
    count = len(chosen)
    await run.step(
        "search",
        f"Searched {source}: {count} recommendation{'' if count == 1 else 's'} found, {len(new)} new."
        + (f" {left_out} off the subject left out." if left_out else "")
        # A filter by date must not leave guidance out in silence.
        + (f" {result.undated_left_out} without a date left out." if result.undated_left_out else ""),
        started,
        queries=queries,
        found=count,
    )


def _logged(key: str, hit: Hit, *, beside: bool = False) -> RetrievedPassage:
    return RetrievedPassage(
        document_id=hit.document.id,
        passage_id=hit.passage.id,
        key=key,
        rank=hit.rank,
        score=hit.score,
        bm25_rank=hit.bm25_rank,
        dense_rank=hit.dense_rank,
        text_sha256=sha256_of(hit.passage.citable_text),
        beside=beside,
    )
