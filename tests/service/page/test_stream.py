"""The event stream parser of the chat page, run in the browser on every way of cutting a stream into chunks."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

pytestmark = pytest.mark.slow

#: Reads a stream cut into pieces of the given size, and gives the events.
READ = """
async ({ text, size }) => {
  const { readEvents } = await import("/page/stream.js");
  const bytes = new TextEncoder().encode(text);
  const body = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += size) controller.enqueue(bytes.slice(at, at + size));
      controller.close();
    },
  });
  const events = [];
  for await (const event of readEvents(body)) events.push([event.id, event.event, event.data]);
  return events;
}
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_events_are_the_same_however_the_network_cuts_them(page: Page, line_end: str) -> None:
    """Otherwise an answer is garbled or lost when a chunk ends inside a line end or a character."""
    lines = [
        ": keep-alive",
        "",
        "id: 1",
        "event: sentence",
        'data: {"text": "≥ 38 °C – حمّى 🌡"}',
        "",
        "event: two lines",
        "data: first",
        "data:second",
        "unknown: ignored",
        "",
        "data",
        "",
        "id: 9",
        "data: cut off before its blank line",
    ]
    text = line_end.join(lines) + line_end
    expected = [
        ["1", "sentence", '{"text": "≥ 38 °C – حمّى 🌡"}'],
        ["1", "two lines", "first\nsecond"],
        ["1", "message", ""],
    ]
    for size in (1, 2, 3, 5, 7, 64, 10_000):
        assert page.evaluate(READ, {"text": text, "size": size}) == expected, f"pieces of {size} bytes"


def test_a_connection_that_falls_silent_is_given_up(page: Page) -> None:
    """Otherwise the page waits for ever on a connection that died without saying so."""
    page.route("**/v1/ask", lambda _: None)
    said = page.evaluate(
        """async () => {
          const { ask } = await import("/page/stream.js");
          try {
            const never = new AbortController().signal;
            for await (const _ of ask({ question: "?", history: [] }, never, { silenceMs: 100 }));
          } catch (error) { return error.message; }
        }"""
    )
    assert said == "The service has stopped responding. Ask again in a moment."
    page.unroute_all(behavior="ignoreErrors")
