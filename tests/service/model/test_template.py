"""The chat template: what the server renders is what training masks, and prompts only grow at their end."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2.exceptions import TemplateError
from transformers.utils.chat_template_utils import render_jinja_template

from agent.templates import CHAT_TEMPLATE, chat_template_sha256

Turn = dict[str, str]
TEMPLATE = CHAT_TEMPLATE.read_text(encoding="utf-8")
OPENING = "<|im_start|>assistant\n"


def render(messages: list[Turn], **options: Any) -> tuple[str, list[tuple[int, int]]]:
    """The text, and where the assistant's own words are in it."""
    renderer: Any = render_jinja_template  # its annotation names one of the two values it returns
    rendered, spans = renderer(conversations=[messages], chat_template=TEMPLATE, **options)
    return rendered[0], [(int(start), int(end)) for start, end in spans[0]] if spans else []


@st.composite
def conversations(draw: st.DrawFn) -> list[Turn]:
    contents = draw(st.lists(st.text(max_size=30), min_size=1, max_size=7))
    system = draw(st.booleans())
    roles = ["system"] * system + ["user", "assistant"] * 4
    return [{"role": role, "content": content} for role, content in zip(roles, contents, strict=False)]


@given(conversations())
def test_each_prompt_begins_with_all_earlier_ones(messages: list[Turn]) -> None:
    """A server's prefix cache, and merging steps into one training row, rest on this."""
    whole, _ = render(messages)
    for count in range(1, len(messages)):
        assert whole.startswith(render(messages[:count])[0])
        if messages[count]["role"] == "assistant":
            sampled = messages[count]["content"] + "<|im_end|>"
            assert whole.startswith(render(messages[:count], add_generation_prompt=True)[0] + sampled)


@given(conversations())
def test_the_marked_tokens_are_exactly_what_the_model_sampled(messages: list[Turn]) -> None:
    whole, spans = render(messages, return_assistant_tokens_mask=True)
    sampled = [message["content"] + "<|im_end|>" for message in messages if message["role"] == "assistant"]
    assert [whole[start:end] for start, end in spans] == sampled


def test_no_words_are_added_that_nobody_wrote() -> None:
    """The packaged model's own template slips in a default system prompt; ours must not."""
    assert render([{"role": "user", "content": " q "}], add_generation_prompt=True)[0] == (
        f"<|im_start|>user\n q <|im_end|>\n{OPENING}"
    )


@pytest.mark.parametrize(
    "roles", [["assistant"], ["user", "user"], ["user", "system"], ["system", "assistant"], ["user", "tool"]]
)
def test_turns_in_another_order_are_refused(roles: list[str]) -> None:
    with pytest.raises(TemplateError, match=r"alternate|first message"):
        render([{"role": role, "content": "x"} for role in roles])


def test_the_hash_names_the_file_byte_for_byte() -> None:
    assert len(chat_template_sha256()) == 64
    assert TEMPLATE.encode() == CHAT_TEMPLATE.read_bytes()
