"""A small synthetic corpus, and one call that carries a question through the agent with a scripted model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

import pytest

from agent import (
    AgentSettings,
    ClinicalAgent,
    Clock,
    Event,
    EvidenceEvent,
    MemoryJournal,
    Message,
    ModelClient,
    Question,
    Rollout,
    RunSummary,
    ScriptedModel,
    SentenceEvent,
    SystemClock,
)
from agent.scripted import Script
from retrieval import (
    CorpusEntry,
    Document,
    DocumentId,
    Hit,
    HybridSearcher,
    Passage,
    PassageId,
    PassageKind,
    Searcher,
    SearchRequest,
    SearchResult,
    Source,
    SourceId,
    StoreError,
    Withdrawal,
    memory_searcher,
)

QUESTION = "First-line antibiotic for an adult with uncomplicated lower urinary tract infection?"
UTI = (
    "For a non-pregnant woman with lower urinary tract infection, a first choice is nitrofurantoin "
    "modified-release 100 mg by mouth twice daily for 3 days."
)
UTI_WARNING = "eGFR below 45 ml/min/1.73 m2"


def document(name: str) -> Document:
    return Document(
        id=DocumentId(name),
        source=SourceId("guidelines"),
        title=f"Guideline on {name}",
        publisher="Example College",
        region="GB",
        published="2018-10",
        url=f"https://example.org/{name}",
        notice="Demonstration digest, not for patient care.",
    )


def passage(
    document_id: str,
    number: int,
    text: str,
    *,
    section: str,
    population: str | None = None,
    contraindications: tuple[str, ...] = (),
    strength: str | None = None,
) -> Passage:
    return Passage(
        id=PassageId(f"{document_id}/{number}"),
        document_id=DocumentId(document_id),
        kind=PassageKind.RECOMMENDATION,
        section=(section,),
        text=text,
        population=population,
        contraindications=contraindications,
        strength=strength,
    )


def entries() -> tuple[CorpusEntry, ...]:
    uti, asthma, cough = "lower-urinary-tract-infection", "acute-asthma", "acute-cough"
    return (
        CorpusEntry(
            document=document(uti),
            passages=(
                passage(
                    uti,
                    1,
                    UTI,
                    section="Lower urinary tract infection",
                    population="Non-pregnant women aged 16 and over",
                    contraindications=(UTI_WARNING, "G6PD deficiency"),
                    strength="Grade A",
                ),
                passage(
                    uti,
                    2,
                    "In pregnancy, an alternative for lower urinary tract infection is cefalexin 500 mg by mouth "
                    "twice daily for 7 days. Do not use trimethoprim in the first trimester.",
                    section="Lower urinary tract infection",
                ),
            ),
        ),
        CorpusEntry(
            document=document(asthma),
            passages=(
                passage(
                    asthma,
                    1,
                    "Give an adult with acute severe asthma salbutamol 5 mg by oxygen-driven nebuliser.",
                    section="Acute asthma",
                ),
                passage(
                    asthma,
                    2,
                    "Add ipratropium bromide 0.5 mg (500 micrograms) every 4 to 6 hours to nebulised salbutamol in an "
                    "adult with acute severe asthma.",
                    section="Acute asthma",
                ),
            ),
        ),
        CorpusEntry(
            document=document(cough),
            passages=(
                passage(
                    cough,
                    1,
                    "Do not offer an antibiotic for acute bronchitis to a person who is otherwise well.",
                    section="Acute cough",
                ),
            ),
        ),
    )


def hit(text: str, rank: int = 1, **fields: object) -> Hit:
    """A hit on a passage of its own, for tests of the gate."""
    made = passage("made", rank, text, section=str(fields.pop("section", "Made up")))
    return Hit(rank=rank, score=1 / rank, passage=made.model_copy(update=fields), document=document("made"))


@dataclass(frozen=True)
class Asked:
    """Everything one run left behind."""

    summary: RunSummary
    events: list[Event]
    rollout: Rollout
    model: ModelClient

    @property
    def sentences(self) -> list[str]:
        return [sentence.text for sentence in self.summary.answer.sentences]


class FailingSearcher:
    """A search engine that fails after some searches."""

    def __init__(self, inner: HybridSearcher, works: int = 0, passages_work: bool = True) -> None:
        self._inner = inner
        self._works = works
        self._passages_work = passages_work
        self.requests: list[SearchRequest] = []

    @property
    def sources(self) -> tuple[Source, ...]:
        return self._inner.sources

    @property
    def index_version(self) -> str:
        return self._inner.index_version

    def search(self, request: SearchRequest) -> SearchResult:
        self.requests.append(request)
        if len(self.requests) > self._works:
            raise StoreError("the disk is gone")
        return self._inner.search(request)

    def passage(self, id: PassageId) -> tuple[Passage, Document] | None:
        if not self._passages_work:
            raise StoreError("the disk is gone")
        return self._inner.passage(id)

    def hit(self, id: PassageId, home_region: str | None = None) -> Hit | None:
        if not self._passages_work:
            raise StoreError("the disk is gone")
        return self._inner.hit(id, home_region)

    def withdrawal(self, id: PassageId) -> Withdrawal | None:
        return self._inner.withdrawal(id)


class SkippingClock(SystemClock):
    """The machine's clock, put forward by what should be slept: pauses between attempts count and are not waited."""

    def __init__(self) -> None:
        self._skipped = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self._skipped

    async def sleep(self, seconds: float) -> None:
        self._skipped += seconds
        await asyncio.sleep(0)


