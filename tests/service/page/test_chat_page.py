"""The chat page as a clinician uses it: ask, read, open a source, follow up, and recover when something fails."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from agent import MemoryJournal

from .conftest import ALLERGY, DOSE, HOSTILE, NOTICE, REVIEW, ask, finished

pytestmark = pytest.mark.slow

QUESTION = "What should an adult with example fever be given?"


def events(*items: tuple[str, dict[str, Any]]) -> str:
    """The body of an event stream."""
    return "".join(
        f"id: {i}\nevent: {kind}\ndata: {json.dumps({'v': 1, 'type': kind, **data})}\n\n"
        for i, (kind, data) in enumerate(items, start=1)
    )


def answer_with(page: Page, body: str, status: int = 200, content_type: str = "text/event-stream") -> None:
    """Let questions be answered with this instead of by the service."""

    def handle(route: Route) -> None:
        route.fulfill(status=status, body=body, headers={"Content-Type": content_type})

    page.route("**/v1/ask", handle)


def body(request: Request) -> dict[str, Any]:
    """What the page sent."""
    sent = request.post_data_json
    assert isinstance(sent, dict)
    return sent


def forgive(complaints: list[str], about: str) -> None:
    """Drop the browser's own line about a request that a test made fail."""
    complaints[:] = [text for text in complaints if about not in text]


def test_a_clinician_asks_reads_the_answer_and_opens_its_source(page: Page) -> None:
    """Otherwise the main job of the page does not work."""
    expect(page.get_by_text("The starter corpus is a demonstration digest, not for patient care.")).to_be_visible()
    ask(page, QUESTION)
    sentence = page.locator(".sentence").first
    expect(sentence).to_contain_text(DOSE.rstrip("."))
    finished(page)
    expect(page.locator(".sentence")).to_have_count(3)
    expect(page.locator(".status")).to_contain_text("Answered from the guidelines · 3 sources")

    citation = sentence.get_by_role("button", name="Source 1")
    citation.click()
    panel = page.get_by_role("dialog")
    for text in (
        DOSE,
        "Strong",
        "Moderate",
        "Adults with example fever treated outside hospital",
        "Examplicillin allergy",
        "Severe renal impairment",
        "Example fever, diagnosis and management (EX12)",
        "Institute for Worked Examples",
        "2025-09",
        "United Kingdom",
        NOTICE,
    ):
        expect(panel.get_by_text(text, exact=True)).to_be_visible()
    link = panel.get_by_role("link")
    expect(link).to_have_attribute("href", "https://example.org/guidance/ex12")
    expect(link).to_have_attribute("rel", "noopener noreferrer")
    expect(link).to_have_attribute("target", "_blank")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(citation).to_be_focused()


def test_what_a_publisher_does_not_state_is_said_to_be_not_stated(page: Page) -> None:
    """Otherwise a missing grade or contraindication reads as if there were none."""
    ask(page, QUESTION)
    finished(page)
    page.locator(".sentence").filter(has_text=REVIEW.rstrip(".")).get_by_role("button").click()
    panel = page.get_by_role("dialog")
    expect(panel.get_by_text("Not stated", exact=True)).to_have_count(2)
    expect(panel.get_by_text("None stated with this recommendation")).to_be_visible()


def test_the_steps_are_one_quiet_line_that_opens_to_the_list(page: Page) -> None:
    """Otherwise a clinician cannot see what was searched for."""
    ask(page, QUESTION)
    finished(page)
    queries = page.locator(".queries li")
    expect(queries.first).to_be_hidden()
    page.locator("summary").click()
    expect(queries.get_by_text(QUESTION)).to_be_visible()
    expect(queries.get_by_text("example fever treatment", exact=True)).to_be_visible()
    expect(page.locator(".about")).to_contain_text("Model scripted")
    expect(page.locator("#announcer")).to_contain_text("Answered from the guidelines")


