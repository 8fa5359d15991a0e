"""If these fail, a clinician reads expired guidance on the page as if it were current."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .conftest import REVIEW, ask, finished

pytestmark = pytest.mark.slow

EXPIRED = "Expired: its review date (2021) has passed."


def test_expired_guidance_is_labelled_in_the_list_and_in_the_open_source(page: Page) -> None:
    ask(page, "What should an adult with example fever be given?")
    finished(page)
    sources = page.locator(".sources > ol > li")
    expect(sources).to_have_count(3)
    labelled = sources.filter(has_text=EXPIRED)
    expect(labelled).to_have_count(1)
    labelled.get_by_role("button").click()
    opened = page.get_by_role("dialog")
    expect(opened.get_by_text(REVIEW)).to_be_visible()
    expect(opened.get_by_text(EXPIRED)).to_be_visible()
    for name, value in (("Published", "2019"), ("Review by", "2021")):
        row = opened.locator("dl > div").filter(has=page.locator("dt", has_text=name))
        expect(row.locator("dd")).to_have_text(value)