AskFunction = Callable[..., Awaitable[Asked]]


def assert_consistent(events: Iterable[Event], summary: RunSummary) -> None:
    """What holds for every run whatever the model did: evidence first, one end, only gated sentences."""
    sent: set[int] = set()
    shown = []
    kinds = [event.type for event in events]
    assert kinds[-1] == "done"
    assert kinds.count("done") == 1
    for event in events:
        if isinstance(event, EvidenceEvent):
            assert event.citation.number == len(sent) + 1
            sent.add(event.citation.number)
        if isinstance(event, SentenceEvent):
            assert event.sentence.citations, "a sentence without a source was shown"
            assert set(event.sentence.citations) <= sent, "a sentence was shown before its evidence"
            shown.append(event.sentence)
    assert tuple(shown) == summary.answer.sentences
    assert {citation.number for citation in summary.answer.citations} == sent


def assert_alternating(messages: Iterable[Message]) -> None:
    """What every chat template needs: one system message, then user and assistant in turn."""
    roles = [message.role for message in messages]
    assert roles[0] == "system"
    expected = ["user" if i % 2 == 0 else "assistant" for i in range(len(roles) - 1)]
    assert roles[1:] == expected


@pytest.fixture(scope="session")
def searcher() -> HybridSearcher:
    return memory_searcher(entries())


@pytest.fixture
def ask(searcher: HybridSearcher) -> AskFunction:
    """Ask with scripted replies; checks what must hold for every run."""

    async def run(
        replies: Iterable[Script] | ModelClient,
        question: Question | str = QUESTION,
        *,
        settings: AgentSettings | None = None,
        clock: Clock | None = None,
        using: Searcher | None = None,
    ) -> Asked:
        clock = clock or SkippingClock()
        model = ScriptedModel(replies, clock=clock) if isinstance(replies, Iterable) else replies
        journal = MemoryJournal()
        agent = ClinicalAgent(model, using or searcher, journal, settings=settings, clock=clock)
        events: list[Event] = []

        async def emit(event: Event) -> None:
            events.append(event)

        asked = question if isinstance(question, Question) else Question(text=question)
        summary = await agent.ask(asked, emit)
        assert_consistent(events, summary)
        (rollout,) = journal.rollouts
        assert_alternating(rollout.messages)
        assert rollout.rollout_id == summary.rollout_id
        return Asked(summary, events, rollout, model)

    return run
