"""A model client that knows what the question needs and does it through the real loop.

It sees exactly the messages a model would see and answers in the same actions, so its runs are ordinary
rollouts. It searches with a good query, with another when the gold passage is still missing, stops when it has it,
asks when context is missing, and declines when nothing it may search for is left.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping

from agent import Completion, CompletionRequest, Message, ModelIdentity
from agent.actions import MAX_QUERY_CHARS, ActionKind, DeclineReason
from agent.client import TextDelta
from agent.prompts import REWORD_LINE, SHORTEN_LINE, neutral
from retrieval import Hit, PassageId
from training.questions import QuestionKind, TrainingQuestion
from training.teacher.composing import compose

#: What a rollout names as its model.
TEACHER = ModelIdentity(model="teacher", engine="scripted", trained=True)
#: Searches before an unanswerable question is declined: one may have used the wrong words.
_SEARCHES_BEFORE_DECLINING = 2
#: Passages an answer rests on where any one is enough.
_MOST_CITED = 2
#: Of answerable questions, how many are searched in the wrong source first: what a model does at times, and must
#: then learn to go on from. The misstep itself is not learned.
_WRONG_FIRST = 0.15
_OTHER_SOURCE = {"guidelines": "patient_information", "patient_information": "guidelines"}
#: One passage of an evidence message, however many lines it has.
_EVIDENCE = re.compile(r"^\[([a-z]{3})\] (.*?)(?=\n\[[a-z]{3}\] |\Z)", re.MULTILINE | re.DOTALL)


class Teacher:
    """The ideal model for one question."""

    def __init__(self, question: TrainingQuestion, gold: Mapping[PassageId, Hit]) -> None:
        """`gold` holds every passage the question names."""
        self._question = question
        self._gold = [(id, gold[id]) for id in question.gold]

    @property
    def identity(self) -> ModelIdentity:
        """See `ModelClient.identity`."""
        return TEACHER

    async def ready(self) -> bool:
        """Always."""
        return True

    async def complete(self, request: CompletionRequest, timeout_s: float) -> Completion:  # noqa: ARG002
        """See `ModelClient.complete`."""
        action = self._decide(request.messages)
        other = self._wrong_source(request.messages)
        if other is not None and action["action"] == ActionKind.SEARCH:
            return _completion(json.dumps(action | {"source": other}, ensure_ascii=False), explored=True)
        return _completion(json.dumps(action, ensure_ascii=False))

    async def stream(
        self,
        request: CompletionRequest,
        timeout_s: float,  # noqa: ARG002
    ) -> AsyncIterator[TextDelta | Completion]:
        """See `ModelClient.stream`."""
        text = self._write(request.messages)
        yield TextDelta(text=text)
        yield _completion(text)

    def _decide(self, messages: tuple[Message, ...]) -> dict[str, str]:
        question = self._question
        if question.kind is QuestionKind.NO_SEARCH:
            assert question.reply is not None
            return {"action": ActionKind.REPLY, "kind": question.reply}
        if question.kind is QuestionKind.UNDERSPECIFIED and not self._was_told(messages):
            assert question.missing is not None
            return {"action": ActionKind.ASK, "missing": question.missing}
        found = self._found(messages)
        if found and (question.kind is not QuestionKind.MULTI_HOP or len(found) == len(self._gold)):
            return {"action": ActionKind.ANSWER}
        following = self._next_search(messages, {id for _, id, _ in found})
        if following is None:
            return {"action": ActionKind.DECLINE, "reason": DeclineReason.NOT_IN_CORPUS}
        source, query = following
        return {"action": ActionKind.SEARCH, "source": source, "query": query}

    def _wrong_source(self, messages: tuple[Message, ...]) -> str | None:
        """Another source for the first search of some questions, where there is one."""
        question = self._question
        drawn = int(hashlib.sha256(f"source:{question.id}".encode()).hexdigest()[:8], 16) / 2**32
        if question.kind is not QuestionKind.ANSWERABLE or drawn >= _WRONG_FIRST or _searches(messages):
            return None
        return self._other_source(messages)

    def _other_source(self, messages: tuple[Message, ...]) -> str | None:
        """Where else an answer may be, of the sources that the first message offers."""
        other = _OTHER_SOURCE.get(self._question.source)
        return other if other is not None and f"\n- {other}:" in messages[0].content else None

    def _write(self, messages: tuple[Message, ...]) -> str:
        found = [(key, hit) for key, _, hit in self._found(messages)]
        if messages[-1].content.endswith((REWORD_LINE, SHORTEN_LINE)):
            found = found[:1]  # a shorter, reworded answer
        elif self._question.kind is not QuestionKind.MULTI_HOP:
            found = found[:_MOST_CITED]
        return compose(self._question.question, found)

    def _was_told(self, messages: tuple[Message, ...]) -> bool:
        """Whether the last question of the clinician gives what was missing."""
        assert self._question.missing is not None
        told = neutral(self._question.case[self._question.missing])
        return any(message.role == "user" and told in message.content for message in messages)

    def _found(self, messages: tuple[Message, ...]) -> list[tuple[str, PassageId, Hit]]:
        """Gold passages among the evidence shown, with their keys.

        In the order shown, since any one answers; for a multi-hop question in the question's.
        """
        shown = [
            match for message in messages if message.role == "user" for match in _EVIDENCE.findall(message.content)
        ]
        found = []
        for place, (id, hit) in enumerate(self._gold):
            # Its whole text, since many rows of one table begin alike, and no more: what follows may be abbreviated.
            text = f"| {neutral(hit.passage.text)}"
            at = [number for number, (_, block) in enumerate(shown) if text in block]
            if at:
                order = place if self._question.kind is QuestionKind.MULTI_HOP else at[-1]
                found.append((order, shown[at[-1]][0], id, hit))
        return [(key, id, hit) for _, key, id, hit in sorted(found, key=lambda item: item[0])]

    def _next_search(self, messages: tuple[Message, ...], found: set[PassageId]) -> tuple[str, str] | None:
        """Source and query of the next search; None where all that is worth searching for was."""
        question = self._question
        if question.kind is QuestionKind.MULTI_HOP:
            wanted = [query for id, query in zip(question.gold, question.queries, strict=True) if id not in found]
        else:
            wanted = list(question.queries) or [question.question]
        searches = [(question.source, _cut(query)) for query in wanted]
        if question.kind is QuestionKind.UNANSWERABLE:
            # Before it says that nothing is there it has looked in another place too, or else with other words.
            other = self._other_source(messages)
            searches[1:] = [(other, _cut(wanted[-1]))] if other else searches[1:_SEARCHES_BEFORE_DECLINING]
        made = {(source, query.casefold()) for source, query in _searches(messages)}
        return next(((source, query) for source, query in searches if (source, query.casefold()) not in made), None)


def _searches(messages: tuple[Message, ...]) -> list[tuple[str, str]]:
    """Sources and queries of the searches in this prompt; earlier answers are not JSON."""
    found = []
    for message in messages:
        if message.role == "assistant" and message.content.startswith('{"action": "search"'):
            action = json.loads(message.content)
            found.append((str(action["source"]), str(action["query"])))
    return found


def _cut(query: str) -> str:
    """At most as many characters as a query may have, cut between words."""
    query = " ".join(query.split())
    return query if len(query) <= MAX_QUERY_CHARS else query[: MAX_QUERY_CHARS + 1].rsplit(" ", 1)[0][:MAX_QUERY_CHARS]


def _completion(text: str, *, explored: bool = False) -> Completion:
    return Completion(text=text, finish_reason="stop", total_ms=0.0, explored=explored)
