"""Actions: the one decision a model takes per step, as constrained JSON.

`action` is the first key and its values start with different tokens, so the probability
of each can be read from the alternatives of one sampled token. Free text is kept out on purpose:
what is missing, why something is declined and what sort of reply is meant come from closed lists
that templates turn into sentences.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent.question import has_control_characters

#: Bounded because an untrained model fills strings without end; a query longer than this is not a query.
MAX_QUERY_CHARS = 120
_MAX_REASON_CHARS = 160


class ActionKind(StrEnum):
    """The five things a model can decide."""

    SEARCH = "search"
    ANSWER = "answer"
    ASK = "ask_clinician"
    DECLINE = "decline"
    REPLY = "reply"


class Missing(StrEnum):
    """What a clarifying question may ask for."""

    AGE = "age"
    SEX = "sex"
    PREGNANCY = "pregnancy"
    BREASTFEEDING = "breastfeeding"
    RENAL_FUNCTION = "renal_function"
    HEPATIC_FUNCTION = "hepatic_function"
    ALLERGY = "allergy"
    SEVERITY = "severity"
    SETTING = "setting"
    DURATION = "duration"
    CURRENT_DRUGS = "current_drugs"
    CONDITION = "condition"


class DeclineReason(StrEnum):
    """Why a question is not answered."""

    POLICY = "policy"
    NOT_IN_CORPUS = "not_in_corpus"


class ReplyKind(StrEnum):
    """Replies that need no new evidence."""

    THANKS = "thanks"
    ABOUT = "about"
    REWORD = "reword"
    SHORTEN = "shorten"


class _Action(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SearchAction(_Action):
    action: Literal[ActionKind.SEARCH]
    source: Annotated[str, Field(min_length=1)]
    query: Annotated[str, Field(min_length=1, max_length=MAX_QUERY_CHARS)]


class AnswerAction(_Action):
    action: Literal[ActionKind.ANSWER]


class AskAction(_Action):
    action: Literal[ActionKind.ASK]
    missing: Missing


class DeclineAction(_Action):
    action: Literal[ActionKind.DECLINE]
    reason: DeclineReason


class ReplyAction(_Action):
    action: Literal[ActionKind.REPLY]
    kind: ReplyKind


Action = SearchAction | AnswerAction | AskAction | DeclineAction | ReplyAction
_ADAPTER: TypeAdapter[Action] = TypeAdapter(Annotated[Action, Field(discriminator="action")])


def action_schema(permitted: Sequence[ActionKind], sources: Sequence[str]) -> Mapping[str, object]:
    """JSON schema of the permitted actions, in the order given; `action` is always the first key."""
    # No "pattern": vLLM's grammar backend fails the request on some of them.
    query: dict[str, object] = {"type": "string", "minLength": 3, "maxLength": MAX_QUERY_CHARS}
    fields: dict[ActionKind, dict[str, object]] = {
        ActionKind.SEARCH: {"source": {"enum": list(sources)}, "query": query},
        ActionKind.ANSWER: {},
        ActionKind.ASK: {"missing": {"enum": [m.value for m in Missing]}},
        ActionKind.DECLINE: {"reason": {"enum": [r.value for r in DeclineReason]}},
        ActionKind.REPLY: {"kind": {"enum": [k.value for k in ReplyKind]}},
    }
    variants = [
        {
            "type": "object",
            "properties": {"action": {"const": kind.value}, **fields[kind]},
            "required": ["action", *fields[kind]],
            "additionalProperties": False,
        }
        for kind in permitted
    ]
    return variants[0] if len(variants) == 1 else {"anyOf": variants}


class UnusableActionError(ValueError):
    """The text holds no permitted action; the message says what is wrong in words a model can use."""


def parse_action(text: str, permitted: Iterable[ActionKind], sources: Iterable[str]) -> Action:
    """Read an action from a reply, also from servers that do not constrain it.

    Accepts the first JSON object in the text, inside code fences or prose, and repairs nothing
    in its values.

    Raises:
        UnusableActionError: no JSON object, an unknown shape, or an action not permitted now.
    """
    start = text.find("{")
    if start < 0:
        raise UnusableActionError("the reply is not a JSON object")
    try:
        value, _ = json.JSONDecoder().raw_decode(text, start)
        action = _ADAPTER.validate_python(value)
    except (ValueError, RecursionError) as error:
        reason = error.errors()[0]["msg"] if isinstance(error, ValidationError) else "it is not valid JSON"
        # The reason may quote the reply, which may be anything and of any length.
        raise UnusableActionError(f"the reply is not one of the actions: {_quotable(reason)}") from error
    if action.action not in set(permitted):
        raise UnusableActionError(f"the action {action.action.value!r} is not possible now")
    if isinstance(action, SearchAction):
        if action.source not in set(sources):
            raise UnusableActionError("the source does not exist")
        if not action.query.strip():
            raise UnusableActionError("the query is empty")
        if has_control_characters(action.query):
            raise UnusableActionError("the query has control characters")
    return action


def _quotable(reason: str) -> str:
    return "".join(c if c.isprintable() and c != "<" else " " for c in reason[:_MAX_REASON_CHARS])


#: Everything that may stand before the first character of the action's value.
BEFORE_VALUE = re.compile(r'\s*(?:```(?:json)?\s*)?\{\s*"action"\s*:\s*"')
#: Everything that may stand before the first character of the source of a search.
BEFORE_SOURCE = re.compile(BEFORE_VALUE.pattern + r'search"\s*,\s*"source"\s*:\s*"')
