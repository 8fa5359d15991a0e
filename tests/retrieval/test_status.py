"""If these fail, expired guidance is shown as current."""

from __future__ import annotations

from datetime import date

import pytest

from retrieval import Document, DocumentId, GuidanceStatus, SourceId, guidance_status


@pytest.mark.parametrize(
    ("review_by", "today", "superseded", "status"),
    [
        (None, date(2099, 1, 1), False, "current"),
        ("2020", date(2020, 12, 31), False, "current"),
        ("2020", date(2021, 1, 1), False, "expired"),
        ("2020-02", date(2020, 2, 29), False, "current"),
        ("2020-02", date(2020, 3, 1), False, "expired"),
        ("2020-05-05", date(2020, 5, 5), False, "current"),
        ("2020-05-05", date(2020, 5, 6), False, "expired"),
        ("2020-05-05", date(2020, 5, 6), True, "superseded"),
        (None, date(2020, 1, 1), True, "superseded"),
    ],
)
def test_guidance_expires_the_day_after_its_review_date(
    review_by: str | None, today: date, superseded: bool, status: str
) -> None:
    document = Document(
        id=DocumentId("d"), source=SourceId("s"), title="t", publisher="p", region="GB", review_by=review_by
    )
    assert guidance_status(document, superseded=superseded, today=today) is GuidanceStatus(status)
