"""`clinsearch serve`: the API and the chat page, without starting anything else."""

from __future__ import annotations

import logging

import uvicorn

from service.app import create_app
from service.cli.common import err, errors_as_sentences, load_settings
from service.container import build_service
from service.telemetry import configure_tracing


def serve() -> None:
    """Serve the API and the chat page. The index must exist; the model server may come later."""
    settings = load_settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    tracing = configure_tracing(settings.otlp_endpoint)
    with errors_as_sentences():
        service = build_service(settings)
    err.print(f"Serving on http://{settings.host}:{settings.port}", highlight=False)
    # Access lines are written by the request boundary, without addresses as typed.
    uvicorn.run(create_app(service), host=settings.host, port=settings.port, access_log=False, log_config=None)
    if tracing is not None:
        tracing.shutdown()