def test_recommendations_shown_instead_of_an_answer_are_labelled_before_anything_else(page: Page) -> None:
    """Otherwise a search result passes for an answer to the question."""
    ask(page, "What does an unverified answer show?")
    finished(page)
    label = page.locator(".label-note")
    expect(label).to_contain_text("Recommendations, not a written answer")
    expect(label).to_contain_text("No sentence the model wrote could be verified.")
    card = page.locator(".card").filter(has_text=DOSE)
    for text in ("Strong", "Examplicillin allergy; Severe renal impairment", "Institute for Worked Examples · 2025"):
        expect(card).to_contain_text(text)
    assert label.evaluate("(label) => label.getBoundingClientRect().bottom") <= page.locator(".card").first.evaluate(
        "(card) => card.getBoundingClientRect().top"
    )
    expect(page.locator(".sentence")).to_have_count(0)
    expect(page.locator(".withheld")).to_contain_text(
        "2 sentences the model wrote are not shown: each cited no source."
    )
    card.get_by_role("button", name="Open source").click()
    expect(page.get_by_role("dialog").get_by_text(NOTICE)).to_be_visible()


def test_withheld_sentences_are_counted_with_readable_reasons(page: Page) -> None:
    """Otherwise an answer with a part missing looks whole."""
    ask(page, "What is partly verified?")
    finished(page)
    expect(page.locator(".sentence")).to_have_count(1)
    withheld = page.locator(".withheld")
    expect(withheld).to_contain_text("2 sentences the model wrote are not shown")
    expect(withheld).to_contain_text("1 gave a number its source does not give")
    expect(withheld).to_contain_text("1 cited no source")
    expect(page.locator(".label-note")).to_contain_text("Part of the model's answer could not be verified")


def test_a_question_back_and_nearest_recommendations_are_shown_as_what_they_are(page: Page) -> None:
    """Otherwise a clinician does not know that an answer is waiting for a detail, or that there is none."""
    ask(page, "What about this vague case?")
    finished(page)
    expect(page.locator(".label-note")).to_contain_text("Does the patient have any drug allergy")
    ask(page, "Is it something elsewhere?")
    finished(page)
    last = page.locator(".turn").last
    expect(last.locator(".label-note")).to_contain_text("The guidelines searched do not hold an answer to this.")
    expect(last.get_by_role("heading", name="Nearest recommendations found")).to_be_visible()
    expect(last.locator(".card").first).to_be_visible()


def test_markup_from_the_model_or_the_corpus_stays_text(page: Page) -> None:
    """Otherwise a poisoned guideline could run script in a clinician's browser or fake what the page says."""
    ask(page, "What does the hostile guideline say?")
    finished(page)
    expect(page.locator(".sentence").first).to_contain_text(HOSTILE.rstrip("."))
    page.locator(".sentence").first.get_by_role("button").click()
    panel = page.get_by_role("dialog")
    for text in (
        HOSTILE,
        "<i>Strong</i>",
        "<svg onload=window.broken=1>",
        "<b onmouseover=alert(1)>Hostile</b> guideline",
    ):
        expect(panel.get_by_text(text, exact=True)).to_be_visible()
    expect(panel.get_by_role("link")).to_have_count(0)  # its address is no web address
    expect(panel.get_by_text("javascript:window.broken=1")).to_be_visible()
    assert page.locator("main :is(img, script, b, i, svg), dialog :is(img, script, b, i, svg)").count() == 0
    assert page.evaluate("window.broken") is None


def test_markup_in_words_of_the_service_stays_text(page: Page) -> None:
    """Otherwise steps, labels and errors would be a second way in for markup."""
    markup = "<img src=x onerror=window.broken=1>"
    answer_with(
        page,
        events(
            (
                "step",
                {"step": {"kind": "search", "summary": markup, "queries": [markup], "found": 1, "duration_ms": 3}},
            ),
            ("sentence", {"sentence": {"text": markup, "citations": [1]}}),
            ("error", {"code": "internal_error", "message": markup}),
        ),
    )
    ask(page, markup)
    finished(page)
    expect(page.locator(".turn-problem")).to_contain_text(markup)
    assert page.locator("main img").count() == 0
    assert page.evaluate("window.broken") is None


