"""Preference rows of two whole runs of one question that saw different evidence.

What was retrieved stands between the samples, so each side carries a mask that is 1 on sampled tokens only. TRL's own
collator has no such mask and would train on retrieved text: these rows are for `clinsearch train dpo`, which has one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent import Rollout
from training.export.outcomes import good_and_bad
from training.export.rendering import Renderer
from training.export.rows import Export, ExportReport, Refusal, Row, provenance
from training.export.supervised import IGNORED, whole_run
from training.judging import DEFAULT_LIMITS, Fault, Limits, Questions

#: All but those that say nothing of what the model chose, or are not for training.
_TAUGHT = frozenset(Fault) - {Fault.NO_CONSENT, Fault.EVALUATION, Fault.FAILED}


def trajectory_pairs(
    rollouts: Iterable[Rollout],
    questions: Questions,
    renderer: Renderer,
    limits: Export,
    report: ExportReport,
    rules: Limits = DEFAULT_LIMITS,
) -> Iterator[Row]:
    """`{"prompt_ids", "chosen_ids", "rejected_ids", "chosen_mask", "rejected_mask"}`, at most one a rejected run."""
    good, bad = good_and_bad(rollouts, questions, rules, _TAUGHT, report)
    for key in sorted(good):
        # One good run against each bad one, in turn: no run is chosen far more often than another.
        for number, rejected in enumerate(bad.get(key, ())):
            chosen = good[key][number % len(good[key])]
            better, worse = whole_run(chosen, renderer), whole_run(rejected, renderer)
            if better is None or worse is None:
                report.refused[Refusal.NO_STEPS] += 1
                continue
            (ids, labels), (other_ids, other_labels) = better, worse
            if max(len(ids), len(other_ids)) > limits.max_tokens:
                report.refused[Refusal.TOO_LONG] += 1
                continue
            # Up to where either was first sampled, the two saw the same.
            start = min(_first_sampled(labels), _first_sampled(other_labels))
            if ids[:start] != other_ids[:start]:
                report.refused[Refusal.OTHER_PROMPT] += 1
                continue
            if ids == other_ids:
                continue
            report.rows += 1
            yield {
                "prompt_ids": ids[:start],
                "chosen_ids": ids[start:],
                "rejected_ids": other_ids[start:],
                "chosen_mask": [int(label != IGNORED) for label in labels[start:]],
                "rejected_mask": [int(label != IGNORED) for label in other_labels[start:]],
                "kind": "trajectory",
                "provenance": provenance(chosen) | {"rejected_rollout_id": rejected.rollout_id},
            }


def _first_sampled(labels: list[int]) -> int:
    return next(at for at, label in enumerate(labels) if label != IGNORED)
