"""That the check of every view (`test_look.py`) can fail, and the one page that is not the chat."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from .accessibility import axe_violations

pytestmark = pytest.mark.slow


def test_a_fault_in_the_page_is_found(page: Page) -> None:
    """Otherwise the check says nothing, whatever the page becomes; its CSP could keep axe out, for one."""
    assert axe_violations(page) == []
    page.evaluate("document.querySelector('#question-label').remove()")
    (found,) = [violation for violation in axe_violations(page) if violation.startswith("label (critical)")]
    assert "#question" in found


def test_the_reference_of_the_api_is_accessible(page: Page) -> None:
    page.goto("/docs")
    assert axe_violations(page) == []
