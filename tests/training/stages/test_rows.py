"""If these fail, a model learns from what nobody agreed to, from half a row, or from what it was shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.stages import TokenRow, TrainingDataError, describe, mixed, read_token_rows

from .conftest import many_rows, token_row, write_rows


def test_rows_are_read_and_described(tmp_path: Path) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [token_row([5, 6, 7], 1), token_row([8, 9], 1, licence=None)])
    rows = read_token_rows(path, 10)
    assert [row.labels for row in rows] == [(-100, 6, 7), (-100, 9)]
    told = describe(path, rows)
    assert (told.rows, told.tokens, told.loss_tokens) == (2, 5, 3)
    assert told.licences == {"CC0-1.0": 1, "none stated": 1}


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (token_row(range(11), 1), "11 tokens, more than max_tokens = 10"),
        (token_row([5, 6], 2), "nothing to learn"),
        (token_row([5, 6], 1, training_consent=False), "not agreed to"),
        (token_row([5, 6], 1) | {"labels": [-100]}, "differ in number"),
        (token_row([5, 6], 1) | {"labels": [-100, 7]}, "another token"),
        ({"messages": []}, "is not a row"),
    ],
    ids=["long", "no-loss", "consent", "lengths", "label", "format"],
)
def test_a_row_that_must_not_be_trained_on_is_refused_with_its_line(
    tmp_path: Path, row: dict[str, Any], why: str
) -> None:
    path = write_rows(tmp_path / "rows.jsonl", [token_row([5, 6, 7], 1), row])
    with pytest.raises(TrainingDataError, match=rf"rows\.jsonl line 2.*{why}"):
        read_token_rows(path, 10)


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="no rows"):
        read_token_rows(write_rows(tmp_path / "none.jsonl", []), 10)


@given(own=st.integers(1, 60), earlier=st.integers(0, 60), share=st.floats(0, 0.9))
def test_a_share_of_the_earlier_rows_is_mixed_in(own: int, earlier: int, share: float) -> None:
    rows = [TokenRow.model_validate(row) for row in many_rows(own + earlier)]
    both = mixed(rows[:own], rows[own:], share)
    assert both[:own] == rows[:own]
    added = len(both) - own
    assert added == min(earlier, round(own * share / (1 - share)))
    # Which ones does not depend on the order they come in.
    again = mixed(rows[:own], rows[own:][::-1], share)
    assert sorted(row.input_ids for row in again) == sorted(row.input_ids for row in both)
