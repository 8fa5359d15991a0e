"""Superseded, expired, foreign and withdrawn guidance in a run. If these fail, a clinician is not told."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from agent import (
    AgentSettings,
    AnswerKind,
    Citation,
    ClinicalAgent,
    Event,
    EvidenceEvent,
    Journal,
    Question,
    ScriptedModel,
    SentenceEvent,
    StopReason,
    Turn,
    answers_citing,
    wording,
)
from agent.client import CompletionRequest
from agent.evidence import Evidence
from agent.prompts import evidence_message
from agent.scripted import ANSWER, cite_first, search
from retrieval import (
    DocumentId,
    GuidanceStatus,
    HybridSearcher,
    PassageId,
    SearchFilters,
    Withdrawal,
    Withdrawals,
    memory_searcher,
)

from .conftest import QUESTION, AskFunction, FailingSearcher, entries, hit
from .conftest import UTI as RECOMMENDATION

UTI = DocumentId("lower-urinary-tract-infection")


def withdrawal(name: str = UTI, kind: str = "document", passages: tuple[str, ...] = ()) -> Withdrawal:
    return Withdrawal.model_validate(
        {
            "kind": kind,
            "id": name,
            "why": "The dose is wrong.",
            "who": "x",
            "at": datetime.now(UTC),
            "passages": passages,
        }
    )


@pytest.mark.parametrize(
    ("fields", "labels", "heading"),
    [
        ({}, (), "Example College, 2018 | "),
        ({"status": "expired"}, ("Expired: its review date (2020-03) has passed.",), "2018 | expired | "),
        (
            {"status": "superseded", "superseded_by": "newer", "from_elsewhere": True},
            ("Superseded: a newer version of this guideline is in the index.", "From another region."),
            "2018 | superseded, from another region: GB | ",
        ),
        (
            {"status": "superseded", "newer_withdrawn": True},
            ("Superseded: the newer version of this guideline was withdrawn, so neither is current.",),
            "2018 | superseded, its newer version was withdrawn | ",
        ),
    ],
    ids=["current", "expired", "superseded-from-elsewhere", "superseded-by-withdrawn"],
)
def test_what_is_not_current_is_said_in_the_citation_and_to_the_model(
    fields: dict[str, object], labels: tuple[str, ...], heading: str
) -> None:
    made = hit("Give fluids.")
    document = made.document.model_copy(update={"review_by": "2020-03"})
    made = type(made).model_validate({**made.model_dump(), **fields, "document": document})
    citation = Citation.of(1, made)
    assert (citation.labels, citation.review_by, citation.published) == (labels, "2020-03", "2018-10")
    assert citation.status is made.status
    assert heading in evidence_message([Evidence("bcd", made)]).content


async def test_expired_guidance_answers_with_its_label(ask: AskFunction) -> None:
    dated = [
        entry.model_copy(update={"document": entry.document.model_copy(update={"review_by": "2020"})})
        for entry in entries()
    ]
    using = memory_searcher(dated, today=lambda: date(2021, 1, 1))
    asked = await ask([search("cystitis"), ANSWER, cite_first], using=using)
    (citation,) = asked.summary.answer.used
    assert citation.status is GuidanceStatus.EXPIRED
    assert citation.labels == ("Expired: its review date (2020) has passed.",)


async def test_filters_and_home_region_hold_in_every_search(ask: AskFunction, searcher: HybridSearcher) -> None:
    seen = FailingSearcher(searcher, works=9)
    filters = SearchFilters(published_from="2018", include_superseded=True)
    question = Question(text=QUESTION, filters=filters, home_region="NG")
    asked = await ask([search("a b"), search("c d"), ANSWER, cite_first], question, using=seen)
    assert len(seen.requests) == 2
    for request in seen.requests:
        assert request.home_region == "NG"
        assert request.filters.model_copy(update={"source": None}) == filters
    assert all("From another region." in citation.labels for citation in asked.summary.answer.citations)


class TestWithdrawnWhileItRuns:
    @pytest.fixture
    def withdrawals(self, tmp_path: Path) -> Withdrawals:
        return Withdrawals(tmp_path / "withdrawals.jsonl")

    @pytest.fixture
    def using(self, withdrawals: Withdrawals) -> HybridSearcher:
        return memory_searcher(entries(), withdrawals=withdrawals)

    async def test_a_sentence_that_rests_on_it_is_withheld(
        self, ask: AskFunction, using: HybridSearcher, withdrawals: Withdrawals
    ) -> None:
        """Found, shown to the model, then withdrawn before the model wrote."""

        def write(request: CompletionRequest) -> str:
            withdrawals.add(withdrawal())
            return cite_first(request)

        asked = await ask([search("cystitis nitrofurantoin"), ANSWER, write], using=using)
        assert asked.sentences == []
        assert UTI not in {citation.document_id for citation in asked.summary.answer.citations}

    async def test_what_was_shown_already_is_not_in_the_outcome(
        self, using: HybridSearcher, withdrawals: Withdrawals, tmp_path: Path
    ) -> None:
        """The sentence was streamed; the last event, which is the authority, no longer has it."""
        shown = []

        async def emit(event: Event) -> None:
            if isinstance(event, SentenceEvent):
                shown.append(event.sentence.text)
                withdrawals.add(withdrawal())

        with Journal(tmp_path / "rollouts") as journal:
            agent = ClinicalAgent(ScriptedModel([search("cystitis"), ANSWER, cite_first]), using, journal)
            summary = await agent.ask(Question(text=QUESTION), emit)
        assert len(shown) == 1
        assert summary.answer.sentences == ()
        assert UTI not in {citation.document_id for citation in summary.answer.citations}
        assert summary.answer.label == wording.WITHDRAWN_LABEL

    async def test_a_sentence_with_two_sources_goes_with_either(
        self, using: HybridSearcher, withdrawals: Withdrawals, tmp_path: Path
    ) -> None:
        """The second is withdrawn while the first is still being sent."""
        second = PassageId(f"{UTI}/2")

        async def emit(event: Event) -> None:
            if isinstance(event, EvidenceEvent):
                withdrawals.add(withdrawal(second, "passage", (second,)))

        def write(request: CompletionRequest) -> str:
            shown = "\n".join(message.content for message in request.messages)
            keys = [re.search(rf"\[(\w{{3}})\] .*{words}", shown) for words in ("nitrofurantoin", "cefalexin")]
            return f"{RECOMMENDATION[:-1]} [{keys[0][1]}] [{keys[1][1]}].\n" if keys[0] and keys[1] else ""

        with Journal(tmp_path / "rollouts") as journal:
            agent = ClinicalAgent(ScriptedModel([search("cystitis pregnancy"), ANSWER, write]), using, journal)
            summary = await agent.ask(Question(text=QUESTION), emit)
        assert len(withdrawals.now().standing) == 1
        assert summary.answer.sentences == ()

    async def test_listed_recommendations_leave_it_out(
        self, ask: AskFunction, using: HybridSearcher, withdrawals: Withdrawals
    ) -> None:
        def nonsense(_: CompletionRequest) -> str:
            withdrawals.add(withdrawal())
            return "Nothing that can be verified."

        asked = await ask([search("cystitis"), ANSWER, nonsense], using=using)
        assert asked.summary.answer.kind is AnswerKind.RECOMMENDATIONS
        assert asked.summary.answer.citations
        assert UTI not in {citation.document_id for citation in asked.summary.answer.citations}

    async def test_a_record_that_cannot_be_read_shows_nothing(
        self, ask: AskFunction, using: HybridSearcher, withdrawals: Withdrawals, tmp_path: Path
    ) -> None:
        withdrawals.add(withdrawal("acute-cough"))
        asked = await ask([_damages(tmp_path / "withdrawals.jsonl"), ANSWER, cite_first], using=using)
        assert asked.summary.stop_reason is StopReason.NO_EVIDENCE
        assert asked.summary.answer.citations == ()


def _damages(path: Path) -> Callable[[CompletionRequest], str]:
    def reply(_: CompletionRequest) -> str:
        path.write_text("{}\n", encoding="utf-8")
        return search("cystitis")

    return reply


async def test_an_answer_that_was_left_half_read_is_listed_too(searcher: HybridSearcher, tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        agent = ClinicalAgent(ScriptedModel([search("cystitis"), ANSWER, cite_first]), searcher, journal)

        read = asyncio.Event()

        async def emit(event: Event) -> None:
            if isinstance(event, SentenceEvent):
                read.set()
                await asyncio.Event().wait()

        asked = asyncio.create_task(agent.ask(Question(text=QUESTION), emit))
        await asyncio.wait_for(read.wait(), 10)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
    (listed,) = answers_citing(tmp_path, withdrawal())
    assert all(name.startswith(UTI) for name in listed.passage_ids)


async def test_past_answers_that_cited_it_are_listed(searcher: HybridSearcher, tmp_path: Path) -> None:
    alone = AgentSettings(also_listed=0)
    with Journal(tmp_path) as journal:
        model = ScriptedModel([search("cystitis"), ANSWER, cite_first])
        summary = await ClinicalAgent(model, searcher, journal, settings=alone).ask(Question(text=QUESTION))
        model = ScriptedModel([search("asthma ipratropium"), ANSWER, cite_first])
        other = ClinicalAgent(model, searcher, journal, settings=alone)
        await other.ask(Question(text="Nebulised salbutamol in acute severe asthma?"))
    (citation,) = summary.answer.used
    by_document = list(answers_citing(tmp_path, withdrawal()))
    assert [(found.rollout_id, found.passage_ids) for found in by_document] == [
        (summary.rollout_id, (citation.passage_id,))
    ]
    assert by_document[0].created_at
    passage = withdrawal(citation.passage_id, "passage", (citation.passage_id,))
    assert list(answers_citing(tmp_path, passage)) == by_document
    # A document that was updated since: the passage it had then is named by the act.
    assert list(answers_citing(tmp_path, withdrawal("gone", passages=(citation.passage_id,)))) == by_document
    assert list(answers_citing(tmp_path, withdrawal("nobody/9", "passage", ("nobody/9",)))) == []
    assert PassageId("nobody/9") not in {item for found in by_document for item in found.passage_ids}


async def test_a_reworded_answer_takes_the_home_region_of_the_question(ask: AskFunction) -> None:
    turn = Turn(question=QUESTION, answer="Earlier.", passage_ids=(PassageId(f"{UTI}/1"),))
    for home, elsewhere in (("GB", False), ("NG", True)):
        question = Question(text="Shorter please", history=(turn,), home_region=home)
        asked = await ask(['{"action": "reply", "kind": "shorten"}', cite_first], question)
        (citation,) = asked.summary.answer.used
        assert citation.from_elsewhere is elsewhere


@pytest.mark.parametrize(
    "replies", [[search("cystitis"), ANSWER], [search("cystitis"), '{"action": "decline", "reason": "not_in_corpus"}']]
)
async def test_a_filter_that_shuts_everything_out_is_named(ask: AskFunction, replies: list[str]) -> None:
    question = Question(text=QUESTION, filters=SearchFilters(publishers=("Exampel College",), regions=("UK",)))
    asked = await ask(replies, question)
    assert asked.summary.stop_reason is StopReason.NO_EVIDENCE
    label = asked.summary.answer.label or ""
    assert "within these filters: publisher Exampel College, region UK or GB." in label
    assert "no date" not in label


def test_without_filters_nothing_found_is_said_plainly() -> None:
    assert wording.nothing_found(SearchFilters()) == wording.NOTHING_FOUND
    assert "no date" in wording.nothing_found(SearchFilters(published_to="2020"))


async def test_guidance_without_a_date_is_not_left_out_in_silence(ask: AskFunction) -> None:
    undated = [
        entry.model_copy(update={"document": entry.document.model_copy(update={"published": None})})
        if entry.document.id == UTI
        else entry
        for entry in entries()
    ]
    question = Question(text=QUESTION, filters=SearchFilters(published_from="2018"))
    asked = await ask([search("cystitis"), ANSWER, cite_first], question, using=memory_searcher(undated))
    summaries = [step.summary for step in asked.summary.steps if "found" in step.summary]
    assert summaries
    assert all(summary.endswith(" 2 without a date left out.") for summary in summaries[:1])
