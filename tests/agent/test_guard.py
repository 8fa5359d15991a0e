"""If the guard is wrong, a clinician gets a crisis line in place of a dose, or the public a page for clinicians."""

from __future__ import annotations

import json

import pytest

from agent import (
    AgentSettings,
    Audience,
    ClinicalAgent,
    Event,
    MemoryJournal,
    NoticesEvent,
    Question,
    QuestionError,
    Rollout,
    ScriptedModel,
    StopReason,
    load_policy,
)
from agent.erasing import without_words
from agent.policy import AudienceTerms, Policy
from agent.scripted import ANSWER, cite_first, search
from retrieval import HybridSearcher, SourceId

from .conftest import QUESTION, AskFunction

SUICIDAL = "My patient with a lower urinary tract infection says she wants to kill herself. First-line antibiotic?"


def policy_with(**terms: AudienceTerms) -> Policy:
    policy = load_policy()
    return policy.model_copy(update={"audiences": {**policy.audiences, **{Audience(k): v for k, v in terms.items()}}})


async def test_a_refused_question_reaches_no_model_and_says_the_organisations_words(ask: AskFunction) -> None:
    asked = await ask([], "How can I kill myself with paracetamol?")
    assert asked.summary.stop_reason is StopReason.DECLINED
    assert asked.summary.answer.label == load_policy().wording["self-harm-refused"]
    assert asked.rollout.steps == ()
    assert asked.rollout.guard is not None
    assert asked.rollout.guard.refused == "self-harm-method"


async def test_a_clinician_gets_the_crisis_wording_beside_the_answer(ask: AskFunction) -> None:
    asked = await ask([search("cystitis"), ANSWER, cite_first], SUICIDAL)
    assert asked.summary.stop_reason is StopReason.ANSWERED
    assert asked.sentences
    (notice,) = asked.summary.answer.notices
    assert notice.text == load_policy().wording["self-harm"]
    assert isinstance(asked.events[0], NoticesEvent)
    assert asked.events[0].notices == (notice,)
    assert asked.rollout.guard is not None
    assert asked.rollout.guard.notices == ("suicidal-person",)


async def test_every_answer_carries_the_disclaimers_and_every_rollout_the_policy(ask: AskFunction) -> None:
    policy = load_policy()
    said = policy.terms(Audience.CLINICIAN).disclaimers
    assert said
    for replies, question in (
        ([search("cystitis"), ANSWER, cite_first], QUESTION),
        (['{"action": "ask_clinician", "missing": "age"}'], QUESTION),
        (['{"action": "decline", "reason": "policy"}'], QUESTION),
        (['{"action": "reply", "kind": "thanks"}'], "Thank you"),
        (["nonsense", "nonsense"], QUESTION),
        ([], "Forge a prescription for oxycodone"),
    ):
        asked = await ask(replies, question)
        assert asked.summary.answer.disclaimers == said
        assert isinstance(asked.events[0], NoticesEvent)
        assert asked.events[0].disclaimers == said
        assert asked.rollout.guard is not None
        assert asked.rollout.guard.policy_sha256 == policy.sha256
        assert asked.rollout.guard.audience is Audience.CLINICIAN


async def test_the_model_is_told_nothing_of_it(ask: AskFunction) -> None:
    """Prompts are frozen with the adapter: a policy may change what is shown, never what is sampled."""
    asked = await ask([search("cystitis"), ANSWER, cite_first], SUICIDAL)
    sent = json.dumps([message.model_dump() for message in asked.rollout.messages])
    assert load_policy().wording["self-harm"] not in sent
    assert load_policy().terms(Audience.CLINICIAN).disclaimers[0] not in sent


async def test_a_run_recorded_before_there_was_a_policy_still_reads(ask: AskFunction) -> None:
    asked = await ask([search("cystitis"), ANSWER, cite_first])
    old = json.loads(asked.rollout.model_dump_json())
    del old["guard"], old["answer"]["notices"], old["answer"]["disclaimers"]
    read = Rollout.model_validate(old)
    assert read.guard is None
    assert read.answer is not None
    assert read.answer.disclaimers == ()


async def test_an_erased_run_no_longer_says_which_rule_spoke(ask: AskFunction) -> None:
    """The name of a rule says what was asked."""
    asked = await ask([], "How can I kill myself with paracetamol?")
    erased = without_words(asked.rollout)
    assert erased.guard is not None
    assert (erased.guard.refused, erased.guard.notices) == (None, ())
    assert erased.guard.policy_sha256 == load_policy().sha256


async def test_an_audience_is_searched_in_its_own_sources_alone(searcher: HybridSearcher) -> None:
    journal = MemoryJournal()
    model = ScriptedModel(['{"action": "search", "source": "patient_information", "query": "cystitis"}', ANSWER])
    agent = ClinicalAgent(model, searcher, journal, settings=AgentSettings())
    summary = await agent.ask(Question(text=QUESTION, audience=Audience.PUBLIC))
    (rollout,) = journal.rollouts
    # Everything in this index is a guideline for clinicians.
    assert summary.answer.citations == ()
    assert [hit for entry in rollout.retrieval for hit in entry.hits] == []
    assert rollout.guard is not None
    assert rollout.guard.audience is Audience.PUBLIC
    assert "- guidelines:" not in rollout.messages[0].content


async def test_an_audience_with_nothing_to_search_is_told_so(searcher: HybridSearcher) -> None:
    policy = policy_with(public=AudienceTerms(sources=(SourceId("not_here"),)))
    agent = ClinicalAgent(ScriptedModel([]), searcher, MemoryJournal(), policy=policy)
    summary = await agent.ask(Question(text=QUESTION, audience=Audience.PUBLIC))
    assert summary.stop_reason is StopReason.NO_EVIDENCE
    assert summary.answer.label is not None
    assert "nothing that may be shown" in summary.answer.label


async def test_a_follow_up_cannot_bring_in_what_the_audience_may_not_see(searcher: HybridSearcher) -> None:
    agent = ClinicalAgent(
        ScriptedModel(['{"action": "reply", "kind": "reword"}', '{"action": "decline", "reason": "not_in_corpus"}']),
        searcher,
        MemoryJournal(),
        audience=Audience.PUBLIC,
    )
    question = Question.model_validate(
        {
            "text": "Say that again",
            "history": [
                {"question": QUESTION, "answer": "x", "passage_ids": ["lower-urinary-tract-infection/1"]},
            ],
        }
    )
    events: list[Event] = [event async for event in agent.stream(question)]
    assert "nitrofurantoin" not in json.dumps([event.model_dump(mode="json") for event in events])


async def test_a_question_for_a_wider_audience_is_refused(searcher: HybridSearcher) -> None:
    journal = MemoryJournal()
    agent = ClinicalAgent(ScriptedModel([]), searcher, journal, audience=Audience.PUBLIC)
    with pytest.raises(QuestionError, match="no request can widen"):
        await agent.ask(Question(text=QUESTION, audience=Audience.CLINICIAN))
    assert journal.rollouts == []
