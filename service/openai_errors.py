"""Errors in OpenAI's shape, for the addresses that its clients call."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

ErrorType = Literal["invalid_request_error", "server_error"]

#: Addresses whose errors have OpenAI's shape, whatever goes wrong there.
_ADDRESSES = "/v1/chat/"
#: What OpenAI's clients know by another status or code, with the field it is about.
_KNOWN: dict[str, tuple[int, str, str]] = {"unknown_model": (404, "model_not_found", "model")}


class OpenAIErrorBody(BaseModel):
    """What went wrong."""

    model_config = ConfigDict(frozen=True)

    #: What happened and what to do, in one or two sentences.
    message: str
    type: ErrorType
    #: The field of the request that it is about, where it is about one.
    param: str | None
    #: Stable: programs may switch on it.
    code: str


class OpenAIError(BaseModel):
    """The body of an error response, and the data of one inside a stream."""

    model_config = ConfigDict(frozen=True)

    error: OpenAIErrorBody

    @classmethod
    def of(cls, status: int, code: str, message: str, param: str | None = None) -> OpenAIError:
        """The error that a response with that status carries."""
        kind: ErrorType = "server_error" if status >= 500 else "invalid_request_error"
        return cls(error=OpenAIErrorBody(message=message, type=kind, param=param, code=code))


def is_openai_address(path: str) -> bool:
    """Whether errors at that address have OpenAI's shape."""
    return path.startswith(_ADDRESSES)


def openai_terms(status: int, code: str, param: str | None) -> tuple[int, str, str | None]:
    """Status, code and field as OpenAI's clients know them: a request that cannot be carried out is a 400."""
    if code in _KNOWN:
        return _KNOWN[code]
    return (400 if status == 422 else status), code, param
