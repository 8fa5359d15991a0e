"""A model client that knows what the question needs and does it through the real loop.

It sees exactly the messages a model would see and answers in the same actions, so its runs are ordinary
rollouts. It searches with a good query, with another when the gold passage is still missing, stops when it has it,
asks when context is missing, and declines when nothing it may search for is left.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Mapping

from agent import Completion, CompletionRequest, Message, ModelIdentity
from agent.actions import MAX_QUERY_CHARS, ActionKind, DeclineReason
from agent.client import TextDelta
from agent.prompts import ANSWER_LINE, neutral
from retrieval import Hit, PassageId
from training.questions import QuestionKind, TrainingQuestion
from training.teacher.composing import compose

#: What a rollout names as its model.
TEACHER = ModelIdentity(model="teacher", engine="scripted", trained=True)
#: Searches before an unanswerable question is declined: one may have used the wrong words.
_SEARCHES_BEFORE_DECLINING = 2
#: Passages an answer rests on where any one is enough.
_MOST_CITED = 2
_EVIDENCE_LINE = re.compile(r"^\[([a-z]{3})\] (.*)$", re.MULTILINE)


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
        return _completion(json.dumps(self._decide(request.messages), ensure_ascii=False))

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
        query = self._next_query(messages, {id for _, id, _ in found})
        if query is None:
            return {"action": ActionKind.DECLINE, "reason": DeclineReason.NOT_IN_CORPUS}
        return {"action": ActionKind.SEARCH, "source": question.source, "query": query}

    def _write(self, messages: tuple[Message, ...]) -> str:
        found = [(key, hit) for key, _, hit in self._found(messages)]
        if messages[-1].content != ANSWER_LINE:
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
        lines = [
            match for message in messages if message.role == "user" for match in _EVIDENCE_LINE.findall(message.content)
        ]
        found = []
        for place, (id, hit) in enumerate(self._gold):
            # Its text and no more: what comes after may be abbreviated.
            shown = neutral(hit.passage.text).split("\n")[0]
            at = [number for number, (_, line) in enumerate(lines) if f"| {shown}" in line]
            if at:
                order = place if self._question.kind is QuestionKind.MULTI_HOP else at[-1]
                found.append((order, lines[at[-1]][0], id, hit))
        return [(key, id, hit) for _, key, id, hit in sorted(found, key=lambda item: item[0])]

    def _next_query(self, messages: tuple[Message, ...], found: set[PassageId]) -> str | None:
        made = {query.casefold() for query in _searches(messages)}
        question = self._question
        if question.kind is QuestionKind.MULTI_HOP:
            wanted = [query for id, query in zip(question.gold, question.queries, strict=True) if id not in found]
        else:
            wanted = list(question.queries) or [question.question]
        if question.kind is QuestionKind.UNANSWERABLE:
            wanted = wanted[:_SEARCHES_BEFORE_DECLINING]
        return next((cut for cut in map(_cut, wanted) if cut.casefold() not in made), None)


def _searches(messages: tuple[Message, ...]) -> list[str]:
    """Queries of the searches in this prompt; earlier answers are not JSON."""
    queries = []
    for message in messages:
        if message.role == "assistant" and message.content.startswith('{"action": "search"'):
            queries.append(str(json.loads(message.content)["query"]))
    return queries


def _cut(query: str) -> str:
    """At most as many characters as a query may have, cut between words."""
    query = " ".join(query.split())
    return query if len(query) <= MAX_QUERY_CHARS else query[: MAX_QUERY_CHARS + 1].rsplit(" ", 1)[0][:MAX_QUERY_CHARS]


def _completion(text: str) -> Completion:
    return Completion(text=text, finish_reason="stop", total_ms=0.0)
