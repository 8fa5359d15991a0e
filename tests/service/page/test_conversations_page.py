"""Conversations on the page: found after a reload, searched, named, deleted; feedback; the question of training."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from agent import MemoryJournal

from .conftest import DOSE, PATIENCE_MS, ask, finished
from .test_chat_page import QUESTION, forgive

pytestmark = pytest.mark.slow

MARKUP = "<img src=x onerror=window.broken=1>"


def talks(page: Page) -> Locator:
    """The titles in the list."""
    return page.locator("#history-list .talk-title")


def options(page: Page, title: str) -> None:
    """Open the options of a conversation."""
    page.get_by_role("button", name=f"Options for {title}", exact=True).click()


def asked(page: Page, question: str) -> None:
    ask(page, question)
    finished(page)


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    """The page on the narrowest phone."""
    context = browser.new_context(
        viewport={"width": 360, "height": 740},
        has_touch=True,
        is_mobile=True,
        reduced_motion="reduce",
        base_url=address,
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto("/")
    yield page
    context.close()


def test_a_reload_brings_the_conversation_back(page: Page) -> None:
    """Otherwise a ward computer that restarts takes the answer with it."""
    asked(page, QUESTION)
    asked(page, "What is partly verified?")
    page.reload()
    expect(page.locator(".turn")).to_have_count(2)
    first, second = page.locator(".turn").first, page.locator(".turn").last
    expect(first.locator(".question")).to_have_text(QUESTION)
    expect(first.locator(".sentence")).to_have_count(3)
    expect(second.locator(".withheld")).to_contain_text("2 sentences the model wrote are not shown")
    expect(first.locator(".status")).to_contain_text("Answered from the guidelines · 3 sources ·")
    first.locator(".cite").first.click()
    expect(page.get_by_role("dialog").get_by_text(DOSE)).to_be_visible()
    page.keyboard.press("Escape")
    expect(first.locator(".cite").first).to_be_focused()
    asked(page, "And what else?")
    expect(page.locator(".turn")).to_have_count(3)
    expect(talks(page)).to_have_text([QUESTION])


def test_conversations_are_listed_opened_and_gone_back_to(page: Page) -> None:
    """Otherwise yesterday's answer cannot be found."""
    asked(page, "What is partly verified?")
    page.get_by_role("button", name="New conversation").click()
    asked(page, QUESTION)
    expect(talks(page)).to_have_text([QUESTION, "What is partly verified?"])
    expect(page.get_by_role("navigation", name="Conversations").get_by_role("heading", name="Today")).to_be_visible()
    expect(page.get_by_role("link", name=QUESTION)).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="What is partly verified?").click()
    expect(page.locator(".question")).to_have_text("What is partly verified?")
    expect(page.get_by_role("link", name="What is partly verified?")).to_have_attribute("aria-current", "page")
    expect(page.locator("#announcer")).to_have_text("Opened What is partly verified?, 1 question")
    page.go_back()
    expect(page.locator(".question")).to_have_text(QUESTION)
    page.go_back()
    page.go_back()
    expect(page.locator(".question")).to_have_text("What is partly verified?")
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_role("heading", name="Ask a clinical question")).to_be_visible()
    page.reload()
    expect(page.locator(".turn")).to_have_count(0)


def test_a_search_finds_what_was_asked_or_answered(page: Page) -> None:
    """Otherwise a long list is of no use."""
    asked(page, QUESTION)
    page.get_by_role("button", name="New conversation").click()
    asked(page, "What about this vague case?")
    box = page.get_by_role("searchbox", name="Search conversations")
    box.fill("SAMPLOMYCIN fever")
    expect(talks(page)).to_have_text([QUESTION])
    expect(page.locator("#announcer")).to_have_text("1 conversation found")
    box.fill("nowhere said")
    expect(page.get_by_text("No conversation has all of these words.")).to_be_visible()
    expect(talks(page)).to_have_count(0)
    box.press("Escape")
    expect(talks(page)).to_have_count(2)
    expect(box).to_have_value("")


def test_a_long_list_is_read_on(page: Page) -> None:
    page.evaluate(
        """async () => {
          for (let i = 0; i < 45; i++) {
            const send = (path, body) => fetch(path, {
              method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
            const { id } = await (await send("/v1/conversations", {})).json();
            await send("/v1/ask", { question: `Number ${i}, vague?`, conversation_id: id });
          }
        }"""
    )
    page.reload()
    expect(talks(page)).to_have_count(40)
    page.get_by_role("button", name="Show more").click()
    expect(talks(page)).to_have_count(45)
    expect(talks(page).nth(40)).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()


