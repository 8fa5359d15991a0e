"""If these fail, nobody at the page sees the emergency wording or the disclaimer that the policy asks for."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from agent import Audience, load_policy

from .conftest import DOSE, ask, finished
from .test_taking_along import copied

pytestmark = pytest.mark.slow


def test_the_notice_stands_before_the_answer_and_the_disclaimer_under_it(page: Page) -> None:
    policy = load_policy()
    ask(page, "My patient says he wants to kill himself. What should an adult with example fever be given?")
    finished(page)
    answer = page.locator(".answer").last
    expect(answer.locator(".notices")).to_have_text(policy.wording["self-harm"])
    expect(answer.locator(".disclaimers")).to_have_text(policy.terms(Audience.CLINICIAN).disclaimers[0])
    expect(answer.locator(".sentence").first).to_be_visible()
    notice, sentence = (answer.locator(name).first.bounding_box() for name in (".notices", ".sentence"))
    assert notice is not None
    assert sentence is not None
    assert notice["y"] < sentence["y"]


def test_a_copied_answer_says_what_the_policy_says(page: Page) -> None:
    """Otherwise the emergency wording and the disclaimer are lost where an answer is pasted into a record."""
    policy = load_policy()
    ask(page, "My patient says he wants to kill himself. What should an adult with example fever be given?")
    finished(page)
    text = copied(page)
    assert text.index(policy.wording["self-harm"]) < text.index(DOSE)
    assert policy.terms(Audience.CLINICIAN).disclaimers[0] in text


def test_an_answer_without_a_notice_shows_no_empty_box(page: Page) -> None:
    ask(page, "What should an adult with example fever be given?")
    finished(page)
    expect(page.locator(".notices").last).to_be_empty()
    expect(page.locator(".notices").last).to_be_hidden()
