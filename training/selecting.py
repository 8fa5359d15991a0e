"""Which judged runs go into a training set: few of each question, the kinds in the shares asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from agent import Rollout
from retrieval.documents import sha256_of
from training.judging import Fault, Limits, Questions, fault, question_of

#: Real use has no kind.
REAL_USE = "real_use"


@dataclass(frozen=True, slots=True)
class Selection:
    """The runs kept, and why the others were not."""

    kept: tuple[Rollout, ...]
    faults: Mapping[str, int]
    kinds: Mapping[str, int]
    #: Good runs left out because their question has enough, or to keep the shares.
    surplus: int


@dataclass(frozen=True, slots=True)
class Rules:
    """How to select."""

    limits: Limits = field(default_factory=Limits)
    per_question: int = 1
    #: Share of each kind wanted, adding up to 1; empty keeps every good run.
    shares: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.shares and abs(sum(self.shares.values()) - 1) > 1e-6:
            raise ValueError("the shares of the kinds must add up to 1")


DEFAULT_RULES = Rules()


def select(rollouts: Iterable[Rollout], questions: Questions, rules: Rules = DEFAULT_RULES) -> Selection:
    """Judge every run once and keep the best of each question.

    The order of the input does not matter: ties are broken by a hash of the record's key.
    """
    faults: Counter[Fault] = Counter()
    good: dict[tuple[str, str], list[Rollout]] = defaultdict(list)
    for rollout in rollouts:
        question = question_of(rollout, questions)
        found = fault(rollout, question, rules.limits)
        if found is not None:
            faults[found] += 1
        else:
            good[(question.kind if question else REAL_USE, rollout.task_key)].append(rollout)
    by_kind: dict[str, list[Rollout]] = defaultdict(list)
    surplus = 0
    for (kind, _), runs in sorted(good.items()):
        runs.sort(key=_cost)
        by_kind[kind] += runs[: rules.per_question]
        surplus += len(runs[rules.per_question :])
    kept: list[Rollout] = []
    room = _room(by_kind, rules.shares)
    for kind, runs in sorted(by_kind.items()):
        runs.sort(key=_order)
        kept += runs[: room.get(kind, len(runs))]
        surplus += max(0, len(runs) - room.get(kind, len(runs)))
    kept.sort(key=_order)
    kinds = Counter(q.kind.value if (q := question_of(r, questions)) else REAL_USE for r in kept)
    return Selection(tuple(kept), {str(k): v for k, v in faults.items()}, dict(kinds), surplus)


def _room(by_kind: Mapping[str, Sequence[Rollout]], shares: Mapping[str, float]) -> dict[str, int]:
    """The most runs of each kind such that the shares hold; a kind without a share gets none."""
    if not shares:
        return {}
    whole = min((len(by_kind.get(kind, ())) / share for kind, share in shares.items() if share > 0), default=0)
    return {kind: int(whole * shares.get(kind, 0.0) + 1e-9) for kind in {*by_kind, *shares}}


def _cost(rollout: Rollout) -> tuple[int, int, str]:
    """Fewer searches first, then fewer words."""
    sentences = rollout.answer.sentences if rollout.answer else ()
    return rollout.outcome.searches, sum(len(s.text) for s in sentences), _order(rollout)


def _order(rollout: Rollout) -> str:
    return sha256_of([rollout.task_key, rollout.rep])