def test_a_conversation_is_renamed_with_the_keyboard(page: Page) -> None:
    """Otherwise a title made from the question, perhaps with a name in it, stays."""
    asked(page, QUESTION)
    page.get_by_role("button", name=f"Options for {QUESTION}").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Rename")).to_be_focused()
    page.keyboard.press("Enter")
    title = page.get_by_role("textbox", name="Title")
    expect(title).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=f"Options for {QUESTION}")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.type(f"Fever on Tuesday {MARKUP}")
    page.keyboard.press("Enter")
    expect(talks(page)).to_have_text([f"Fever on Tuesday {MARKUP}"])
    page.reload()
    expect(talks(page)).to_have_text([f"Fever on Tuesday {MARKUP}"])
    assert page.evaluate("window.broken") is None
    assert page.locator("nav img").count() == 0


def test_deleting_asks_first_and_then_deletes_everywhere(page: Page, journal: MemoryJournal) -> None:
    """Otherwise a slip of the finger loses a conversation, or a deleted one is still there."""
    question = "What should Mrs Exampleton with example fever be given?"
    asked(page, "What about this vague case?")
    page.get_by_role("button", name="New conversation").click()
    asked(page, question)
    rollout = journal.rollouts[-1].rollout_id
    options(page, question)
    page.get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("alertdialog", name="Delete this conversation?")
    expect(dialog).to_contain_text(question)
    expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(talks(page)).to_have_count(2)
    page.get_by_role("button", name="Delete").click()
    dialog.get_by_role("button", name="Delete").click()
    expect(dialog).to_be_hidden()
    expect(talks(page)).to_have_text(["What about this vague case?"])
    # It was open, so the page is empty, and an address kept somewhere leads nowhere.
    expect(page.get_by_role("heading", name="Ask a clinical question")).to_be_visible()
    expect(page.locator("#announcer")).to_have_text(f"Deleted {question}")
    (run,) = (run for run in journal.rollouts if run.rollout_id == rollout)
    assert run.erased
    assert "Exampleton" not in run.model_dump_json()


def test_a_conversation_that_is_gone_says_so(page: Page, complaints: list[str]) -> None:
    page.goto("/?c=00000000000000000000000000")
    expect(page.get_by_text("There is no such conversation; it may have been deleted.")).to_be_visible()
    expect(page.get_by_role("heading", name="Ask a clinical question")).to_be_visible()
    assert page.evaluate("location.search") == ""
    asked(page, QUESTION)
    page.evaluate("fetch(`/v1/conversations/${new URLSearchParams(location.search).get('c')}`, { method: 'DELETE' })")
    page.wait_for_timeout(200)
    ask(page, "And what else?")
    finished(page)
    expect(page.locator(".turn").last.locator(".turn-problem")).to_contain_text("it may have been deleted")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".turn-problem:not(:empty)")).to_have_count(0)
    expect(page.locator(".turn").last.locator(".sentence")).to_have_count(3)
    forgive(complaints, "status of 404")


def test_feedback_is_kept_at_once_and_found_again(page: Page, journal: MemoryJournal) -> None:
    """Otherwise nobody learns that an answer was wrong."""
    asked(page, QUESTION)
    row = page.get_by_role("group", name="Feedback on this answer")
    helpful = row.get_by_role("button", name="Helpful", exact=True)
    not_helpful = row.get_by_role("button", name="Not helpful")
    not_helpful.click()
    expect(not_helpful).to_have_attribute("aria-pressed", "true")
    expect(row.get_by_role("status")).to_have_text("Thank you, that is kept.")
    assert journal.judgements[-1].thumbs == "down"
    row.get_by_role("checkbox", name="Out of date").check()
    row.get_by_role("checkbox", name="Something is missing").check()
    row.get_by_role("textbox", name="Comment").fill(f"The 2023 edition differs. {MARKUP}")
    row.get_by_role("button", name="Send").click()
    expect(row.get_by_role("checkbox")).to_have_count(0)
    assert set(journal.judgements[-1].reasons) == {"outdated", "incomplete"}
    page.reload()
    expect(not_helpful).to_have_attribute("aria-pressed", "true")
    expect(helpful).to_have_attribute("aria-pressed", "false")
    row.get_by_role("button", name="Change your reasons").click()
    expect(row.get_by_role("checkbox", name="Out of date")).to_be_checked()
    expect(row.get_by_role("checkbox", name="Clinically wrong")).not_to_be_checked()
    expect(row.get_by_role("textbox", name="Comment")).to_have_value(f"The 2023 edition differs. {MARKUP}")
    row.get_by_role("button", name="Close").click()
    helpful.click()
    expect(helpful).to_have_attribute("aria-pressed", "true")
    expect(not_helpful).to_have_attribute("aria-pressed", "false")
    expect(row.get_by_role("checkbox", name="The right recommendation")).to_be_visible()
    helpful.click()
    expect(row.get_by_role("status")).to_have_text("Taken back.")
    page.reload()
    expect(helpful).to_have_attribute("aria-pressed", "false")
    assert [judgement.thumbs for judgement in journal.judgements[-4:]] == ["down", "down", "up", None]


