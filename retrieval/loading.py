"""One model is loaded at a time: while transformers loads weights it replaces torch's initialisers for every thread."""

from __future__ import annotations

import threading

#: Held while weights are loaded, by whoever loads them.
LOADING = threading.Lock()
