"""Rows for supervised training: as messages, as exact tokens, and prompts alone.

Loss falls on sampled tokens only. Evidence, questions and earlier turns are context.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent import Message, Rollout
from agent.rollout import RolloutStep
from training.export.rendering import Renderer
from training.export.rows import Export, ExportReport, Refusal, Row, provenance

#: What a trainer leaves out of the loss.
IGNORED = -100


def message_rows(
    rollouts: Iterable[Rollout], renderer: Renderer, limits: Export, report: ExportReport
) -> Iterator[Row]:
    """`{"messages"}`, one row a run, for `assistant_only_loss=True` with this project's template."""
    for rollout in _consented(rollouts, report):
        steps = _kept_steps(rollout)
        if not steps:
            report.refused[Refusal.NO_STEPS] += 1
            continue
        if any(step.explored for step in rollout.steps):
            report.refused[Refusal.EXPLORED] += 1
            continue
        if any(message.role == "assistant" for message in rollout.messages[: steps[0].prompt_messages]):
            report.refused[Refusal.EARLIER_TURNS] += 1
            continue
        messages = rollout.messages[: steps[-1].prompt_messages + 1]
        length = len(renderer.prompt(messages[:-1])) + len(renderer.sample(messages[-1].content))
        if length > limits.max_tokens:
            report.refused[Refusal.TOO_LONG] += 1
            continue
        report.rows += 1
        yield {"messages": [_turn(message) for message in messages], "provenance": provenance(rollout)}


def token_rows(rollouts: Iterable[Rollout], renderer: Renderer, limits: Export, report: ExportReport) -> Iterator[Row]:
    """`{"input_ids", "labels"}`: the server's own ids where it reported them, else rendered the same way.

    Steps share a row where the next prompt begins with exactly what came before it, prompt and sample.
    """
    for rollout in _consented(rollouts, report):
        steps = _kept_steps(rollout)
        if not steps:
            report.refused[Refusal.NO_STEPS] += 1
        for ids, labels in _merged(rollout, steps, renderer):
            if len(ids) > limits.max_tokens:
                report.refused[Refusal.TOO_LONG] += 1
                continue
            report.rows += 1
            yield {"input_ids": ids, "labels": labels, "provenance": provenance(rollout)}


def prompt_rows(rollouts: Iterable[Rollout], renderer: Renderer, limits: Export, report: ExportReport) -> Iterator[Row]:
    """`{"prompt"}`: what the first step of a run saw, for methods that sample by themselves."""
    for rollout in _consented(rollouts, report):
        if not rollout.steps:
            report.refused[Refusal.NO_STEPS] += 1
            continue
        prompt = rollout.messages[: rollout.steps[0].prompt_messages]
        if len(renderer.prompt(prompt)) > limits.max_tokens:
            report.refused[Refusal.TOO_LONG] += 1
            continue
        report.rows += 1
        yield {"prompt": [_turn(message) for message in prompt], "provenance": provenance(rollout)}


def sampled_ids(rollout: Rollout, step: RolloutStep, renderer: Renderer) -> tuple[list[int], list[int]]:
    """Prompt ids and sampled ids of one step."""
    prompt = (
        list(step.prompt_token_ids)
        if step.prompt_token_ids is not None
        else renderer.prompt(rollout.messages[: step.prompt_messages])
    )
    text = rollout.messages[step.prompt_messages].content
    return prompt, list(step.token_ids) if step.token_ids is not None else renderer.sample(text)


def whole_run(rollout: Rollout, renderer: Renderer) -> tuple[list[int], list[int]] | None:
    """Ids and labels of a run as one row; None where a later prompt does not begin with what came before it."""
    parts = list(_merged(rollout, _kept_steps(rollout), renderer))
    return parts[0] if len(parts) == 1 else None


def _merged(rollout: Rollout, steps: list[RolloutStep], renderer: Renderer) -> Iterator[tuple[list[int], list[int]]]:
    ids: list[int] = []
    labels: list[int] = []
    for step in steps:
        prompt, sampled = sampled_ids(rollout, step, renderer)
        if ids and prompt[: len(ids)] != ids:
            yield ids, labels
            ids, labels = [], []
        context = prompt[len(ids) :]
        ids = ids + context + sampled
        labels = labels + [IGNORED] * len(context) + sampled
    if ids:
        yield ids, labels


def _consented(rollouts: Iterable[Rollout], report: ExportReport) -> Iterator[Rollout]:
    for rollout in rollouts:
        if rollout.provenance.training_consent:
            yield rollout
        else:
            report.refused[Refusal.NO_CONSENT] += 1


def _kept_steps(rollout: Rollout) -> list[RolloutStep]:
    """Steps to learn from whose reply stands in the messages; one that was cut off before it was recorded has none."""
    return [
        step
        for step in rollout.steps
        if not step.explored
        and step.prompt_messages < len(rollout.messages)
        and rollout.messages[step.prompt_messages].role == "assistant"
    ]


def _turn(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}