def test_feedback_that_could_not_be_kept_says_so_and_keeps_the_words(page: Page, complaints: list[str]) -> None:
    asked(page, QUESTION)
    row = page.get_by_role("group", name="Feedback on this answer")
    row.get_by_role("button", name="Not helpful").click()
    expect(row.get_by_role("textbox", name="Comment")).to_be_visible()

    def refuse(route: Route) -> None:
        body = json.dumps({"detail": "Try again in a moment.", "code": "records_unavailable"})
        route.fulfill(status=503, body=body, content_type="application/problem+json")

    page.route("**/v1/feedback", refuse)
    row.get_by_role("textbox", name="Comment").fill("Old.")
    row.get_by_role("button", name="Send").click()
    expect(row.get_by_role("alert")).to_have_text("Not kept. Try again in a moment.")
    expect(row.get_by_role("textbox", name="Comment")).to_have_value("Old.")
    row.get_by_role("button", name="Helpful", exact=True).click()
    expect(row.get_by_role("status")).to_have_text("Not kept. Try again in a moment.")
    expect(row.get_by_role("button", name="Not helpful")).to_have_attribute("aria-pressed", "true")
    page.unroute("**/v1/feedback")
    row.get_by_role("button", name="Send").click()
    expect(row.get_by_role("status")).to_have_text("Thank you, that is kept.")
    forgive(complaints, "status of 503")


def test_training_is_asked_once_and_decided_freely(page: Page, journal: MemoryJournal) -> None:
    """Otherwise questions are used that nobody gave, or people are asked until they say yes."""
    asked(page, QUESTION)
    assert not journal.rollouts[-1].provenance.training_consent
    card = page.get_by_role("region", name="Your questions and training")
    expect(card).to_contain_text("Without your yes, nothing is used.")
    asked(page, "And what else?")
    expect(card).to_have_count(1)
    card.get_by_role("button", name="Yes, they may").click()
    expect(page.get_by_text("Thank you. You can change this under Conversations.")).to_be_focused()
    expect(page.get_by_role("button", name="Use for training: yes")).to_be_visible()
    asked(page, "And then?")
    assert journal.rollouts[-1].provenance.training_consent
    agreed = journal.rollouts[-1].rollout_id
    page.reload()
    asked(page, "And after that, only partly?")
    expect(card).to_have_count(0)
    page.get_by_role("button", name="Use for training: yes").click()
    dialog = page.get_by_role("dialog", name="Use for training")
    expect(dialog).to_contain_text("Now: your questions may be used for training.")
    dialog.get_by_role("button", name="No").click()
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="Use for training: no")).to_be_focused()
    assert agreed in {said.rollout_id for said in journal.judgements if said.kind == "consent_withdrawn"}
    asked(page, "Is it off again, elsewhere?")
    assert not journal.rollouts[-1].provenance.training_consent


def test_another_browser_sees_nothing_of_it(page: Page, browser: Browser, address: str) -> None:
    asked(page, QUESTION)
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=address)
    other = context.new_page()
    other.set_default_timeout(PATIENCE_MS)
    other.goto(page.url)
    expect(other.get_by_text("There is no such conversation; it may have been deleted.")).to_be_visible()
    expect(other.get_by_text("What you ask is kept here.")).to_be_visible()
    expect(talks(other)).to_have_count(0)
    context.close()


