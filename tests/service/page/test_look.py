"""How the page looks: it fits a phone, anybody can read and use it, light or dark; and pictures for people to judge."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from retrieval import CorpusEntry

from .accessibility import axe_violations
from .conftest import PATIENCE_MS, ask, finished, wider_corpus

pytestmark = pytest.mark.slow

PICTURES = Path(__file__).parents[3] / "test-artefacts" / "page"
Scheme = Literal["light", "dark"]

#: Text whose contrast with what is behind it is below WCAG 2.2 AA (1.4.3), as [ratio, text].
FAINT_TEXT = """
() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = channels(getComputedStyle(node).backgroundColor);
      if ((colour[3] ?? 1) > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !node.checkVisibility() || node.closest(":disabled")) continue;
    const style = getComputedStyle(node);
    const [a, b] = [luminance(channels(style.color)), luminance(behind(node))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) faint.push([ratio.toFixed(2), walker.currentNode.data.trim()]);
  }
  return faint;
}
"""


@pytest.fixture(scope="module")
def entries() -> list[CorpusEntry]:
    return wider_corpus()


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")], ids=lambda p: f"{p[0]}-{p[1]}")
def look(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[tuple[Page, str]]:
    """The page at one width and colour scheme, and the name for its pictures."""
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 844 if width < 800 else 860},
        color_scheme=scheme,
        reduced_motion="reduce",
        has_touch=width < 800,
        is_mobile=width < 800,
        base_url=address,
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto("/")
    PICTURES.mkdir(parents=True, exist_ok=True)
    yield page, f"{width}-{scheme}"
    context.close()


def test_every_view_can_be_read_and_used_by_anybody(look: tuple[Page, str]) -> None:
    """Otherwise somebody cannot read a dose in bright light or at night, or not with a screen reader.

    Also takes the pictures.
    """
    page, name = look

    def check(state: str) -> None:
        page.screenshot(path=PICTURES / f"{name}-{state}.png")
        assert page.evaluate(FAINT_TEXT) == [], f"too faint in state {state}"
        assert axe_violations(page) == [], f"not accessible in state {state}"

    check("1-empty")
    page.get_by_role("button", name="Filters", exact=True).click()
    page.get_by_role("checkbox", name="United States").check()
    check("1-filters")
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_role("button", name="Done").click()
    ask(page, "What happens slowly?")
    expect(page.locator(".sentence")).to_have_count(1)
    check("2-running")
    page.get_by_role("button", name="Stop").click()
    finished(page)
    check("3-stopped")
    page.get_by_role("button", name="New conversation").click()
    ask(page, "What should an adult with example fever be given, and what if only partly?")
    finished(page)
    check("4-partly")
    ask(page, "What should an adult with example fever be given?")
    finished(page)
    check("5-answer")
    page.locator(".turn").last.locator("summary").click()
    page.locator(".turn").last.locator(".cite").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check("6-evidence")
    page.keyboard.press("Escape")
    ask(page, "What does an unverified answer show?")
    finished(page)
    check("7-recommendations")
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    page.screenshot(path=PICTURES / f"{name}-7-print.png", full_page=True)
    assert page.evaluate(FAINT_TEXT) == [], "too faint on paper"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    page.locator(".turn").last.get_by_role("button", name="Not helpful").click()
    page.get_by_role("checkbox", name="Out of date").check()
    page.get_by_role("button", name="Send").scroll_into_view_if_needed()
    check("8-feedback")
    page.get_by_role("button", name="New conversation").click()
    ask(page, "What is partly verified?")
    finished(page)
    card = page.get_by_role("region", name="Your questions and training")
    card.scroll_into_view_if_needed()
    check("9-consent")
    following = page.get_by_role("region", name="Ask next")
    following.scroll_into_view_if_needed()
    check("9-suggestions")
    page.route("**/v1/ask", lambda route: route.abort("connectionreset"))
    ask(page, "What if the network fails?")
    finished(page)
    check("9-error")
    page.unroute("**/v1/ask")
    page.reload()
    opener = page.get_by_role("button", name="Conversations", exact=True)
    if opener.is_visible():
        opener.click()
    page.get_by_role("button", name="Options for What should").click()
    check("10-conversations")
    page.get_by_role("button", name="Rename").click()
    check("11-rename")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Options for What should").click()
    page.get_by_role("button", name="Delete").click()
    check("12-delete")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Use for training").click()
    check("13-training")


@pytest.mark.parametrize("width", [320, 360, 799, 800, 1024, 1920])
def test_nothing_runs_off_the_side(browser: Browser, address: str, width: int) -> None:
    """Otherwise part of a recommendation is out of sight on a phone, or at 400 % zoom."""
    context = browser.new_context(viewport={"width": width, "height": 740}, reduced_motion="reduce", base_url=address)
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)

    def check() -> None:
        assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 0

    page.goto("/")
    check()
    ask(page, "What does the hostile guideline say about " + "verylongword" * 12 + "?")
    finished(page)
    page.locator("summary").click()
    check()
    page.locator(".cite").first.click()
    check()
    panel = page.get_by_role("dialog")
    assert panel.evaluate("(node) => node.scrollWidth - node.clientWidth") <= 0
    expect(page.locator("dialog:modal")).to_have_count(1 if width < 800 else 0)
    page.set_viewport_size({"width": 1000 if width < 800 else 500, "height": 740})
    expect(page.locator("dialog:modal")).to_have_count(0 if width < 800 else 1)
    expect(panel).to_be_visible()  # turning a tablet keeps the source open
    panel.get_by_role("button", name="Close").click()
    expect(page.locator(".cite").first).to_be_focused()
    ask(page, "What does an unverified answer show?")
    finished(page)
    check()
    context.close()
