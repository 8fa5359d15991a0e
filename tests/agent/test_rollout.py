"""A rollout is the audit trail and the training row: what is missing or changed there cannot be got back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
from pydantic import ValidationError

from agent import AgentSettings, Budget, ManualClock, Rollout, ScriptedModel, StopReason, new_rollout_id
from agent.actions import ActionKind
from agent.client import Completion, CompletionRequest, TextDelta, TokenLogprob, Usage
from agent.prompts import prompt_sha256
from agent.scripted import ANSWER, Reply, Script, cite_first, search
from agent.version import PRODUCER
from retrieval import HybridSearcher, PassageId
from retrieval.documents import sha256_of

from .conftest import QUESTION, AskFunction


class TokenModel(ScriptedModel):
    """A scripted model that reports tokens as vLLM does."""

    async def complete(self, request: CompletionRequest, timeout_s: float) -> Completion:
        return self._with_tokens(request, await super().complete(request, timeout_s))

    async def stream(self, request: CompletionRequest, timeout_s: float) -> AsyncIterator[TextDelta | Completion]:
        async for item in super().stream(request, timeout_s):
            yield self._with_tokens(request, item) if isinstance(item, Completion) else item

    @staticmethod
    def _with_tokens(request: CompletionRequest, completion: Completion) -> Completion:
        prompt = tuple(range(10 * len(request.messages)))
        pieces = re.findall(r"\w+|\W+", completion.text)
        logprobs = tuple(TokenLogprob(token=piece, logprob=-0.25, top=((piece, -0.25),)) for piece in pieces)
        return completion.model_copy(
            update={
                "prompt_token_ids": prompt,
                "token_ids": tuple(range(len(pieces))),
                "logprobs": logprobs if request.json_schema is not None else None,
                "usage": Usage(prompt_tokens=len(prompt), cached_tokens=0, completion_tokens=len(pieces)),
                "ttft_ms": None if request.json_schema is not None else 3.0,
            }
        )


SCRIPT: tuple[Script, ...] = (Reply(search("cystitis drug"), delay_s=0.5), ANSWER, cite_first)


@pytest.fixture
async def rollout(ask: AskFunction) -> Rollout:
    clock = ManualClock()
    asked = await ask(TokenModel(SCRIPT, clock=clock), clock=clock)
    return asked.rollout


async def test_a_run_is_recorded_whole(rollout: Rollout, searcher: HybridSearcher) -> None:
    assert [step.kind for step in rollout.steps] == ["decide", "decide", "answer"]
    assert [step.i for step in rollout.steps] == [0, 1, 2]
    for step in rollout.steps:
        assert step.prompt_token_ids
        assert step.token_ids
        assert step.usage.prompt_tokens == len(step.prompt_token_ids)
        assert step.finish_reason == "stop"
    assert [step.action for step in rollout.steps] == ["search", "answer", None]
    assert rollout.steps[0].t.total_ms == 500
    assert rollout.steps[2].t.ttft_ms == 3.0
    decided = rollout.steps[0].probabilities
    assert decided is not None
    assert decided.raw[ActionKind.SEARCH] == pytest.approx(0.7788, abs=0.001)
    assert [message.role for message in rollout.messages][-1] == "assistant"
    (entry,) = rollout.retrieval
    assert entry.step == 0
    assert entry.queries == (QUESTION, "cystitis drug")
    assert entry.index_version == searcher.index_version
    for found in entry.hits:
        held = searcher.passage(PassageId(found.passage_id))
        assert held is not None
        assert found.text_sha256 == sha256_of(held[0].citable_text)
        assert f"[{found.key}]" in rollout.messages[3].content
    assert [verdict.shown for verdict in rollout.verdicts] == [True]
    assert rollout.answer is not None
    assert rollout.answer.sentences[0].text == rollout.verdicts[0].text
    assert rollout.outcome.status == "completed"
    assert rollout.outcome.searches == 1
    assert rollout.policy.model == "scripted"
    assert rollout.policy.prompt_sha256 == prompt_sha256()
    assert rollout.provenance.producer == PRODUCER
    assert rollout.provenance.training_consent is False, "nothing may be trained on unless it was agreed to"
    assert rollout.labels.thumbs is None
    assert rollout.duration_ms == 500


async def test_a_record_reads_back_the_same(rollout: Rollout) -> None:
    text = rollout.model_dump_json()
    assert "\n" not in text
    assert '"schema":"rollout.v1"' in text
    again = Rollout.model_validate_json(text)
    assert again == rollout
    assert again.model_dump_json() == text


async def test_token_ids_a_server_does_not_report_are_none_invariant_6(ask: AskFunction) -> None:
    found = (await ask([search("cystitis"), ANSWER, cite_first])).rollout
    for step in found.steps:
        assert step.prompt_token_ids is None
        assert step.token_ids is None
        assert step.logprobs is None
        assert step.probabilities is None
        assert step.usage.prompt_tokens is None


async def test_a_token_budget_is_counted_from_what_the_server_reports(ask: AskFunction) -> None:
    asked = await ask(
        TokenModel([search(f"words {i}") for i in range(9)]), settings=AgentSettings(budget=Budget(tokens=100))
    )
    assert asked.summary.stop_reason is StopReason.BUDGET_EXHAUSTED
    assert len(asked.rollout.steps) < 4


async def test_an_unknown_field_or_version_is_refused(rollout: Rollout) -> None:
    fields = rollout.model_dump(mode="json")
    for change in ({"schema": "rollout.v2"}, {"surprise": 1}):
        with pytest.raises(ValidationError):
            Rollout.model_validate(fields | change)


def test_ids_sort_by_time_and_do_not_repeat() -> None:
    ids = [new_rollout_id() for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert all(re.fullmatch(r"[0-7][0-9A-HJKMNP-TV-Z]{25}", id) for id in ids)
    assert [id[:10] for id in ids] == sorted(id[:10] for id in ids)
