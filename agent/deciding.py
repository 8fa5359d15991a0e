"""The decide step: one constrained, non-streamed call, read tolerantly, repaired once."""

from __future__ import annotations

from dataclasses import dataclass

from agent import spans
from agent.actions import Action, ActionKind, UnusableActionError, action_schema, parse_action
from agent.client import Completion, CompletionRequest, Message
from agent.errors import ModelNonsenseError
from agent.probabilities import action_probabilities
from agent.prompts import REPAIR_LINE, neutral
from agent.retry import RetryingCaller
from agent.rollout import RolloutStep
from agent.run import Run

TOP_LOGPROBS = 20
_BEGINNING = {kind: f'{{"action": "{kind}' for kind in ActionKind}


@dataclass(frozen=True)
class SourceChoice:
    """The sources of a run that the model is offered, and those that it may name all the same."""

    offered: tuple[str, ...]
    permitted: tuple[str, ...]


async def decide_action(run: Run, sources: SourceChoice) -> Action:
    """Ask the model for its next action and record the call; the action's text joins the messages.

    A server that takes no schema knows nothing of what is offered.

    Raises:
        ModelError: the server failed, or its reply was no permitted action after one repair.
    """
    permitted = run.permitted
    schema = action_schema(permitted, sources.offered)
    choosing = {ActionKind.ANSWER, ActionKind.DECLINE} <= set(permitted)
    lean = {
        _BEGINNING[ActionKind.ANSWER]: run.settings.caution.lean_after(run.signs),
        _BEGINNING[ActionKind.DECLINE]: 0.0,
    }
    caller = RetryingCaller(run.clock, run.settings.attempts)
    problem = ""
    for kind in ("decide", "repair"):
        request = CompletionRequest(
            messages=tuple(run.messages),
            max_tokens=run.settings.decide_max_tokens,
            temperature=run.settings.temperature,
            seed=run.settings.seed,
            json_schema=schema,
            lean=lean if choosing else {},
            top_logprobs=TOP_LOGPROBS,
        )
        timeout = min(run.settings.call_timeout_s, max(run.spending.remaining_s, 0.001))
        with spans.span(spans.DECIDE, **{spans.MODEL: run.client.identity.model}) as span:
            completion, attempts = await caller.call(lambda left, r=request: run.client.complete(r, left), timeout)  # type: ignore[misc]
            spans.set_usage(span, completion.usage)
            try:
                action: Action | None = parse_action(completion.text, permitted, sources.permitted)
            except UnusableActionError as error:
                action, problem = None, str(error)
            if action is not None:
                span.set_attribute(spans.ACTION, action.action.value)
        _record(run, kind, completion, attempts, action)
        if action is not None:
            return action
        run.messages.append(Message(role="user", content=REPAIR_LINE.format(problem=problem)))
    # The repair line asked for a reply that never came; take it back so roles still alternate.
    run.messages.pop()
    raise ModelNonsenseError(f"the model gave no usable action: {problem}")


def _record(run: Run, kind: str, completion: Completion, attempts: int, action: Action | None) -> None:
    run.spending.add(completion.usage)
    run.spending.steps += 1
    run.steps.append(
        RolloutStep.of(
            completion,
            i=len(run.steps),
            kind="decide" if kind == "decide" else "repair",
            prompt_messages=len(run.messages),
            attempts=attempts,
            permitted=run.permitted,
            action=action.action if action else None,
            probabilities=action_probabilities(completion.logprobs, run.permitted),
        )
    )
    # What it sampled as text must not come back to it as the template's own markers.
    run.messages.append(Message(role="assistant", content=neutral(completion.text)))