def test_a_stopped_answer_is_found_again_as_far_as_it_was_shown(page: Page) -> None:
    """Otherwise what was read before pressing stop is gone."""
    ask(page, "What happens slowly?")
    expect(page.locator(".sentence")).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    finished(page)
    page.wait_for_timeout(300)
    page.reload()
    expect(page.locator(".sentence")).to_have_text([f"{DOSE}\u00a01"])
    expect(page.locator(".turn-problem")).to_contain_text("This answer was stopped before it was complete.")
    expect(page.locator(".turn-problem")).to_contain_text("the answer may be incomplete")
    page.locator(".cite").click()
    expect(page.get_by_role("dialog").get_by_text(DOSE)).to_be_visible()


def test_a_question_asked_again_after_a_fault_stands_once(page: Page, complaints: list[str]) -> None:
    """Otherwise a bad network fills a conversation with the same question."""
    page.route("**/v1/ask", lambda route: route.abort("connectionreset"))
    ask(page, QUESTION)
    finished(page)
    page.unroute("**/v1/ask")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".sentence")).to_have_count(3)
    page.reload()
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".sentence")).to_have_count(3)
    expect(talks(page)).to_have_count(1)
    forgive(complaints, "net::ERR_CONNECTION_RESET")


def test_an_answer_comes_although_it_cannot_be_kept(page: Page, complaints: list[str]) -> None:
    """Otherwise a full disk keeps a dose from a clinician."""

    def refuse(route: Route) -> None:
        if route.request.method != "POST":
            route.continue_()
            return
        body = json.dumps({"detail": "Look at the disk.", "code": "records_unavailable"})
        route.fulfill(status=503, body=body, content_type="application/problem+json")

    page.route("**/v1/conversations", refuse)
    asked(page, QUESTION)
    expect(page.locator(".sentence")).to_have_count(3)
    expect(page.get_by_text("This conversation is not kept. Look at the disk.")).to_be_visible()
    expect(page.get_by_role("group", name="Feedback on this answer")).to_have_count(0)
    asked(page, "And what else?")
    page.unroute("**/v1/conversations")
    page.get_by_role("button", name="New conversation").click()
    expect(page.get_by_text("This conversation is not kept.")).to_be_hidden()
    asked(page, QUESTION)
    expect(talks(page)).to_have_count(1)
    forgive(complaints, "status of 503")


def test_on_a_phone_the_list_is_a_drawer(phone: Page) -> None:
    """Otherwise the list takes the room of the answer, or cannot be reached."""
    asked(phone, QUESTION)
    phone.get_by_role("button", name="New conversation").click()
    expect(talks(phone).first).to_be_hidden()
    phone.get_by_role("button", name="Conversations", exact=True).click()
    drawer = phone.get_by_role("dialog", name="Conversations")
    expect(drawer.get_by_role("searchbox")).to_be_focused()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360
    options(phone, QUESTION)
    for control in drawer.locator("button:visible, input:visible").all():
        box = control.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["height"] >= 24, "too small to touch"
    phone.keyboard.press("Escape")
    expect(drawer).to_be_visible()  # the options closed first
    phone.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(phone.get_by_role("button", name="Conversations", exact=True)).to_be_focused()
    phone.get_by_role("button", name="Conversations", exact=True).click()
    drawer.get_by_role("link", name=QUESTION).click()
    expect(drawer).to_be_hidden()
    expect(phone.locator(".question")).to_have_text(QUESTION)
    phone.get_by_role("button", name="Not helpful").click()
    phone.get_by_role("button", name="Send").scroll_into_view_if_needed()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360


def test_every_control_has_a_name_and_every_list_a_place(page: Page) -> None:
    """Otherwise somebody who listens to the page hears "button, button, button"."""
    asked(page, QUESTION)
    options(page, QUESTION)
    page.get_by_role("button", name="Not helpful").click()
    expect(page.get_by_role("textbox", name="Comment")).to_be_visible()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, a, input, textarea, dialog[open], nav, section, fieldset")]
          .filter((node) => node.checkVisibility())
          .filter((node) => !(node.getAttribute("aria-label") || node.textContent.trim() || node.labels?.length ||
            document.getElementById(node.getAttribute("aria-labelledby") ?? "")))
          .map((node) => node.outerHTML)"""
    )
    assert nameless == []
    expect(page.get_by_role("navigation", name="Conversations")).to_be_visible()
    expect(page.get_by_role("group", name="What was wrong?")).to_be_visible()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((node) => node.id)")
    assert len(ids) == len(set(ids))
