"""The three tools: what they are called, what they say of themselves, and how each is carried out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from pydantic import BaseModel

from agent import Citation, DoneEvent, ErrorEvent, RunSummary, SentenceEvent, StepEvent, WithheldEvent
from service.container import Service
from service.mcp.arguments import RecommendationBody, taken
from service.mcp.results import AskResult, Recommendation, SearchResults
from service.problems import ProblemError
from service.runs import check_slots, question_of, run_events
from service.schemas import QuestionBody, SearchBody
from service.searching import found, passage_named

#: Says one plain sentence to a client that wants to know how a call goes on.
Report = Callable[[str], Awaitable[None]]
Arguments = Mapping[str, object]


@dataclass(frozen=True)
class GuidelineTool:
    """One tool. None of them changes anything but the record of runs."""

    name: str
    title: str
    #: For the model that chooses between tools.
    description: str
    takes: type[BaseModel]
    returns: type[BaseModel]
    #: Carries a call out. Raises ProblemError.
    call: Callable[[Service, Arguments, Report], Awaitable[BaseModel]]
    #: Whether the same call gives the same result, as far as the guidelines are the same.
    repeatable: bool = True


async def search_guidelines(service: Service, arguments: Arguments, _: Report) -> SearchResults:
    """Recommendations on a subject, without the model."""
    return SearchResults.of(await found(service, taken(SearchBody, arguments)))


async def get_recommendation(service: Service, arguments: Arguments, _: Report) -> Recommendation:
    """One recommendation by its id."""
    body = taken(RecommendationBody, arguments)
    return Recommendation.of(Citation.of(1, await passage_named(service, body.id, body.home_region)))


async def ask(service: Service, arguments: Arguments, report: Report) -> AskResult:
    """A question, carried through by the agent; ends with the call, however that ends."""
    question = question_of(service, taken(QuestionBody, arguments))
    check_slots(service)
    result: RunSummary | None = None
    async with aclosing(run_events(service, service.agent, question)) as events:
        async for event in events:
            if isinstance(event, StepEvent):
                await report(event.step.summary)
            elif isinstance(event, SentenceEvent):
                await report("A sentence was verified.")
            elif isinstance(event, WithheldEvent):
                await report("A sentence could not be verified and is withheld.")
            elif isinstance(event, DoneEvent):
                result = event.result
            elif isinstance(event, ErrorEvent):
                raise ProblemError(500, event.code, event.message)
    assert result is not None
    return AskResult.of(result)


TOOLS = (
    GuidelineTool(
        name="search_guidelines",
        title="Search clinical guidelines",
        description=(
            "Finds recommendations in clinical guidelines and returns them whole, best first, with strength, "
            "certainty, population, contraindications, publisher, date, region, status and the address of the "
            "original. Fast; no model writes anything. Use it to see what guidelines say on a subject, or to compare "
            "publishers."
        ),
        takes=SearchBody,
        returns=SearchResults,
        call=search_guidelines,
    ),
    GuidelineTool(
        name="get_recommendation",
        title="Open a recommendation",
        description=(
            "Opens one recommendation by its id, whole, with its status today. Fails, and says when and why, where it "
            "was withdrawn: it must not be used then."
        ),
        takes=RecommendationBody,
        returns=Recommendation,
        call=get_recommendation,
    ),
    GuidelineTool(
        name="ask",
        title="Ask a clinical question",
        description=(
            "Answers one clinical question from guidelines. An agent searches and writes; each sentence returned was "
            "checked against the recommendation it cites. May also ask back, list what was found without an answer, or "
            "say that the guidelines hold none: see kind. Can take a minute."
        ),
        takes=QuestionBody,
        returns=AskResult,
        call=ask,
        repeatable=False,
    ),
)
