"""Disagreements on the page. If these fail, one side of a disagreement is out of sight or runs as markup."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from ..test_disagreements import ANSWER, SUMMARY
from .conftest import ask, finished

pytestmark = pytest.mark.slow

COPY = """
async ({ question, result }) => (await import("/page/references.js")).plainAnswer(question, result)
"""


def test_both_sides_stand_beside_each_other_as_text_and_open_their_sources(page: Page) -> None:
    done = SUMMARY.model_dump_json()
    events = [
        *(
            f'event: evidence\ndata: {{"v":1,"type":"evidence","citation":{item.model_dump_json()}}}\n\n'
            for item in ANSWER.citations
        ),
        f'event: done\ndata: {{"v":1,"type":"done","result":{done}}}\n\n',
    ]
    page.route(
        "**/v1/ask",
        lambda route: route.fulfill(status=200, content_type="text/event-stream", body="".join(events)),
    )
    ask(page, "How long should examplicillin be given?")
    finished(page)
    block = page.get_by_role("region", name="Recommendations that differ")
    expect(block.get_by_text("They differ on how long")).to_be_visible()
    sides = block.locator(".side")
    expect(sides).to_have_count(2)
    expect(sides.nth(1)).to_contain_text("Institute of Cases · 2022")
    expect(sides.nth(1)).to_contain_text("see <b>table</b>.")
    assert block.locator("b").count() == 0
    left, right = sides.nth(0).bounding_box(), sides.nth(1).bounding_box()
    assert left is not None
    assert right is not None
    assert left["y"] == right["y"], "side by side on a wide screen"
    text = page.evaluate(COPY, {"question": "How long?", "result": SUMMARY.model_dump(mode="json")})
    assert "Recommendations differ on how long:\n[1] Example fever. College of Examples, 2019" in text
    assert "[2] Example fever. Institute of Cases, 2022, United Kingdom. Strength: Strong\n    Give ex" in text
    sides.nth(1).get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text("Institute of Cases")
