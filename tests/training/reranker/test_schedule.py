"""If these fail, a stopped run goes on with other steps than it would have had, or skips part of the data."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from training.reranker import Group, RerankerConfig
from training.reranker.groups import groups_hash
from training.reranker.schedule import schedule


def groups(count: int) -> tuple[Group, ...]:
    return tuple(
        Group(origin="written", question=f"question {n}", passages=("a" * (n % 7), "b", "c"), grades=(3, 1, 0))
        for n in range(count)
    )


@given(st.integers(1, 60), st.integers(1, 3), st.integers(1, 9))
def test_each_pass_sees_each_group_once(count: int, epochs: int, size: int) -> None:
    steps = schedule(groups(count), RerankerConfig(epochs=epochs, groups_per_step=size))
    seen = Counter(group.question for step in steps for group in step)
    assert seen == {f"question {n}": epochs for n in range(count)}
    assert all(1 <= len(step) <= size for step in steps)


def test_one_seed_one_schedule() -> None:
    plans = [schedule(groups(40), RerankerConfig(seed=seed)) for seed in (1, 1, 2)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


def test_groups_of_like_length_share_a_step() -> None:
    long = tuple(Group(origin="real", question="?", passages=("word " * n, "b"), grades=(3, 0)) for n in range(1, 65))
    for step in schedule(long, RerankerConfig(groups_per_step=8)):
        lengths = [len(group.passages[0]) for group in step]
        assert max(lengths) - min(lengths) <= 5 * 8


def test_the_hash_of_the_data_follows_order_and_words() -> None:
    held = groups(3)
    assert groups_hash(held) == groups_hash(groups(3))
    assert groups_hash(held) != groups_hash(held[::-1])
