"""Search stores: the embedded engine and the exact reference, under one contract."""

from retrieval.stores.base import Leg, SearchStore, StoreKind, StorePoint, ordered_leg
from retrieval.stores.conditions import FIELDS, AnyOf, AtLeast, AtMost, Condition, conditions, payload
from retrieval.stores.edge import EdgeSettings, EdgeStore
from retrieval.stores.exact import ExactStore

__all__ = [
    "FIELDS",
    "AnyOf",
    "AtLeast",
    "AtMost",
    "Condition",
    "EdgeSettings",
    "EdgeStore",
    "ExactStore",
    "Leg",
    "SearchStore",
    "StoreKind",
    "StorePoint",
    "conditions",
    "ordered_leg",
    "payload",
]
