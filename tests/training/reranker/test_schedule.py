"""If these fail, a stopped run goes on with other steps than it would have had, or skips part of the data."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from training.reranker import Group, RerankerConfig
from training.reranker.groups import groups_hash
from training.reranker.schedule import schedule


def groups(count: int, origin: str = "medquad") -> tuple[Group, ...]:
    return tuple(
        Group.model_validate(
            {"origin": origin, "question": f"{origin} {n}", "passages": ["a" * (n % 7), "b", "c"], "grades": [3, 1, 0]}
        )
        for n in range(count)
    )


@given(st.integers(1, 60), st.integers(0, 20), st.integers(1, 3), st.integers(1, 9))
def test_each_pass_sees_each_group_once(corpus: int, graded: int, epochs: int, size: int) -> None:
    config = RerankerConfig(epochs=epochs, graded_epochs=2, groups_per_step=size, trained_passages=2)
    plan = schedule(groups(corpus), groups(graded, "mediqa"), config)
    first = Counter(group.question for step in plan.steps[: plan.corpus_steps] for group in step)
    assert first == {f"medquad {n}": epochs for n in range(corpus)}
    second = Counter(group.question for step in plan.steps[plan.corpus_steps :] for group in step)
    assert {name: seen for name, seen in second.items() if name.startswith("mediqa")} == {
        f"mediqa {n}": 2 for n in range(graded)
    }
    assert all(1 <= len(step) <= size for step in plan.steps)


def test_only_as_much_is_taken_as_the_config_says() -> None:
    config = RerankerConfig(trained_groups=5, trained_passages=2)
    plan = schedule(groups(30), groups(4, "mediqa"), config)
    seen = [group for step in plan.steps for group in step]
    assert {group.question for group in seen if group.origin == "medquad"} == {f"medquad {n}" for n in range(5)}
    assert {len(group.passages) for group in seen if group.origin == "medquad"} == {2}
    assert {len(group.passages) for group in seen if group.origin == "mediqa"} == {3}


def test_one_seed_one_schedule() -> None:
    plans = [schedule(groups(40), groups(9, "mediqa"), RerankerConfig(seed=seed)) for seed in (1, 1, 2)]
    assert plans[0] == plans[1]
    assert plans[0] != plans[2]


def test_the_hash_of_the_data_follows_order_and_words() -> None:
    held = groups(3)
    assert groups_hash(held) == groups_hash(groups(3))
    assert groups_hash(held) != groups_hash(held[::-1])