def test_stop_ends_the_run_and_keeps_what_was_verified(page: Page, journal: MemoryJournal) -> None:
    """Otherwise a clinician waits for an answer nobody wants any more, and the service works on."""
    ask(page, "What happens slowly?")
    expect(page.locator(".sentence")).to_have_count(1)
    before = len(journal.rollouts)
    page.get_by_role("button", name="Stop").click()
    finished(page)
    expect(page.locator(".turn-problem")).to_contain_text("You stopped this answer.")
    expect(page.locator(".turn-problem")).to_contain_text("the answer may be incomplete")
    expect(page.locator(".sentence")).to_have_count(1)
    expect(page.get_by_role("textbox")).to_have_value("What happens slowly?")
    expect(page.get_by_role("textbox")).to_be_focused()
    expect(page.get_by_role("button", name="Ask", exact=True)).to_be_visible()
    for _ in range(50):
        if len(journal.rollouts) > before:
            break
        page.wait_for_timeout(50)
    assert journal.rollouts[-1].outcome.status == "aborted"


def test_a_refused_question_stays_in_the_box_with_what_to_do(page: Page, complaints: list[str]) -> None:
    """Otherwise a clinician types the question again after every fault."""
    question = "Why? " * 1_000
    ask(page, question)
    finished(page)
    expect(page.locator(".turn-problem")).to_contain_text("the limit is 4,000. Shorten it")
    expect(page.locator(".turn-problem")).to_contain_text("Request id")
    expect(page.get_by_role("textbox")).to_have_value(question.strip())
    forgive(complaints, "status of 422")


@pytest.mark.parametrize(
    ("status", "content_type", "body", "said"),
    [
        (
            503,
            "application/problem+json",
            '{"detail": "Too many questions.", "request_id": "r1"}',
            "Too many questions.",
        ),
        (502, "text/html", "<h1>Bad gateway</h1>", "The service answered with an error (502)."),
        (200, "text/event-stream", "", "The connection ended before the answer was complete."),
        (200, "text/event-stream", "data: {no json\n\n", "The service sent something this page cannot read."),
        (200, "text/event-stream", events(("error", {"code": "x", "message": "The run failed."})), "The run failed."),
    ],
)
def test_every_fault_says_what_happened_and_keeps_the_question(
    page: Page, complaints: list[str], status: int, content_type: str, body: str, said: str
) -> None:
    """Otherwise a fault of a proxy or the service looks like an empty answer."""
    answer_with(page, body, status, content_type)
    ask(page, QUESTION)
    finished(page)
    expect(page.locator(".turn-problem")).to_contain_text(said)
    expect(page.locator(".turn-problem")).to_contain_text("Your question is still in the box.")
    expect(page.get_by_role("textbox")).to_have_value(QUESTION)
    page.unroute("**/v1/ask")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".sentence")).to_have_count(3)
    expect(page.locator(".turn")).to_have_count(1)
    forgive(complaints, f"status of {status}")


def test_a_lost_network_is_told_apart_from_a_refusal(page: Page, complaints: list[str]) -> None:
    """Otherwise a clinician does not know to check the connection."""
    page.route("**/v1/ask", lambda route: route.abort("connectionreset"))
    ask(page, QUESTION)
    finished(page)
    expect(page.locator(".turn-problem")).to_contain_text("The service could not be reached.")
    expect(page.get_by_role("textbox")).to_have_value(QUESTION)
    forgive(complaints, "net::ERR_CONNECTION_RESET")


