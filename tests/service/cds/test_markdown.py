"""Whatever a guideline's text holds, a Markdown renderer makes plain text of it: the same text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from service.cds.markdown import escaped, plain

_GFM = MarkdownIt("gfm-like", {"linkify": False, "html": True})
_PLAIN = {"paragraph_open", "paragraph_close", "inline", "text", "hardbreak", "softbreak"}
_MARKUP = "".join(chr(code) for code in range(32, 127)) + "\n"


def tokens(markdown: str) -> list[Token]:
    return [inner for token in _GFM.parse(markdown) for inner in (token, *(token.children or ()))]


def shown(markdown: str) -> str:
    """The text that a reader sees."""
    return "".join(
        "\n" if token.type in ("hardbreak", "softbreak") else token.content
        for token in tokens(markdown)
        if token.type not in ("inline",)
    )


@given(st.text(st.sampled_from(_MARKUP), max_size=80) | st.text(max_size=40))
def test_text_stays_text_and_the_same_text(text: str) -> None:
    markdown = escaped(text)
    assert {token.type for token in tokens(markdown)} <= _PLAIN
    lines = [line for line in map(plain, text.splitlines()) if line]
    assert shown(markdown).replace("\u2060", "").split("\n") == (lines or [""])


@pytest.mark.parametrize(
    "text",
    [
        "# Heading",
        "- item",
        "+ item",
        "1. item",
        "2) item",
        "> quote",
        "===",
        "---",
        "    code",
        "```js",
        "~~gone~~",
        "| a | b |\n|---|---|",
        "[a](https://evil.example)",
        "![a](https://evil.example/x.png)",
        "<script>alert(1)</script>",
        "<https://evil.example>",
        "&lt;b&gt; &amp; &#64;",
        "[^1]: note",
        "- [ ] task",
    ],
)
def test_nothing_that_markdown_knows_comes_to_life(text: str) -> None:
    assert {token.type for token in tokens(escaped(text))} <= _PLAIN


@pytest.mark.parametrize(
    "text", ["http://evil.example", "https://evil.example", "ftp://evil.example", "www.evil.example", "a@evil.example"]
)
def test_bare_addresses_are_not_made_links(text: str) -> None:
    """GFM's extended autolinks (GFM 6.9): schemes, www. and mail, as its patterns have them."""
    assert not re.search(r"https?://|ftp://|www\.\w|[\w.+-]@[A-Za-z0-9]", escaped(text), re.IGNORECASE)


def test_a_dose_reads_the_same_in_the_source() -> None:
    text = "Give 1.2 g (20 mg/kg) 3-4 times daily if eGFR > 30; stop at 5.5 mmol/l."
    assert escaped(text) == text
