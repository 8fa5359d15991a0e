"""Errors as `application/problem+json` (RFC 9457): a stable code, what to do, and the request id.

At the addresses that OpenAI's clients call, the same errors have OpenAI's shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from service.openai_errors import OpenAIError, is_openai_address, openai_terms

PROBLEM_JSON = "application/problem+json"
#: Not a registered status, but the customary one for a client that went away; only logs and metrics see it.
CLIENT_CLOSED = 499


class Problem(BaseModel):
    """The body of every error response."""

    model_config = ConfigDict(frozen=True)

    type: str
    title: str
    status: int
    #: What happened and what to do, in one or two sentences.
    detail: str
    #: Stable: programs may switch on it.
    code: str
    request_id: str


class ProblemError(Exception):
    """Raised by routes; becomes a `Problem` response. `param` names the field that is wrong, where one is."""

    def __init__(
        self, status: int, code: str, detail: str, *, retry_after_s: int | None = None, param: str | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.param = param


def problem_response(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    retry_after_s: int | None = None,
    param: str | None = None,
) -> JSONResponse:
    """A problem document for this request, or an error in OpenAI's shape where its clients call."""
    headers = {"Retry-After": str(retry_after_s)} if retry_after_s is not None else None
    if is_openai_address(request.url.path):
        status, code, param = openai_terms(status, code, param)
        error = OpenAIError.of(status, code, detail, param)
        return JSONResponse(error.model_dump(), status_code=status, headers=headers)
    body = Problem(
        type=f"urn:clinsearch:problem:{code}",
        title="Client Closed Request" if status == CLIENT_CLOSED else HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=getattr(request.state, "request_id", ""),
    )
    return JSONResponse(body.model_dump(), status_code=status, media_type=PROBLEM_JSON, headers=headers)


async def on_problem(request: Request, error: Exception) -> JSONResponse:
    """Handler of `ProblemError`."""
    assert isinstance(error, ProblemError)
    return problem_response(
        request, error.status, error.code, error.detail, retry_after_s=error.retry_after_s, param=error.param
    )


async def on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    """Handler of FastAPI's validation errors. The values sent are not repeated: they may be a patient's."""
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if any(item["type"] == "json_invalid" for item in errors):
        return problem_response(
            request, 400, "invalid_json", 'The body is not valid JSON. Send a JSON object such as {"question": "..."}.'
        )
    field = ".".join(str(part) for part in errors[0]["loc"] if part != "body") or None
    detail = f"The request does not fit its schema. {what_is_wrong(errors)}."
    return problem_response(request, 422, "invalid_request", detail, param=field)


def what_is_wrong(errors: Sequence[Mapping[str, Any]]) -> str:
    """The first few validation errors, each with its field: "limit: Input should be a valid integer"."""
    return "; ".join(
        f"{'.'.join(str(part) for part in item['loc'] if part != 'body') or 'body'}: "
        f"{item['msg'].removeprefix('Value error, ')}"
        for item in errors[:5]
    )


async def on_http_error(request: Request, error: Exception) -> JSONResponse:
    """Handler of routing errors (404, 405)."""
    assert isinstance(error, HTTPException)
    code = {400: "invalid_json", 404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "http_error")
    detail = {
        400: "The body cannot be read as JSON. Send a JSON object in UTF-8.",
        404: "There is nothing at this address. See /docs for what there is.",
        405: "This address does not take that method. See /docs for what it takes.",
    }.get(error.status_code, "The request could not be carried out.")
    return problem_response(request, error.status_code, code, detail)