def test_a_follow_up_is_asked_with_what_was_said_before(page: Page, journal: MemoryJournal) -> None:
    """Otherwise "and with an allergy?" is answered as if nothing had been said before."""
    ask(page, QUESTION)
    finished(page)
    ask(page, "And with an allergy?")
    finished(page)
    _, before, answer, *_ = journal.rollouts[-1].messages
    assert before.content == QUESTION
    assert answer.content.startswith(DOSE)
    assert ALLERGY in answer.content
    page.get_by_role("button", name="New conversation").click()
    expect(page.locator(".turn")).to_have_count(0)
    ask(page, QUESTION)
    finished(page)
    assert journal.rollouts[-1].messages[1].content == QUESTION, "a new conversation begins with nothing"


def test_where_nothing_is_kept_the_page_brings_the_history_itself(page: Page, complaints: list[str]) -> None:
    """Otherwise a deployment that keeps nothing has no follow-up questions."""
    refusal = '{"detail": "This deployment keeps no conversations.", "code": "conversations_off"}'
    for path in ("**/v1/conversations*", "**/v1/consent"):
        page.route(path, lambda route: route.fulfill(status=403, body=refusal, content_type="application/problem+json"))
    page.reload()
    ask(page, QUESTION)
    finished(page)
    with page.expect_request("**/v1/ask") as sent:
        ask(page, "And with an allergy?")
    finished(page)
    (turn,) = body(sent.value)["history"]
    assert turn["question"] == QUESTION
    assert turn["answer"].startswith(DOSE)
    assert ALLERGY in turn["answer"]
    assert turn["passage_ids"] == ["test/fever/0", "test/fever/1", "test/review/0"]
    expect(page.get_by_role("navigation", name="Conversations")).to_be_hidden()
    expect(page.get_by_role("button", name="Helpful", exact=True)).to_have_count(0)
    page.get_by_role("button", name="New conversation").click()
    with page.expect_request("**/v1/ask") as sent:
        ask(page, QUESTION)
    assert body(sent.value)["history"] == []
    finished(page)
    forgive(complaints, "status of 403")


def test_an_example_question_asks_itself(page: Page) -> None:
    """Otherwise somebody new has to think of a question before seeing what this is."""
    examples = page.locator(".examples button")
    expect(examples).to_have_count(4)
    with page.expect_request("**/v1/ask") as sent:
        examples.first.click()
    assert body(sent.value)["question"].startswith("First-line antibiotic")
    finished(page)
    expect(page.locator(".question")).to_contain_text("First-line antibiotic")


def test_everything_works_from_the_keyboard(page: Page) -> None:
    """Otherwise people who cannot use a mouse are shut out."""
    expect(page.get_by_role("textbox")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Type a clinical question first.")).to_be_visible()
    page.keyboard.type("What should an adult")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("with example fever be given?")
    expect(page.get_by_role("textbox")).to_have_value("What should an adult\nwith example fever be given?")
    page.keyboard.press("Enter")
    finished(page)
    expect(page.get_by_role("textbox")).to_be_focused()

    citation = page.locator(".sentence").first.get_by_role("button")
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if citation.evaluate("(node) => node === document.activeElement"):
            break
    expect(citation).to_be_focused()
    assert citation.evaluate("(node) => getComputedStyle(node).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    # Three that the answer rests on and one that was found beside it.
    expect(page.get_by_role("heading", name="Source 1 of 4")).to_be_focused()
    page.keyboard.press("Tab")  # "Previous" cannot be used on the first source and is passed over
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Source 2 of 4")).to_be_focused()
    expect(page.get_by_role("dialog").get_by_text(ALLERGY)).to_be_visible()
    page.keyboard.press("Escape")
    expect(citation).to_be_focused()


def test_right_to_left_questions_run_right_to_left(page: Page) -> None:
    """Otherwise Arabic, Hebrew and Persian come out scrambled."""
    question = "ما جرعة examplicillin لشخص بالغ؟ ?"
    ask(page, question)
    finished(page)
    heading = page.get_by_role("heading", name=question)
    assert heading.evaluate("(node) => getComputedStyle(node).direction") == "rtl"
