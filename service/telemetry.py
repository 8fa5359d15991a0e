"""OpenTelemetry set-up: spans leave the process only when an OTLP endpoint is configured."""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from agent.version import PRODUCER


def otlp_provider(otlp_endpoint: str) -> TracerProvider:
    """A provider that sends spans to an OTLP/HTTP endpoint in batches."""
    name, _, version = PRODUCER.partition(" ")
    provider = TracerProvider(resource=Resource.create({"service.name": name, "service.version": version}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=otlp_endpoint)))
    return provider


def configure_tracing(otlp_endpoint: str | None) -> TracerProvider | None:
    """Send spans to `otlp_endpoint`; without one nothing is set up and spans cost next to nothing."""
    if otlp_endpoint is None:
        return None
    provider = otlp_provider(otlp_endpoint)
    trace.set_tracer_provider(provider)
    return provider
