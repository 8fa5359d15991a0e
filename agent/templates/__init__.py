"""The project's chat template: one file, used when a model is prepared, served and trained.

An adapter is bound to it by hash, because other words around the turns are another language to a
small model.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

CHAT_TEMPLATE = Path(__file__).with_name("chatml.jinja")


def chat_template_sha256() -> str:
    """SHA-256 of the template file's bytes, in hex."""
    return hashlib.sha256(CHAT_TEMPLATE.read_bytes()).hexdigest()
