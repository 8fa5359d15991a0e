"""Log lines of `clinsearch mcp`: to standard error, and without the text of errors, which may be a patient's."""

from __future__ import annotations

import logging

from service.middleware import where

#: What these say of every message and call, the tools and the request boundary say once.
_TALKATIVE = ("httpx2", "mcp", "sse_starlette")


class WithoutTraces(logging.Filter):
    """Puts the type and the place of an error where its trace and message would stand."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep every record."""
        if record.exc_info and record.exc_info[1] is not None:
            record.msg, record.args = f"{record.getMessage()}: {where(record.exc_info[1])}", None
            record.exc_info = record.exc_text = None
        return True


def log_to_standard_error() -> None:
    """Set the process's logging up."""
    handler = logging.StreamHandler()
    handler.addFilter(WithoutTraces())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
