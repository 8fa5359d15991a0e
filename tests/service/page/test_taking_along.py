"""An answer that leaves the page, and the words of a source that it rests on."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import ALLERGY, DOSE, HOSTILE, NOTICE, REVIEW, ask, finished

pytestmark = pytest.mark.slow

QUESTION = "What should an adult with example fever be given?"
#: Stands in for the browser's dialog: what is on the paper is what is visible between the two events.
PRINTS = """
() => { window.print = () => {
  window.dispatchEvent(new Event("beforeprint"));
  window.paper = [...document.querySelectorAll(".turn:not(.not-printed)")].map((turn) => turn.textContent);
  window.dispatchEvent(new Event("afterprint"));
} }
"""
EVERYTHING = (
    DOSE,
    ALLERGY,
    REVIEW,
    "Expired: its review date (2021) has passed.",
    "Example fever, diagnosis and management (EX12)",
    "Institute for Worked Examples, 2025-09, United Kingdom",
    "https://example.org/guidance/ex12",
    "Strong",
    "Moderate",
    "Adults with example fever treated outside hospital",
    "Examplicillin allergy; Severe renal impairment",
    "none stated with this recommendation",
    NOTICE,
)


def copied(page: Page) -> str:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy with references").last.click()
    expect(page.get_by_text("Copied, with references and warnings.").last).to_be_visible()
    text = page.evaluate("navigator.clipboard.readText()")
    assert isinstance(text, str)
    return text


def test_a_copied_answer_carries_its_references_labels_and_warnings(page: Page) -> None:
    """Otherwise a dose lands in a record without what forbids it, or without saying that it is out of date."""
    ask(page, QUESTION)
    finished(page)
    text = copied(page)
    for said in (f"Question: {QUESTION}", f"{DOSE} [1]", "[1] Example fever, diagnosis", *EVERYTHING):
        assert said in text, said
    assert HOSTILE not in text, "what the answer does not rest on is not passed on as if it did"


def test_a_copied_list_says_that_it_is_no_answer_and_what_was_withheld(page: Page) -> None:
    """Otherwise search results are pasted as advice."""
    ask(page, "What does an unverified answer show?")
    finished(page)
    text = copied(page)
    assert "Recommendations, not a written answer." in text
    assert "2 sentences the model wrote are not shown: each cited no source." in text
    assert text.index("not a written answer") < text.index(DOSE)


def test_where_the_browser_gives_no_clipboard_the_old_way_works(page: Page) -> None:
    """Otherwise nothing can be copied on a ward whose service is reached without https."""
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.reload()
    ask(page, QUESTION)
    finished(page)
    page.get_by_role("button", name="Copy with references").click()
    expect(page.get_by_text("Copied, with references and warnings.")).to_be_visible()
    box = page.get_by_role("textbox", name="Follow-up question")
    box.focus()
    page.keyboard.press("Control+V")
    assert "Examplicillin allergy; Severe renal impairment" in box.input_value()


def test_paper_carries_every_recommendation_whole(page: Page) -> None:
    """Otherwise a printed answer hangs on a wall without population, contraindications and date."""
    ask(page, QUESTION)
    finished(page)
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    printed = page.locator(".printed")
    for said in EVERYTHING:
        expect(printed).to_contain_text(said)
    for gone in ("#ask", "#history", ".under", ".sources", ".about"):
        expect(page.locator(gone)).to_be_hidden()
    assert page.pdf().startswith(b"%PDF")
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(printed).to_have_count(0)


def test_the_button_prints_one_answer_and_the_browser_all(page: Page) -> None:
    """Otherwise a clinician prints ten answers to get one."""
    page.evaluate(PRINTS)
    for question in (QUESTION, "What is partly verified?"):
        ask(page, question)
        finished(page)
    page.get_by_role("button", name="Print").first.click()
    (paper,) = page.evaluate("window.paper")
    assert QUESTION in paper
    page.evaluate("window.print()")
    assert len(page.evaluate("window.paper")) == 2


def test_the_words_that_an_answer_uses_are_marked_in_its_source(page: Page) -> None:
    """Otherwise a clinician has to find in a long recommendation what the sentence rests on."""
    ask(page, QUESTION)
    finished(page)
    page.locator(".sentence").first.get_by_role("button").click()
    panel = page.get_by_role("dialog")
    expect(panel.locator(".recommendation mark")).to_have_text(DOSE.rstrip("."))
    expect(panel.locator(".rests")).to_contain_text("Read the whole before acting.")
    expect(panel.locator("li mark")).to_have_count(0)  # no sentence was made of the contraindications
    page.keyboard.press("Escape")
    page.locator(".card").get_by_role("button").click()
    expect(panel.locator("mark")).to_have_count(0)  # found beside the answer: no sentence rests on it


@pytest.mark.parametrize(
    ("text", "sentences", "marked"),
    [
        ("Give 5 mg daily. Never with B.", ["give 5 mg daily"], ["Give 5 mg daily"]),
        ("Give 0.5 mg twice daily", ["give 5 mg twice daily"], ["mg twice daily"]),
        ("by mouth for 5 days, then by mouth", ["taken by mouth"], []),
        ("One two three. Four five six.", ["one two three", "four five six"], ["One two three. Four five six"]),
        ("Penicillin allergy", ["Contraindications: Penicillin allergy; X"], ["Penicillin allergy"]),
        ("حمّى شديدة جدا عند البالغ", ["حمّى شديدة جدا"], ["حمّى شديدة جدا"]),
        ("", ["anything at all"], []),
        ("Give it", [""], []),
    ],
)
def test_only_runs_of_words_that_stand_in_both_are_marked(
    page: Page, text: str, sentences: list[str], marked: list[str]
) -> None:
    """Otherwise words are marked that the answer does not rest on, such as another dose."""
    script = """
    async ([text, sentences]) => {
      const { supported, cutAt } = await import("/page/highlight.js");
      const marked = [];
      const parts = cutAt(text, supported(text, sentences), (part) => marked.push(part) && part);
      return [parts.join(""), marked];
    }
    """
    found: list[Any] = page.evaluate(script, [text, sentences])
    assert found == [text, marked]
