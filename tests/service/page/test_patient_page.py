"""If these fail, a clinician reads a recommendation on the page as if it were for this patient."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from .conftest import DOSE, ask, finished

pytestmark = pytest.mark.slow

HEADLINE = "Does not apply to this patient: eGFR 12"


def test_what_is_not_for_the_patient_stands_under_its_headline(page: Page) -> None:
    ask(page, "What should an adult with example fever and an eGFR 12 be given?")
    finished(page)
    expect(page.locator(".sentences")).not_to_contain_text("examplicillin 250 mg")
    card = page.locator(".cards .card").filter(has_text=DOSE)
    headline = card.locator(".standing.not-for-patient")
    expect(headline).to_contain_text(HEADLINE)
    expect(headline).to_contain_text("“Severe renal impairment”")
    card.get_by_role("button").click()
    opened = page.get_by_role("dialog")
    expect(opened.locator(".standing.not-for-patient")).to_contain_text(HEADLINE)


def test_without_a_conflict_there_is_no_headline(page: Page) -> None:
    ask(page, "What should an adult with example fever and an eGFR 90 be given?")
    finished(page)
    expect(page.locator(".sentences")).to_contain_text("examplicillin 250 mg")
    expect(page.locator(".not-for-patient")).to_have_count(0)
