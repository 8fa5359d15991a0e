"""One misbehaviour: what it is called, what it does, which call it spoils, and what a run must then end with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.answer import AnswerKind, StopReason
from agent.client import CompletionRequest, Message
from agent.scripted import ByTurn, shown_passages


class CallKind(StrEnum):
    """The calls a client makes of a model server."""

    #: What to do next: one JSON object, whole.
    DECIDE = "decide"
    #: The answer: text, streamed.
    ANSWER = "answer"
    #: How the server cuts text into tokens, asked where the agent leans towards an action.
    TOKENIZE = "tokenize"
    #: Which models there are: whether the server is ready.
    MODELS = "models"


@dataclass(frozen=True)
class Ending:
    """What a run must end with."""

    stop: StopReason
    kind: AnswerKind
    #: Codes of the failures in the record, in their order.
    codes: tuple[str, ...] = ()
    #: Whether there is a sentence in the answer.
    shown: bool = False


#: The misbehaviour costs nothing.
ANSWERED = Ending(StopReason.ANSWERED, AnswerKind.WRITTEN, shown=True)
#: The model wrote, and no sentence could be verified: the recommendations are listed.
UNVERIFIED = Ending(StopReason.MODEL_FAILED, AnswerKind.RECOMMENDATIONS, ("nothing_verified",))


def listed(code: str) -> Ending:
    """The model cannot be used: the recommendations are listed, labelled as such."""
    return Ending(StopReason.MODEL_FAILED, AnswerKind.RECOMMENDATIONS, (code,))


def cut(code: str) -> Ending:
    """The answer broke off: what was verified stays, and the recommendations are listed behind it."""
    return Ending(StopReason.MODEL_FAILED, AnswerKind.WRITTEN, (code,), shown=True)


NONSENSE = listed("model_nonsense")
#: Before a sentence was complete.
BROKEN = listed("model_stream_broken")
#: A run that used up its steps or tokens.
SPENT = Ending(StopReason.BUDGET_EXHAUSTED, AnswerKind.RECOMMENDATIONS, ("budget_exhausted",))


@dataclass(frozen=True)
class Call:
    """One request, as a behaviour sees it."""

    kind: CallKind
    body: Mapping[str, object]
    #: How many calls of this kind the run made before.
    turn: int
    #: "http://127.0.0.1:PORT/heard-elsewhere/RUN": a place that no client was told to ask.
    elsewhere: str

    @property
    def request(self) -> CompletionRequest:
        """The request as the project's own scripts take it."""
        sent = self.body.get("messages")
        messages = tuple(Message.model_validate(item) for item in sent) if isinstance(sent, list) else ()
        decides = self.kind is CallKind.DECIDE
        return CompletionRequest(messages=messages, max_tokens=1, json_schema={} if decides else None)

    @property
    def good(self) -> str:
        """What a model that behaves says here: search, then answer, then the first passage's first statement."""
        return ByTurn("first choice")(self.request)

    @property
    def passages(self) -> list[tuple[str, str]]:
        """Key and text of each passage that the prompt shows."""
        return shown_passages(self.request)

    @property
    def asked(self) -> str:
        """The text a `/tokenize` call asks about."""
        return str(self.body.get("prompt"))


#: The bytes of a response, from its status line on. The connection is closed after them.
Play = Callable[[Call], AsyncIterator[bytes]]


class ResetError(Exception):
    """Raised by a behaviour: the connection is reset (RST), with what was sent perhaps lost."""


@dataclass(frozen=True)
class Behaviour:
    """A row of the table."""

    name: str
    does: str
    play: Play
    #: By the call that is spoiled, the others being served well.
    endings: Mapping[CallKind, Ending]
    #: Only the first such call of a run is spoiled.
    once: bool = False
    #: A client notices by its own deadline only.
    late: bool = False


def endings(decide: Ending | None = None, answer: Ending | None = None, **others: Ending) -> dict[CallKind, Ending]:
    """Endings by call; a call that is not named is not played."""
    found = {CallKind.DECIDE: decide, CallKind.ANSWER: answer, **{CallKind(name): end for name, end in others.items()}}
    return {kind: ending for kind, ending in found.items() if ending is not None}


def both(ending: Ending) -> dict[CallKind, Ending]:
    """The same ending whether the decision or the answer is spoiled."""
    return endings(ending, ending)
