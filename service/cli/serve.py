"""`clinsearch serve`: the API and the chat page, without starting anything else."""

from __future__ import annotations

import gc
import logging
import resource

import uvicorn

from retrieval import SearchRequest
from service.app import create_app
from service.cli.common import err, errors_as_sentences, load_settings
from service.container import build_service
from service.telemetry import configure_tracing

#: Objects that are made before the garbage collector looks through the new ones; Python's own number is 700.
_NEW_OBJECTS = 20_000


def serve() -> None:
    """Serve the API and the chat page. The index must exist; the model server may come later."""
    settings = load_settings()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line for every call to the model says nothing new
    tracing = configure_tracing(settings.otlp_endpoint)
    with errors_as_sentences():
        service = build_service(settings)
        # Loads the encoder now: the first question must not wait for it, and /readyz must not promise too early.
        service.agent.searcher.search(SearchRequest(queries=("ready",), limit=1))
    _open_many_files()
    app = create_app(service)
    _keep_for_good()
    err.print(f"Serving on http://{settings.host}:{settings.port}", highlight=False)
    # Access lines are written by the request boundary, without addresses as typed.
    uvicorn.run(app, host=settings.host, port=settings.port, access_log=False, log_config=None)
    if tracing is not None:
        tracing.shutdown()


def _keep_for_good() -> None:
    """What is loaded now stays: the collector need not look through it again, a fifth of a second in which nobody is
    answered, each time that some hundred runs have begun. And it looks less often at what is new.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)


def _open_many_files() -> None:
    """Each streamed run has two connections, to its reader and to the model, and 1,024 files is a common limit."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
