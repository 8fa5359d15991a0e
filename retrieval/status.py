"""Whether guidance is current, superseded or expired; said beside every passage that is shown.

Superseded goes before expired: a newer version answers better than a warning about a date. A document without a
review date does not expire, since nobody said when it would.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from retrieval.dates import day_number, last_day
from retrieval.documents import Document


class GuidanceStatus(StrEnum):
    """See the module."""

    CURRENT = "current"
    SUPERSEDED = "superseded"
    EXPIRED = "expired"


def guidance_status(document: Document, *, superseded: bool, today: date) -> GuidanceStatus:
    """Status of a document; it expires on the day after the last one its review date stands for."""
    if superseded:
        return GuidanceStatus.SUPERSEDED
    if document.review_by is not None and last_day(document.review_by) < day_number(today):
        return GuidanceStatus.EXPIRED
    return GuidanceStatus.CURRENT
