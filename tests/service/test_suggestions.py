"""What the page offers beside an answer: questions to ask next, regions to choose from, what a run was limited to."""

from __future__ import annotations

import httpx2

from agent import MemoryJournal
from agent.scripted import ByTurn
from service.container import Service

from .conftest import QUESTION, ServiceFactory, client_of, corpus

FEVER = "test/example-fever/dose"
RASH = "test/sample-rash/dose"


async def test_what_was_found_beside_an_answer_may_be_asked_next(http: httpx2.AsyncClient, service: Service) -> None:
    """Otherwise a clinician has to guess what else the guidelines hold."""
    offered = await http.post("/v1/suggestions", json={"passage_ids": [FEVER], "found_ids": [RASH]})
    assert offered.status_code == 200
    offer = {"question": "Sample rash: treatment in adults?", "passage_id": RASH}
    assert offered.json() == {"suggestions": [offer]}
    answer = (await http.post("/v1/ask", json={"question": offer["question"]})).json()["answer"]
    assert RASH in [citation["passage_id"] for citation in answer["citations"]]


async def test_a_suggestion_keeps_to_the_filters_and_asks_no_model(make_service: ServiceFactory) -> None:
    """Otherwise a question is offered whose answer the filters shut out, or somebody pays for it."""
    service = make_service()
    async with client_of(service) as http:
        body = {"passage_ids": [FEVER], "found_ids": [RASH], "regions": ["US"]}
        assert (await http.post("/v1/suggestions", json=body)).json() == {"suggestions": []}
    assert isinstance(service.journal, MemoryJournal)
    assert service.journal.rollouts == []


async def test_what_suggestions_cannot_be_made_of_is_refused(http: httpx2.AsyncClient) -> None:
    refused: tuple[dict[str, object], ...] = (
        {},
        {"passage_ids": []},
        {"passage_ids": [FEVER], "source": "narnia"},
        {"passage_ids": ["x"] * 21},
    )
    for body in refused:
        assert (await http.post("/v1/suggestions", json=body)).status_code == 422, body


async def test_the_regions_that_can_be_chosen_are_those_that_are_held(make_service: ServiceFactory) -> None:
    """Otherwise the page offers a filter that finds nothing, or none for guidance that is there."""
    first, second = corpus()
    moved = second.model_copy(update={"document": second.document.model_copy(update={"region": "United States"})})
    async with client_of(make_service(entries=[first, moved])) as http:
        assert (await http.get("/v1/regions")).json() == ["GB", "US"]


async def test_an_answer_says_what_the_search_was_limited_to(http: httpx2.AsyncClient) -> None:
    """Otherwise a narrow search reads as if everything had been looked through, tomorrow more than today."""
    limited = await http.post("/v1/ask", json={"question": QUESTION, "regions": ["GB"], "source": "guidelines"})
    assert limited.json()["limited_to"] == ["source guidelines", "region GB"]
    assert (await http.post("/v1/ask", json={"question": QUESTION})).json()["limited_to"] == []


async def test_a_kept_answer_is_labelled_for_where_its_reader_works(make_service: ServiceFactory) -> None:
    """Otherwise guidance from elsewhere loses its label when the page is loaded again."""
    async with client_of(make_service(ByTurn("examplicillin dose"))) as http:
        await http.get("/")
        talk = (await http.post("/v1/conversations", json={})).json()["id"]
        await http.post("/v1/ask", json={"question": QUESTION, "conversation_id": talk, "home_region": "US"})

        async def labels(**parameters: str) -> set[str]:
            kept = await http.get(f"/v1/conversations/{talk}", params=parameters)
            assert kept.status_code == 200, kept.text
            citations = kept.json()["asked"][0]["result"]["answer"]["citations"]
            return {label for citation in citations for label in citation["labels"]}

        assert await labels(home_region="US") == {"From another region."}
        assert await labels(home_region="GB") == set()
        assert (await http.get(f"/v1/conversations/{talk}", params={"home_region": "Narnia"})).status_code == 422
