"""Preference rows: two things said in one and the same state, of which one led to a good run.

Runs of one question are compared up to the first message in which they differ. Both saw the same prompt there, so
the pair teaches that decision, or that answer from the same evidence, and nothing that was retrieved. Evidence keys are
salted per run; the rejected run's keys are rewritten to the chosen run's before the two are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from agent import Message, Rollout
from training.export.outcomes import good_and_bad
from training.export.rendering import Renderer
from training.export.rows import Export, ExportReport, Refusal, Row, provenance
from training.judging import DEFAULT_LIMITS, Fault, Limits, Questions

#: Faults that a pair can teach against; the others say nothing about which words were worse.
_TAUGHT = frozenset(
    {
        Fault.WITHHELD,
        Fault.WRONG_END,
        Fault.GOLD_NOT_CITED,
        Fault.WRONG_CLARIFICATION,
        Fault.TOO_MANY_SEARCHES,
        Fault.NOT_PREFERRED,
    }
)
_KEY = re.compile(r"\[([a-z]{3})\]")


def divergence_pairs(
    rollouts: Iterable[Rollout],
    questions: Questions,
    renderer: Renderer,
    limits: Export,
    report: ExportReport,
    rules: Limits = DEFAULT_LIMITS,
) -> Iterator[Row]:
    """`{"prompt", "chosen", "rejected"}`, at most one pair for each rejected run."""
    good, bad = good_and_bad(rollouts, questions, rules, _TAUGHT, report)
    for key in sorted(good):
        for rejected in bad.get(key, ()):
            for chosen in good[key]:
                at = _divergence(chosen, rejected)
                if at is None:
                    continue
                prompt, better, worse = at
                longest = max(len(renderer.sample(text.content)) for text in (better, worse))
                if len(renderer.prompt(prompt)) + longest > limits.max_tokens:
                    report.refused[Refusal.TOO_LONG] += 1
                    continue
                report.rows += 1
                yield {
                    "prompt": [_turn(message) for message in prompt],
                    "chosen": [_turn(better)],
                    "rejected": [_turn(worse)],
                    "kind": "decision" if better.content.startswith("{") else "answer",
                    "provenance": provenance(chosen) | {"rejected_rollout_id": rejected.rollout_id},
                }
                break


def thumbs_rows(rollouts: Iterable[Rollout], renderer: Renderer, limits: Export, report: ExportReport) -> Iterator[Row]:
    """`{"prompt", "completion", "label"}`: the written answer of every run a person marked up or down."""
    for rollout in rollouts:
        if not rollout.provenance.training_consent:
            report.refused[Refusal.NO_CONSENT] += 1
            continue
        if rollout.labels.thumbs is None:
            report.refused[Refusal.NO_LABEL] += 1
            continue
        answers = [step for step in rollout.steps if step.kind in ("answer", "reword")]
        if not answers or answers[-1].prompt_messages >= len(rollout.messages):
            report.refused[Refusal.NO_STEPS] += 1
            continue
        prompt = rollout.messages[: answers[-1].prompt_messages]
        said = rollout.messages[answers[-1].prompt_messages]
        if len(renderer.prompt(prompt)) + len(renderer.sample(said.content)) > limits.max_tokens:
            report.refused[Refusal.TOO_LONG] += 1
            continue
        report.rows += 1
        yield {
            "prompt": [_turn(message) for message in prompt],
            "completion": [_turn(said)],
            "label": rollout.labels.thumbs == "up",
            "provenance": provenance(rollout),
        }


def _divergence(chosen: Rollout, rejected: Rollout) -> tuple[tuple[Message, ...], Message, Message] | None:
    """The shared prompt and the two messages that follow it, or None where it was not the model that differed."""
    renamed = _with_keys_of(chosen, rejected)
    for number, (better, worse) in enumerate(zip(chosen.messages, renamed, strict=False)):
        if better == worse:
            continue
        sampled = {step.prompt_messages for step in chosen.steps} & {step.prompt_messages for step in rejected.steps}
        if better.role == worse.role == "assistant" and number in sampled:
            return chosen.messages[:number], better, worse
        return None
    return None


def _with_keys_of(chosen: Rollout, rejected: Rollout) -> list[Message]:
    """The rejected run's messages under the chosen run's keys; a passage only it retrieved keeps its own."""
    ours = {hit.passage_id: hit.key for search in chosen.retrieval for hit in search.hits}
    names = {hit.key: ours.get(hit.passage_id, hit.key) for search in rejected.retrieval for hit in search.hits}

    def rename(match: re.Match[str]) -> str:
        return f"[{names.get(match[1], match[1])}]"

    return [Message(role=message.role, content=_KEY.sub(rename, message.content)) for message in rejected.messages]


def _turn(message: Message) -> dict[str, str]:
    return {"role": message.role, "content": message.content}
