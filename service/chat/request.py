"""The body of POST /v1/chat/completions, and the question it asks.

What is said to the model is decided by this service and by training, so what a client would tune has no effect: system
and developer messages, sampling parameters, `stop` and token limits are accepted and ignored, as is every field this
service does not know. Refused is what would make a client wait for something that never comes: several choices, tools,
audio, images, JSON.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, ValidationError

from agent import MAX_QUESTION_CHARS, Audience, Question, QuestionError, Turn, clean_question
from agent.question import MAX_ANSWER_CHARS, MAX_TURNS
from service.chat.text import without_lists
from service.problems import ProblemError
from service.schemas import Name

#: Between messages that follow each other without an answer.
_PARAGRAPH = "\n\n"


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ContentPart(_Body):
    """A part of a message; only `text` is understood."""

    type: str
    text: str | None = None


class ChatMessage(_Body):
    """One message of the conversation."""

    role: Literal["system", "developer", "user", "assistant"]
    content: str | tuple[ContentPart, ...] | None = None

    def text(self) -> str:
        """The message as plain text. Raises ProblemError where a part is not text."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        for part in self.content:
            if part.type not in ("text", "refusal"):
                raise _unsupported(
                    "messages", "Messages are text here: images, audio and files cannot be read. Send text only."
                )
        return _PARAGRAPH.join(part.text for part in self.content if part.text)


class StreamOptions(_Body):
    """Of a streamed reply."""

    #: Send the token counts in a last chunk without choices.
    include_usage: StrictBool | None = None


class ResponseFormat(_Body):
    """What the reply should be made of; only `text` is."""

    type: str


class ChatBody(_Body):
    """Body of POST /v1/chat/completions; fields not named here are accepted and ignored."""

    messages: tuple[ChatMessage, ...] = Field(min_length=1)
    #: The model that answers, see GET /v1/models; the one in use if left out.
    model: Name | None = None
    stream: StrictBool | None = None
    stream_options: StreamOptions | None = None
    #: Of this service: whom the answer is for, as in POST /v1/ask.
    audience: Audience | None = None
    #: Only 1: a question has one verified answer.
    n: StrictInt | None = None
    #: Must be empty, as `functions`: the agent uses its own tools.
    tools: tuple[object, ...] | None = None
    functions: tuple[object, ...] | None = None
    #: Only "text".
    modalities: tuple[str, ...] | None = None
    response_format: ResponseFormat | None = None

    @property
    def include_usage(self) -> bool:
        """Whether a stream ends with the token counts."""
        return bool(self.stream_options and self.stream_options.include_usage)

    def to_question(self) -> Question:
        """The last user message with the earlier ones as its history.

        Raises:
            ProblemError: 400; something is asked for that this service does not do, or the question cannot be asked.
        """
        self._refuse_unsupported()
        *earlier, last = _exchanges(self.messages)
        if last.answer:
            raise ProblemError(
                400, "no_question", "The last message must be the user's: it is the question.", param="messages"
            )
        try:
            return Question(
                text=clean_question(last.question),
                history=tuple(_turn(exchange) for exchange in earlier[-MAX_TURNS:]),
                audience=self.audience,
            )
        except QuestionError as error:
            raise ProblemError(400, error.code, str(error), param="messages") from error

    def _refuse_unsupported(self) -> None:
        if self.n not in (None, 1):
            raise _unsupported("n", "A question has one answer here. Leave n out, or set it to 1.")
        if self.tools:
            raise _unsupported("tools", "Tools of the client are not called here. Leave tools out.")
        if self.functions:
            raise _unsupported("functions", "Functions of the client are not called here. Leave functions out.")
        if self.modalities and set(self.modalities) != {"text"}:
            raise _unsupported("modalities", "Answers are text here. Leave modalities out.")
        if self.response_format and self.response_format.type != "text":
            raise _unsupported(
                "response_format", "Answers are made of recommendations, not of JSON. Leave response_format out."
            )


class _Exchange:
    """What was asked and what came back for it; both as far as known."""

    def __init__(self, question: str) -> None:
        self.question = question
        self.answer = ""


def _exchanges(messages: Iterable[ChatMessage]) -> list[_Exchange]:
    """The conversation as questions with answers; never empty.

    Questions in a row that nothing answered (a run that was stopped) are one, as are answers in a row. What an
    assistant says before the first question, a greeting, answers nothing and is left out.
    """
    found: list[_Exchange] = []
    for message in messages:
        text = message.text().strip()
        if message.role == "user":
            if found and not found[-1].answer:
                found[-1].question = _PARAGRAPH.join(filter(None, (found[-1].question, text)))
            else:
                found.append(_Exchange(text))
        elif message.role == "assistant" and found:
            found[-1].answer = _PARAGRAPH.join(filter(None, (found[-1].answer, text)))
    return found or [_Exchange("")]


def _turn(exchange: _Exchange) -> Turn:
    """An earlier exchange as history, as the chat page sends it: without the lists under the answer.

    Raises:
        ProblemError: the question is longer than one may be, or there are control characters.
    """
    if len(exchange.question) > MAX_QUESTION_CHARS:
        raise ProblemError(
            400,
            "question_too_long",
            f"An earlier question has more than {MAX_QUESTION_CHARS:,} characters. Start a new conversation.",
            param="messages",
        )
    try:
        return Turn(question=exchange.question, answer=without_lists(exchange.answer)[:MAX_ANSWER_CHARS])
    except ValidationError as error:
        raise ProblemError(
            400,
            "question_control_characters",
            "An earlier message contains control characters. Start a new conversation.",
            param="messages",
        ) from error


def _unsupported(param: str, detail: str) -> ProblemError:
    return ProblemError(400, "unsupported", detail, param=param)
