"""The state of one run: what was asked, said, retrieved and spent. Nodes of the graph work on it.

It lives in this process for the length of the run and is handed to LangGraph as its context, so the
graph's own state stays one word: the node to go to next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.actions import Action, ActionKind
from agent.answer import Answer, Citation, Notice, StopReason, withheld_counts
from agent.budget import Budget, BudgetName, Spending
from agent.caution import Caution, Signs
from agent.client import Message, ModelClient
from agent.clock import Clock
from agent.disagreements import differences_between, disagreements_of
from agent.events import Emit, Event, EvidenceEvent, Failure, StepEvent, StepKind, StepSummary
from agent.evidence import Evidence, EvidenceBook
from agent.gate import SecondOpinion, Verdict, WithheldReason
from agent.patient import NOBODY, Conflict, PassageConflicts, Patient, applies, conflicts_of, rules_out, severity
from agent.policy import Judged, Policy
from agent.question import Question
from agent.rollout import RetrievalEntry, RolloutId, RolloutStep
from agent.wording import WITHDRAWN_LABEL
from retrieval import Hit, PassageId, Searcher, SourceRouter


@dataclass(frozen=True)
class AgentSettings:
    """What a deployment chooses about the loop."""

    budget: Budget = field(default_factory=Budget)
    #: Passages handed to the model per search.
    evidence_per_search: int = 5
    #: Searches after which the model must answer, ask or decline.
    max_searches: int = 4
    #: A longest query at one character a token, and the JSON around it.
    decide_max_tokens: int = 160
    #: Five quotations of common length; what is cut off is not shown.
    answer_max_tokens: int = 384
    #: Longest one model call may take, seconds.
    call_timeout_s: float = 30.0
    #: Longest one search may take, seconds: it takes milliseconds, and one that takes this long hangs.
    search_timeout_s: float = 15.0
    attempts: int = 3
    temperature: float = 0.0
    seed: int | None = None
    #: The model may only search first and then search or answer: for models not trained on the actions.
    search_first: bool = False
    #: A model that chooses sources is first offered those alone that are near the question, see `SourceRouter.near`.
    near_sources_first: bool = True
    #: False: the model decides, and the answer is the labelled recommendations themselves.
    write_answers: bool = True
    #: Taken from the log-odds of answering, once there is evidence: the more, the oftener the model searches again, or
    #: says that the corpus does not hold the answer, rightly and wrongly.
    caution: Caution = field(default_factory=Caution)
    #: The model writes its answer of the evidence's own statements, see `agent.quoting`; False: in words of its own.
    quote: bool = True
    #: Recommendations listed when the model's words are not used.
    listed_recommendations: int = 5
    #: Recommendations listed after an answer, of those that were found and that it does not rest on: a model may have
    #: chosen the second best.
    also_listed: int = 3


@dataclass
class Run:
    """One run in progress."""

    id: RolloutId
    question: Question
    settings: AgentSettings
    clock: Clock
    emit: Emit
    spending: Spending
    client: ModelClient
    searcher: Searcher
    #: Chooses the source where no trained model does.
    router: SourceRouter
    book: EvidenceBook
    messages: list[Message]
    #: What the last answer rested on; citable only when it is reworded.
    earlier: list[Hit]
    policy: Policy
    #: What the policy makes of the question.
    judged: Judged
    #: Asked about sentences in the model's own words; None: the gate's rules alone decide.
    second_opinion: SecondOpinion | None = None
    #: Read from the question and the questions before it; never from an answer.
    patient: Patient = NOBODY
    conflicts: dict[PassageId, tuple[Conflict, ...]] = field(default_factory=dict)
    steps: list[RolloutStep] = field(default_factory=list)
    retrieval: list[RetrievalEntry] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    summaries: list[StepSummary] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    #: What each search shows of whether it answers, those that brought something.
    signs: list[Signs] = field(default_factory=list)
    seen_searches: set[tuple[str, str]] = field(default_factory=set)
    repeated_searches: int = 0
    searches: int = 0
    citations: dict[PassageId, Citation] = field(default_factory=dict)
    #: Found beside the evidence and not shown to the model: recommendations that disagree with some of it.
    beside: list[Evidence] = field(default_factory=list)
    #: The source searched where no trained model chose one; set once.
    routed: str | None = None
    #: Set by `decide` for the node that carries the action out.
    pending: Action | None = None
    exhausted: BudgetName | None = None
    stop_reason: StopReason | None = None
    answer: Answer | None = None

    async def step(self, kind: StepKind, summary: str, started: float, **details: object) -> None:
        """Tell the client what was just done."""
        item = StepSummary.model_validate(
            {"kind": kind, "summary": summary, "duration_ms": (self.clock.monotonic() - started) * 1000, **details}
        )
        self.summaries.append(item)
        await self.emit(StepEvent(step=item))

    async def cite(self, evidence: Evidence) -> Citation:
        """The citation of a passage; its evidence is sent to the client the first time it is used."""
        known = self.citations.get(evidence.hit.passage.id)
        if known is not None:
            return known
        citation = Citation.of(len(self.citations) + 1, evidence.hit, self.conflicts_with(evidence))
        self.citations[evidence.hit.passage.id] = citation
        await self.send(EvidenceEvent(citation=citation))
        return citation

    async def cite_opposing(self) -> None:
        """Cite what was found that disagrees with what is cited, so that both stand side by side."""
        for evidence in self.beside:
            if not self.book.withdrawn(evidence.hit.passage.id) and any(
                differences_between(hit, evidence.hit) for _, hit in self._cited()
            ):
                await self.cite(evidence)

    def _cited(self) -> list[tuple[int, Hit]]:
        hits = {item.hit.passage.id: item.hit for item in self.book.all()}
        return [(citation.number, hits[name]) for name, citation in self.citations.items() if name in hits]

    def conflicts_with(self, evidence: Evidence) -> tuple[Conflict, ...]:
        """What a passage says that the patient does not fit."""
        passage = evidence.hit.passage
        if passage.id not in self.conflicts:
            self.conflicts[passage.id] = conflicts_of(self.patient, passage)
        return self.conflicts[passage.id]

    def fits(self, evidence: Evidence) -> bool:
        """Whether a passage may be given as the answer to a question about this patient."""
        return not rules_out(self.conflicts_with(evidence))

    def applies(self, evidence: Evidence) -> bool:
        """Whether a passage says something for this patient (`agent.patient.conflict.applies`)."""
        return applies(self.conflicts_with(evidence))

    def fitting_first(self, evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
        """The same, in the same order, but what says nothing for the patient behind the rest."""
        return tuple(sorted(evidence, key=lambda item: severity(self.conflicts_with(item))))

    @property
    def chose_what_does_not_fit(self) -> bool:
        """Whether all that the model wrote was withheld because it is not for the patient."""
        return bool(self.verdicts) and all(item.reason is WithheldReason.NOT_FOR_PATIENT for item in self.verdicts)

    @property
    def passage_conflicts(self) -> tuple[PassageConflicts, ...]:
        """The passages with conflicts, for the record."""
        return tuple(
            PassageConflicts(passage_id=name, conflicts=conflicts)
            for name, conflicts in self.conflicts.items()
            if conflicts
        )

    async def send(self, event: Event) -> None:
        """Send one event to the client."""
        await self.emit(event)

    def fail(self, code: str, message: str) -> None:
        """Note a failure that was handled."""
        self.failures.append(Failure(code=code, message=message))

    def finish(self, reason: StopReason, answer: Answer) -> None:
        """End the run with an answer; withheld sentences, citations and what the policy says are filled in here.

        What was withdrawn since it was cited goes, with every sentence that rests on it.
        """
        gone = {item.number for name, item in self.citations.items() if self.book.withdrawn(name)}
        whole = answer.model_copy(
            update={
                "notices": self.notices,
                "citations": tuple(self.citations.values()),
                "withheld": withheld_counts(self.verdicts),
                "disagreements": disagreements_of(self._cited()),
                "disclaimers": self.disclaimers,
            }
        )
        self.stop_reason = reason
        self.answer = whole.without(gone, WITHDRAWN_LABEL) if gone else whole

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What the policy says before the answer; two rules that say the same say it once."""
        said = {self.policy.wording[rule.say]: rule.id for rule in reversed(self.judged.notices)}
        return tuple(Notice(rule=said[text], text=text) for text in reversed(said))

    @property
    def disclaimers(self) -> tuple[str, ...]:
        """What the policy says with every answer."""
        return self.policy.terms(self.judged.audience).disclaimers

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that may be searched, by their ids."""
        return tuple(str(source.id) for source in self.searcher.sources)

    @property
    def found(self) -> tuple[tuple[Evidence, ...], ...]:
        """What each search brought, in its order, without what was withdrawn since."""
        return tuple(
            tuple(item for hit in entry.hits if not hit.beside and (item := self.book.resolve(hit.key)) is not None)
            for entry in self.retrieval
        )

    @property
    def permitted(self) -> tuple[ActionKind, ...]:
        """The actions possible now: an answer needs evidence, searches are bounded."""
        may_search = self.searches < self.settings.max_searches and self.repeated_searches < 2
        search = (ActionKind.SEARCH,) if may_search else ()
        answer = (ActionKind.ANSWER,) if len(self.book) else ()
        if self.settings.search_first:
            return (search + answer) or (ActionKind.DECLINE,)
        return (*search, *answer, ActionKind.ASK, ActionKind.DECLINE, ActionKind.REPLY)
