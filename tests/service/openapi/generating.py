"""Requests made from the published document, sent to a service on loopback, and what is checked of every response."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis import checks as known_checks
from schemathesis.core.failures import FailureGroup
from schemathesis.core.jsonschema.types import JsonValue
from schemathesis.core.result import Ok

#: Those of schemathesis' checks that hold of any API which does what its document says. Left out are
#: positive_data_acceptance, since JSON Schema cannot say all that is refused (control characters, dates the wrong way
#: round, a source that is not there); unsupported_method, since it asks for methods that are no part of the document;
#: those on credentials and on deleted things, which take several requests in order and have tests of their own.
CHECKS = [
    known_checks.not_a_server_error,
    known_checks.status_code_conformance,
    known_checks.content_type_conformance,
    known_checks.response_headers_conformance,
    known_checks.response_schema_conformance,
    known_checks.negative_data_rejection,
]
#: For one response, seconds.
TIMEOUT_S = 60
JSON, EVENTS = "application/json", "text/event-stream"


@dataclass(frozen=True)
class Way:
    """One way of making requests for an operation."""

    mode: GenerationMode
    accept: str = JSON
    #: With the ids of what exists.
    known: bool = False

    def __str__(self) -> str:
        return f"{self.mode.value} data{', what exists' if self.known else ''}, {self.accept}"


WAYS = (
    Way(GenerationMode.POSITIVE),
    Way(GenerationMode.POSITIVE, known=True),
    Way(GenerationMode.POSITIVE, EVENTS, known=True),
    Way(GenerationMode.NEGATIVE),
)


@dataclass(frozen=True)
class Known:
    """What exists, so that requests reach more than "there is no such thing": by the names of fields."""

    path: dict[str, str]
    body: dict[str, JsonValue]

    def put_into(self, case: Case[Any]) -> Case[Any]:
        """The request, with these values in those fields that it has."""
        if isinstance(case.body, dict):
            case.body = {**case.body, **{name: value for name, value in self.body.items() if name in case.body}}
        return case


@dataclass
class Outcome:
    """What came of the requests."""

    #: By operation and status.
    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    #: The smallest request that shows a failure, by operation and way.
    failures: dict[str, str] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        """How many there were."""
        return self.statuses.total()


@dataclass(frozen=True)
class Sender:
    """Sends requests made from a document to the service at `address`."""

    address: str
    session: requests.Session
    known: Known
    #: Most requests for each operation and way of making them.
    examples: int
    first_seed: int

    def send_all(self, document: dict[str, Any]) -> Outcome:
        """Requests for every operation of the document, made in every way that fits it.

        Raises whatever schemathesis raises where the document is not valid OpenAPI.
        """
        schema = schemathesis.openapi.from_dict(document)
        schema.validate()
        outcome = Outcome()
        operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
        assert len(operations) == sum(len(methods) for methods in document["paths"].values())
        # What exists is deleted last.
        for number, operation in enumerate(sorted(operations, key=lambda operation: operation.method == "delete")):
            names = {item.name for item in operation.path_parameters}
            named = {name: value for name, value in self.known.path.items() if name in names}
            said = operation.definition.raw
            streams = EVENTS in said["responses"].get("200", {}).get("content", {})
            for way in WAYS:
                if (way.known and not named and "requestBody" not in said) or (way.accept == EVENTS and not streams):
                    continue
                strategy = operation.as_strategy(way.mode, path_parameters=named if way.known and named else None)
                try:
                    self._requests(strategy, way, number, outcome)()
                except Unsatisfiable:
                    # Nothing of this operation can be wrong.
                    assert way.mode.is_negative, f"{operation.label}: no request could be made"
                except FailureGroup as failures:
                    outcome.failures[f"{operation.label} ({way})"] = "\n".join(map(str, failures.exceptions))
        return outcome

    def _requests(
        self, strategy: SearchStrategy[Case[Any]], way: Way, number: int, outcome: Outcome
    ) -> Callable[[], None]:
        """Sends the requests of one operation when it is called. It raises FailureGroup at the smallest that fails."""

        @seed(self.first_seed + number)
        @settings(
            max_examples=self.examples,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def responds(case: Case[Any]) -> None:
            made = self.known.put_into(case) if way.known else case
            response = made.call(self.address, self.session, {"Accept": way.accept}, timeout=TIMEOUT_S)
            outcome.statuses[made.operation.label, response.status_code] += 1
            made.validate_response(response, checks=CHECKS)

        return responds
