"""Spans leave the process only when an endpoint is configured, and then really arrive there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

from service.telemetry import configure_tracing, otlp_provider


@contextmanager
def collector() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """An OTLP/HTTP endpoint on loopback that keeps what it is sent."""
    received: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append((self.path, self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_spans_arrive_at_the_configured_endpoint() -> None:
    with collector() as (endpoint, received):
        provider = otlp_provider(endpoint)
        with provider.get_tracer("test").start_as_current_span("chat decide"):
            pass
        provider.shutdown()
    assert [path for path, _ in received] == ["/v1/traces"]
    assert b"chat decide" in received[0][1]
    assert b"clinsearch" in received[0][1]


def test_without_an_endpoint_nothing_is_set_up() -> None:
    assert configure_tracing(None) is None
