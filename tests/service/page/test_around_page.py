"""Around a question on the page: what is searched, where the clinician works, and what may be asked next."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from agent import MemoryJournal
from retrieval import CorpusEntry

from .conftest import DOSE, ELSEWHERE, ask, finished, wider_corpus

pytestmark = pytest.mark.slow

QUESTION = "What should an adult with example fever be given?"
ABROAD = "What does the other country say about example fever?"
FROM_ELSEWHERE = "From another region."


@pytest.fixture(scope="module")
def entries() -> list[CorpusEntry]:
    return wider_corpus()


def sent(request: Request) -> dict[str, Any]:
    body = request.post_data_json
    assert isinstance(body, dict)
    return body


def test_a_clinician_limits_a_search_and_sees_that_it_was_limited(page: Page) -> None:
    """Otherwise guidance of another health system stands in the answer, or a narrow search passes for a whole one."""
    page.get_by_role("button", name="Filters", exact=True).click()
    page.get_by_label("Search in").select_option(label="Guidelines")
    page.get_by_role("checkbox", name="United States").check()
    opener = page.get_by_role("button", name="Only Guidelines, United States")
    expect(opener).to_have_attribute("aria-expanded", "true")
    with page.expect_request("**/v1/ask") as asked:
        ask(page, ABROAD)
    assert (sent(asked.value)["source"], sent(asked.value)["regions"]) == ("guidelines", ["US"])
    finished(page)
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator(".sentence")).to_contain_text(ELSEWHERE.rstrip("."))
    expect(page.locator(".source, .card")).to_have_count(1)
    limited = page.locator(".limited")
    expect(limited).to_have_text("Searched only: source guidelines; region United States.")
    page.reload()
    expect(limited).to_be_visible()  # of what was asked; what is asked next is not limited by what nobody chose today
    opener = page.get_by_role("button", name="Filters", exact=True)
    opener.click()
    expect(page.get_by_role("checkbox", name="United States")).not_to_be_checked()


def test_filters_are_used_and_left_by_keyboard(page: Page) -> None:
    """Otherwise people who cannot use a mouse search everything."""
    opener = page.locator("#filters-open")
    opener.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search in")).to_be_focused()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(opener).to_have_text("Only United Kingdom")
    page.keyboard.press("Escape")
    expect(page.locator("#filters")).to_be_hidden()
    expect(opener).to_be_focused()


def test_guidance_from_another_region_is_labelled_wherever_it_is_read(page: Page) -> None:
    """Otherwise a dose that is not licensed here reads like any other, tomorrow at the latest."""
    page.get_by_role("button", name="Filters", exact=True).click()
    home = page.get_by_label("I work in")
    home.select_option(label="United Kingdom")
    page.get_by_role("button", name="Done").click()
    ask(page, ABROAD)
    finished(page)

    def labelled() -> None:
        row = page.locator(".sources > ol > li").filter(has_text="Society for Worked Examples")
        expect(row).to_contain_text(FROM_ELSEWHERE)
        row.get_by_role("button").click()
        panel = page.get_by_role("dialog")
        expect(panel.get_by_text(FROM_ELSEWHERE)).to_be_visible()
        expect(panel.get_by_text("United States")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.locator(".card").filter(has_text=FROM_ELSEWHERE)).to_have_count(0)

    labelled()
    page.reload()
    labelled()
    page.get_by_role("button", name="Filters", exact=True).click()
    expect(home).to_have_value("GB")
    home.select_option(label="Not set")


def test_without_a_list_of_sources_questions_are_asked_all_the_same(page: Page, complaints: list[str]) -> None:
    """Otherwise a fault beside the point stops the page."""
    page.route("**/v1/sources", lambda route: route.fulfill(status=500, body=""))
    page.reload()
    ask(page, QUESTION)
    finished(page)
    expect(page.locator("#filters-open")).to_be_hidden()
    expect(page.locator(".sentence")).to_have_count(3)
    complaints[:] = [text for text in complaints if "status of 500" not in text]


def test_what_may_be_asked_next_is_answered_by_the_guidelines(page: Page, journal: MemoryJournal) -> None:
    """Otherwise a suggestion leads to "no answer found"."""
    ask(page, QUESTION)
    finished(page)
    following = page.get_by_role("region", name="Ask next")
    buttons = following.get_by_role("button")
    expect(buttons.first).to_be_visible()
    assert 1 <= buttons.count() <= 3
    question = buttons.first.inner_text()
    with page.expect_request("**/v1/ask") as asked:
        buttons.first.click()
    assert sent(asked.value)["question"] == question
    finished(page)
    expect(page.locator(".question").last).to_have_text(question)
    expect(page.locator(".turn").first.locator(".next")).to_be_hidden()
    assert journal.rollouts[-1].retrieval[0].hits, "the search for it found nothing"


@pytest.mark.parametrize("question", ["What does an unverified answer show?", "What about this vague case?"])
def test_a_run_without_an_answer_suggests_nothing(page: Page, question: str) -> None:
    """Otherwise the page goes on from what nobody could answer."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    ask(page, question)
    finished(page)
    page.wait_for_load_state("networkidle")
    assert not any(url.endswith("/v1/suggestions") for url in asked)
    expect(page.locator(".next")).to_have_count(0)


def test_markup_in_a_suggestion_stays_text(page: Page) -> None:
    """Otherwise suggestions are one more way in."""
    markup = "<img src=x onerror=window.broken=1>"
    body = f'{{"suggestions": [{{"question": "{markup}", "passage_id": "x"}}]}}'
    page.route("**/v1/suggestions", lambda route: route.fulfill(body=body, content_type="application/json"))
    ask(page, QUESTION)
    finished(page)
    expect(page.get_by_role("region", name="Ask next").get_by_role("button")).to_have_text(markup)
    assert page.evaluate("window.broken") is None
    expect(page.locator(".sentence").first).to_contain_text(DOSE.rstrip("."))
