"""The OpenAPI document as it is published: FastAPI's, with what holds at every address written out.

FastAPI lists the model of an error under the type of what is sent where nothing is wrong, and knows nothing of the
layer around the routes, which refuses hosts and sizes and turns a failure into a problem.
"""

from __future__ import annotations

from typing import Any

from service.problems import PROBLEM_JSON

_PROBLEM = {"$ref": "#/components/schemas/Problem"}
#: What the layer around the routes answers, at any address.
_EVERYWHERE = {
    "413": "The request is too large.",
    "421": "The service is not reached by that host name.",
    "500": "The service failed; give the request id to whoever runs it.",
}


def published(document: dict[str, Any]) -> dict[str, Any]:
    """Complete the document, in place, and return it.

    The summary of an operation is the first sentence of its description. A response that a range such as 4XX covers
    is left to that range. A second time changes nothing.
    """
    for operation in (operation for methods in document["paths"].values() for operation in methods.values()):
        first = operation.get("description", operation["summary"]).partition("\n")[0]
        operation["summary"] = first.partition(". ")[0].removesuffix(".")
        responses = operation["responses"]
        for response in responses.values():
            if any(sent.get("schema") == _PROBLEM for sent in response.get("content", {}).values()):
                response["content"] = {PROBLEM_JSON: {"schema": _PROBLEM}}
        for status, description in _EVERYWHERE.items():
            if f"{status[0]}XX" not in responses:
                problem = {"description": description, "content": {PROBLEM_JSON: {"schema": _PROBLEM}}}
                responses.setdefault(status, problem)
    return document
