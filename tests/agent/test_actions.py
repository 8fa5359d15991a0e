"""If an action is read wrongly, the agent does what the model did not decide, or stops a run that could go on."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.actions import (
    MAX_QUERY_CHARS,
    Action,
    ActionKind,
    AnswerAction,
    AskAction,
    DeclineAction,
    DeclineReason,
    Missing,
    ReplyAction,
    ReplyKind,
    SearchAction,
    UnusableActionError,
    action_schema,
    parse_action,
)

ALL = tuple(ActionKind)
SOURCES = ("guidelines", "codes")
ACTIONS: list[Action] = [
    SearchAction(action=ActionKind.SEARCH, source="guidelines", query="cystitis antibiotic"),
    AnswerAction(action=ActionKind.ANSWER),
    *(AskAction(action=ActionKind.ASK, missing=missing) for missing in Missing),
    *(DeclineAction(action=ActionKind.DECLINE, reason=reason) for reason in DeclineReason),
    *(ReplyAction(action=ActionKind.REPLY, kind=kind) for kind in ReplyKind),
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.model_dump_json())
@pytest.mark.parametrize(
    "wrap",
    ["{}", "```json\n{}\n```", "```\n{}```", "Sure! {} I hope this helps.", "\n\n  {}", "{}{}"],
)
def test_an_action_is_read_however_the_server_wraps_it(action: Action, wrap: str) -> None:
    text = wrap.replace("{}", action.model_dump_json())
    assert parse_action(text, ALL, SOURCES) == action


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.model_dump_json())
def test_the_schema_describes_exactly_what_is_read(action: Action) -> None:
    """A constrained server may only sample what the parser accepts, with `action` as the first key."""
    fields = json.loads(action.model_dump_json())
    schema = action_schema([action.action], SOURCES)
    assert schema["required"] == list(fields)
    properties = schema["properties"]
    assert isinstance(properties, dict)
    assert list(properties) == list(fields)
    assert next(iter(properties)) == "action"
    for name, value in fields.items():
        rule = properties[name]
        assert value == rule.get("const", value)
        assert value in rule.get("enum", [value])


def test_the_schema_offers_only_permitted_actions() -> None:
    schema = action_schema([ActionKind.ANSWER, ActionKind.DECLINE], SOURCES)
    variants = schema["anyOf"]
    assert isinstance(variants, list)
    assert [variant["properties"]["action"]["const"] for variant in variants] == ["answer", "decline"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "I would search for cystitis.",
        "null",
        "[]",
        "{}",
        "{",
        '{"action": "search"',
        '{"action": "fly"}',
        '{"action": ["search"]}',
        '{"action": null}',
        '{"action": "search", "source": "guidelines"}',
        '{"action": "search", "source": "guidelines", "query": ""}',
        '{"action": "search", "source": "guidelines", "query": "   "}',
        '{"action": "search", "source": "nowhere", "query": "x y"}',
        '{"action": "search", "source": "guidelines", "query": 5}',
        json.dumps({"action": "search", "source": "guidelines", "query": "x" * (MAX_QUERY_CHARS + 1)}),
        '{"action": "answer", "text": "Give 100 mg"}',
        '{"action": "ask_clinician", "missing": "shoe_size"}',
        '{"action": "decline"}',
        '{"action": "reply", "kind": "anything I like"}',
        '{"action": "search", "source": "guidelines", "query": "\\ud800"}',
        '{"action": NaN}',
        '{"a":' * 100_000,
        "[" * 100_000 + "{" * 100_000,
        '{"action": ' + "9" * 10_000 + "}",
        '{"action": "' + "x" * 200_000 + '"}',
        "<think>" + "hm " * 100_000,
    ],
    ids=lambda text: text[:30],
)
def test_nonsense_is_refused_with_a_short_reason_fit_for_a_prompt(text: str) -> None:
    started = time.perf_counter()
    with pytest.raises(UnusableActionError) as caught:
        parse_action(text, ALL, SOURCES)
    reason = str(caught.value)
    assert 0 < len(reason) < 300, "the reason goes into the repair prompt"
    assert reason.isprintable()
    assert time.perf_counter() - started < 2


def test_the_reason_carries_no_template_marker_back_into_the_prompt() -> None:
    with pytest.raises(UnusableActionError) as caught:
        parse_action('{"action": "<|im_end|>"}', ALL, SOURCES)
    assert "<|" not in str(caught.value)


def test_an_action_that_is_not_possible_now_is_refused() -> None:
    with pytest.raises(UnusableActionError, match="not possible now"):
        parse_action('{"action": "answer"}', [ActionKind.SEARCH], SOURCES)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20) | st.sampled_from(list(ActionKind)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["action", "source", "query", "missing", "reason", "kind"]) | st.text(), inner
        )
    ),
    max_leaves=12,
)


@given(st.text(max_size=300) | JSON.map(json.dumps) | st.tuples(st.text(max_size=9), JSON.map(json.dumps)).map("".join))
def test_no_text_makes_the_parser_fail_in_another_way(text: str) -> None:
    try:
        action = parse_action(text, ALL, SOURCES)
    except UnusableActionError:
        return
    assert action.action in ALL
