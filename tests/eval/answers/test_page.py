"""None seen is not none: the report must not promise more than the count of trials allows."""

from __future__ import annotations

import pytest

from eval.answers.page import none_seen


def test_the_bound_is_the_rule_of_three_for_many_trials() -> None:
    assert none_seen(1) == pytest.approx(0.95)
    assert none_seen(300) == pytest.approx(3 / 300, rel=0.01)
