"""Which judged runs go into a training set: few of each question, the kinds in the shares asked for.

Runs are read twice, once to judge them and once to copy those kept, and never held: a journal may be larger than
the memory. What is held is a line's worth of figures on each good run.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from agent import Rollout, RolloutId
from retrieval import NOTHING_WITHDRAWN, Withdrawn
from retrieval.documents import sha256_of
from training.judging import Fault, Limits, Questions, fault, question_of

#: Real use has no kind.
REAL_USE = "real_use"


@dataclass(frozen=True, slots=True)
class Selection:
    """The runs kept, and why the others were not."""

    kept: frozenset[RolloutId]
    faults: Mapping[str, int]
    kinds: Mapping[str, int]
    #: Good runs left out because their question has enough, or to keep the shares, or that came twice.
    surplus: int

    def of(self, rollouts: Iterable[Rollout]) -> Iterator[Rollout]:
        """The runs kept, in the order in which they are read again, each once."""
        wanted = set(self.kept)
        for rollout in rollouts:
            if rollout.rollout_id in wanted:
                wanted.remove(rollout.rollout_id)
                yield rollout


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


@dataclass(frozen=True, slots=True)
class _Good:
    """What is kept in mind of a good run."""

    id: RolloutId
    kind: str
    #: Fewer searches first, then fewer words.
    cost: tuple[int, int]
    #: Breaks ties and mixes: a hash of the record's key.
    order: str


def select(
    rollouts: Iterable[Rollout],
    questions: Questions,
    rules: Rules = DEFAULT_RULES,
    withdrawn: Withdrawn = NOTHING_WITHDRAWN,
) -> Selection:
    """Judge every run once and name the best of each question.

    The order of the input does not matter for which are kept: ties are broken by a hash of the record's key.
    """
    faults: Counter[Fault] = Counter()
    good: dict[tuple[str, str], dict[RolloutId, _Good]] = defaultdict(dict)
    surplus = 0
    for rollout in rollouts:
        question = question_of(rollout, questions)
        found = fault(rollout, question, rules.limits, withdrawn)
        if found is not None:
            faults[found] += 1
            continue
        kind = question.kind.value if question else REAL_USE
        runs_of = good[kind, rollout.task_key]
        if rollout.rollout_id in runs_of:
            surplus += 1
            continue
        runs_of[rollout.rollout_id] = _Good(rollout.rollout_id, kind, _cost(rollout), _order(rollout))
    by_kind: dict[str, list[_Good]] = defaultdict(list)
    for (kind, _), held in sorted(good.items()):
        runs = sorted(held.values(), key=lambda run: (run.cost, run.order, run.id))
        by_kind[kind] += runs[: rules.per_question]
        surplus += len(runs[rules.per_question :])
    kept: list[_Good] = []
    room = _room(by_kind, rules.shares)
    for kind, runs in sorted(by_kind.items()):
        runs.sort(key=lambda run: (run.order, run.id))
        kept += runs[: room.get(kind, len(runs))]
        surplus += max(0, len(runs) - room.get(kind, len(runs)))
    return Selection(
        frozenset(run.id for run in kept),
        {str(fault): count for fault, count in faults.items()},
        dict(Counter(run.kind for run in kept)),
        surplus,
    )


def _room(by_kind: Mapping[str, Sequence[_Good]], shares: Mapping[str, float]) -> dict[str, int]:
    """The most runs of each kind such that the shares hold; a kind without a share gets none."""
    if not shares:
        return {}
    whole = min((len(by_kind.get(kind, ())) / share for kind, share in shares.items() if share > 0), default=0)
    return {kind: int(whole * shares.get(kind, 0.0) + 1e-9) for kind in {*by_kind, *shares}}


def _cost(rollout: Rollout) -> tuple[int, int]:
    sentences = rollout.answer.sentences if rollout.answer else ()
    return rollout.outcome.searches, sum(len(s.text) for s in sentences)


def _order(rollout: Rollout) -> str:
    return sha256_of([rollout.task_key, rollout.rep])
