"""Untrained models do not choose sources, and what lies below the floor is not shown."""

from __future__ import annotations

from collections.abc import Sequence

from agent import AgentSettings, ClinicalAgent, MemoryJournal, Question, RunSummary, ScriptedModel
from agent.answer import StopReason
from agent.errors import ModelUnavailableError
from agent.scripted import ANSWER, Reply, Script, search
from retrieval import (
    CorpusEntry,
    EncoderError,
    Hit,
    HybridSearcher,
    SearchRequest,
    SearchResult,
    Source,
    SourceId,
    memory_searcher,
)
from tests.agent.conftest import QUESTION, AskFunction, assert_alternating, entries

UNTRAINED = AgentSettings(search_first=True, write_answers=False)
CODES = SourceId("codes")


class Routed:
    """A router that answers with one source, or fails."""

    def __init__(self, to: str | None, near: Sequence[str] = ("guidelines", "codes")) -> None:
        self.to = to
        self._near = near

    def choose(self, question: str, sources: Sequence[Source]) -> SourceId:
        if self.to is None:
            raise EncoderError("the weights are gone")
        return SourceId(self.to)

    def near(self, question: str, sources: Sequence[Source]) -> tuple[SourceId, ...]:
        if self.to is None:
            raise EncoderError("the weights are gone")
        return tuple(source.id for source in sources if source.id in self._near)


def with_codes() -> list[CorpusEntry]:
    """The guidelines, and one of them as an entry of the codes."""
    first, *rest = entries()
    return [first.model_copy(update={"document": first.document.model_copy(update={"source": CODES})}), *rest]


class Floored:
    """A searcher whose hits of some sources all lie below the floor."""

    def __init__(self, inner: HybridSearcher, below: set[str]) -> None:
        self._inner = inner
        self._below = below

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)

    def search(self, request: SearchRequest) -> SearchResult:
        result = self._inner.search(request)
        hits = tuple(self._marked(hit) for hit in result.hits)
        return result.model_copy(update={"hits": hits})

    def _marked(self, hit: Hit) -> Hit:
        return hit.model_copy(update={"relevance": 0.1, "below_floor": hit.document.source in self._below})


async def run(
    replies: Sequence[Script],
    to: str | None = "guidelines",
    below: Sequence[str] = (),
    settings: AgentSettings = UNTRAINED,
    near: Sequence[str] = ("guidelines", "codes"),
) -> tuple[RunSummary, MemoryJournal, ScriptedModel]:
    model, journal = ScriptedModel(replies), MemoryJournal()
    searcher = Floored(memory_searcher(with_codes()), set(below))
    agent = ClinicalAgent(model, searcher, journal, settings=settings, router=Routed(to, near))  # type: ignore[arg-type]
    summary = await agent.ask(Question(text=QUESTION))
    assert_alternating(journal.rollouts[0].messages)
    return summary, journal, model


async def test_an_untrained_model_cannot_send_a_dose_question_to_codes() -> None:
    _, journal, model = await run([search("dose", "codes"), search("dose", "codes")])
    assert [entry.source for entry in journal.rollouts[0].retrieval] == ["guidelines"]
    schema = model.requests[0].json_schema
    assert schema is not None
    assert "codes" not in str(schema)


async def test_a_trained_model_keeps_its_choice() -> None:
    _, journal, _ = await run([search("uti", "codes"), ANSWER], settings=AgentSettings(write_answers=False))
    assert [entry.source for entry in journal.rollouts[0].retrieval] == ["codes"]


def offered(model: ScriptedModel) -> list[list[str]]:
    """The sources that each decision could name."""
    schemas = [str(request.json_schema) for request in model.requests if request.json_schema is not None]
    return [[name for name in ("guidelines", "codes") if f"'{name}'" in schema] for schema in schemas]


async def test_a_trained_model_is_first_offered_what_is_near_and_then_everything() -> None:
    replies = [search("uti", "guidelines"), search("uti again", "codes"), ANSWER]
    _, journal, model = await run(replies, settings=AgentSettings(write_answers=False), near=["guidelines"])
    assert offered(model) == [["guidelines"], ["guidelines", "codes"], ["guidelines", "codes"]]
    assert journal.rollouts[0].policy.near_sources_first


async def test_a_model_may_be_offered_everything_at_once() -> None:
    settings = AgentSettings(write_answers=False, near_sources_first=False)
    _, journal, model = await run([search("uti", "codes"), ANSWER], settings=settings, near=["guidelines"])
    assert offered(model)[0] == ["guidelines", "codes"]
    assert not journal.rollouts[0].policy.near_sources_first


async def test_what_a_trained_model_names_without_being_offered_it_is_searched() -> None:
    """A server that takes no schema cannot know what is offered; asking again would only cost a call."""
    settings = AgentSettings(write_answers=False)
    _, journal, model = await run([search("uti", "codes"), ANSWER], settings=settings, near=["guidelines"])
    assert [entry.source for entry in journal.rollouts[0].retrieval] == ["codes"]
    assert len(model.requests) == 2


async def test_a_router_that_fails_offers_a_trained_model_everything() -> None:
    _, _, model = await run([search("uti", "codes"), ANSWER], to=None, settings=AgentSettings(write_answers=False))
    assert offered(model)[0] == ["guidelines", "codes"]


async def test_where_the_model_is_down_the_routed_source_is_searched() -> None:
    summary, journal, _ = await run([Reply(error=ModelUnavailableError("down"))], to="codes")
    assert [entry.source for entry in journal.rollouts[0].retrieval] == ["codes"]
    assert summary.stop_reason is StopReason.MODEL_FAILED


async def test_a_router_that_fails_leaves_the_first_source() -> None:
    _, journal, _ = await run([search("dose")], to=None)
    assert [entry.source for entry in journal.rollouts[0].retrieval] == ["guidelines"]


async def test_where_the_routed_source_has_nothing_on_the_subject_guidelines_are_searched_too() -> None:
    summary, journal, _ = await run([search("dose", "codes")], to="codes", below=["codes"])
    assert [entry.source for entry in journal.rollouts[0].retrieval] == ["codes", "guidelines"]
    assert journal.rollouts[0].retrieval[0].below_floor > 0
    assert summary.answer.citations


async def test_nothing_above_the_floor_is_no_evidence_and_says_so() -> None:
    summary, journal, _ = await run([search("dose")], below=["guidelines", "codes"])
    assert summary.stop_reason is StopReason.NO_EVIDENCE
    assert summary.answer.citations == ()
    assert len(journal.rollouts[0].retrieval) == 1
    (step,) = [step for step in summary.steps if step.kind == "search"]
    assert "off the subject left out" in step.summary


async def test_what_lies_below_the_floor_is_not_given_to_the_model(ask: AskFunction) -> None:
    floored = Floored(memory_searcher(entries()), {"guidelines"})
    asked = await ask([search("uti"), search("asthma"), ANSWER], using=floored)
    assert all("Evidence:" not in message.content for message in asked.rollout.messages)
    assert asked.summary.answer.citations == ()
