"""Search stores under one contract: the embedded engine, the exact reference, a Qdrant server by URL.

`retrieval.stores.server` is not imported here: its client is an extra, loaded when a server is used.
"""

from retrieval.stores.backends import EMBEDDED, EdgeBackend, ExactBackend, StoreBackend, store_backend
from retrieval.stores.base import Leg, SearchStore, StoreKind, StorePoint, ordered_leg
from retrieval.stores.conditions import FIELDS, AnyOf, AtLeast, AtMost, Condition, conditions, payload
from retrieval.stores.edge import EdgeSettings, EdgeStore
from retrieval.stores.exact import ExactStore
from retrieval.stores.server_settings import ServerSettings

__all__ = [
    "EMBEDDED",
    "FIELDS",
    "AnyOf",
    "AtLeast",
    "AtMost",
    "Condition",
    "EdgeBackend",
    "EdgeSettings",
    "EdgeStore",
    "ExactBackend",
    "ExactStore",
    "Leg",
    "SearchStore",
    "ServerSettings",
    "StoreBackend",
    "StoreKind",
    "StorePoint",
    "conditions",
    "ordered_leg",
    "payload",
    "store_backend",
]
