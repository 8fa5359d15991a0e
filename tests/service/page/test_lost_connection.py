"""A connection that breaks while an answer is written: the page goes on where it was, or says what to do."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from agent import MemoryJournal
from agent.events import StepEvent, StepSummary

from .conftest import DOSE, REVIEW, ask, finished
from .cutting import cutting
from .test_chat_page import events, forgive

pytestmark = pytest.mark.slow

#: Longest wait for the scripted model, which pauses for 20 s in the middle of an answer, milliseconds.
LONG_MS = 60_000
STEP = StepEvent(step=StepSummary(kind="search", summary="Searched.", duration_ms=1.0))
LOST = "Connection lost. Reconnecting…"


def aborted(page: Page, journal: MemoryJournal, before: int) -> bool:
    """Whether the newest run, which was not there before, was ended early; waits for its record."""
    for _ in range(600):
        if len(journal.rollouts) > before:
            break
        page.wait_for_timeout(50)
    return journal.rollouts[-1].outcome.status == "aborted"


def test_an_answer_goes_on_where_the_connection_was_lost(
    browser: Browser, address: str, journal: MemoryJournal
) -> None:
    """Otherwise a lift or a train costs the clinician the answer, or shows a sentence twice."""
    with cutting(address) as proxy:
        context = browser.new_context(base_url=proxy.address)
        page = context.new_page()
        page.set_default_timeout(LONG_MS)
        page.goto("/")
        ask(page, "What happens slowly?")
        sentences, status = page.locator(".sentence"), page.locator(".turn .status")
        expect(sentences).to_have_count(1, timeout=LONG_MS)
        writing = status.text_content() or ""
        for _ in range(2):
            proxy.cut()
            expect(status).to_have_text(LOST, timeout=LONG_MS)
            expect(page.locator("#announcer")).to_have_text(LOST)
            expect(page.locator(".turn-problem")).to_be_empty()
            expect(sentences).to_have_count(1)
            proxy.mend()
            expect(status).to_have_text(writing, timeout=LONG_MS)
        page.locator(".turn.settled").wait_for()
        expect(sentences).to_have_text([f"{DOSE}\u00a01", f"{REVIEW}\u00a02"])
        expect(status).to_contain_text("Answered from the guidelines")
        assert journal.rollouts[-1].outcome.status == "completed"
        page.reload()
        expect(sentences).to_have_count(2)
        context.close()


def test_a_connection_that_does_not_come_back_says_what_to_do(page: Page, complaints: list[str]) -> None:
    """Otherwise the page tries for ever, and what was read is gone."""
    headers = {"Content-Type": "text/event-stream", "X-Rollout-ID": "0" * 26, "X-Resume-Seconds": "1"}
    step = events(("step", {"step": STEP.step.model_dump(mode="json")}))
    page.route("**/v1/ask", lambda route: route.fulfill(body=step, headers=headers))
    page.route("**/v1/ask/*/events", lambda route: route.abort("connectionreset"))
    page.route("**/v1/ask/" + "0" * 26, lambda route: route.fulfill(status=204))
    ask(page, "What now?")
    expect(page.locator(".turn .status")).to_have_text(LOST)
    finished(page)
    expect(page.locator(".turn-problem")).to_contain_text("Check the network, then ask again.")
    expect(page.get_by_role("textbox")).to_have_value("What now?")
    forgive(complaints, "net::ERR_CONNECTION_RESET")


def test_what_the_service_no_longer_holds_is_not_waited_for(page: Page, complaints: list[str]) -> None:
    """A restarted service knows nothing of the stream."""
    headers = {"Content-Type": "text/event-stream", "X-Rollout-ID": "0" * 26, "X-Resume-Seconds": "600"}
    asked_for: list[str | None] = []

    def gone(route: Route) -> None:
        asked_for.append(route.request.headers.get("last-event-id"))
        problem = json.dumps({"detail": "There is no such stream.", "code": "stream_not_found"})
        if len(asked_for) == 1:
            route.fulfill(status=502, body="<h1>Bad gateway</h1>", content_type="text/html")
        else:
            route.fulfill(status=404, body=problem, content_type="application/problem+json")

    step = events(("step", {"step": STEP.step.model_dump(mode="json")}))
    page.route("**/v1/ask", lambda route: route.fulfill(body=step, headers=headers))
    page.route("**/v1/ask/*/events", gone)
    ask(page, "What now?")
    finished(page)
    expect(page.locator(".turn-problem")).to_contain_text("the rest of the answer is no longer to be had. Ask again.")
    assert asked_for == ["1", "1"], "a proxy's fault is tried again, a no is not"
    forgive(complaints, "status of 502")
    forgive(complaints, "status of 404")


def test_leaving_the_page_ends_the_run(page: Page, journal: MemoryJournal) -> None:
    """Otherwise a closed tab keeps the model busy for half a minute."""
    before = len(journal.rollouts)
    ask(page, "What happens slowly?")
    expect(page.locator(".sentence")).to_have_count(1)
    page.goto("about:blank")
    assert aborted(page, journal, before)


def test_a_question_stopped_before_the_service_named_its_run_is_ended_too(page: Page) -> None:
    """Otherwise a quick stop over a slow network leaves a run that nobody can end."""
    sent = page.evaluate(
        """async () => {
          const { ask } = await import("/page/stream.js");
          const sent = [];
          const real = window.fetch;
          let answer, started, ended;
          const posted = new Promise((resolve) => (started = resolve));
          const deleted = new Promise((resolve) => (ended = resolve));
          window.fetch = (path, options = {}) => {
            // The page asks for other things of its own while it opens; they are none of this test's.
            if (!path.startsWith("/v1/ask")) return real(path, options);
            sent.push(`${options.method} ${path}`);
            if (options.method === "POST") return new Promise((resolve) => started((answer = resolve)));
            ended();
            return Promise.resolve(new Response());
          };
          const stop = new AbortController();
          const asking = ask({ question: "?", history: [] }, stop.signal).next().catch((error) => error.name);
          await posted;
          stop.abort();
          sent.push(await asking);
          answer(new Response(new Blob(), { headers: { "X-Rollout-ID": "RUN" } }));
          await Promise.race([deleted, new Promise((resolve) => setTimeout(resolve, 10_000))]);
          return sent;
        }"""
    )
    assert sent == ["POST /v1/ask", "AbortError", "DELETE /v1/ask/RUN"]
