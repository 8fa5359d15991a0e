"""What the API's document says is all that happens: thousands of requests made from it, right and wrong ones."""

from __future__ import annotations

import pytest
import requests
from schemathesis.core.jsonschema.types import JsonValue

from service.records.models import CONSENT_VERSION

from ..chat.serving import served
from ..conftest import QUESTION, ServiceFactory
from .generating import Known, Sender

#: Of the requests, so that a failure can be had again. Another seed makes others.
SEED = 20_260
#: For each operation and way of making requests.
EXAMPLES = 80
AT_LEAST = 2_000
#: Values that can be carried out: what a schema cannot say of them makes nearly every invented one a refusal.
SENSIBLE: dict[str, JsonValue] = {
    "question": QUESTION,
    "query": QUESTION,
    "history": [],
    "source": "guidelines",
    "audience": "clinician",
    "resumable": False,
    "publishers": ["Test Society"],
    "regions": ["GB"],
    "languages": ["en"],
    "published_from": "2018",
    "published_to": "2026-06",
    "model": "clinsearch",
    "messages": [{"role": "user", "content": QUESTION}],
    "n": 1,
    "tools": [],
    "functions": [],
    "modalities": ["text"],
    "response_format": {"type": "text"},
    "title": "A title",
    "version": CONSENT_VERSION,
}


@pytest.mark.slow
def test_no_generated_request_gets_what_the_document_does_not_say(make_service: ServiceFactory) -> None:
    """Else an integrator's client, written after the document, meets a status, a type or a field it does not know."""
    # A stream that waits for its reader for as long as the test takes.
    service = make_service(resume_s=600)
    with served(service) as address, requests.Session() as session:
        session.get(address)
        document = session.get(f"{address}/openapi.json").json()
        begun = session.post(f"{address}/v1/conversations", json={}).json()["id"]
        body = {"question": QUESTION, "conversation_id": begun}
        answered = session.post(f"{address}/v1/ask", json=body).json()
        streamed = session.post(
            f"{address}/v1/ask",
            json={"question": QUESTION, "resumable": True},
            headers={"accept": "text/event-stream"},
        )
        known = Known(
            path={
                "conversation_id": begun,
                "passage_id": answered["answer"]["citations"][0]["passage_id"],
                "rollout_id": streamed.headers["X-Rollout-ID"],
            },
            body={**SENSIBLE, "conversation_id": begun, "rollout_id": answered["rollout_id"]},
        )
        outcome = Sender(address, session, known, EXAMPLES, SEED).send_all(document)
    # Shown where the test fails, and with -s.
    print(f"seed {SEED}, {outcome.sent} requests")  # noqa: T201
    for (label, status), times in sorted(outcome.statuses.items()):
        print(f"{label} {status}: {times}")  # noqa: T201
    assert not outcome.failures, "\n\n".join(f"{name}\n{why}" for name, why in outcome.failures.items())
    operations = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    carried_out = {label for label, status in outcome.statuses if status < 300}
    assert carried_out == operations, "only refused so far: give the test values that can be carried out"
    assert outcome.sent >= AT_LEAST
