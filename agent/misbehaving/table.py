"""The table: every misbehaviour by its name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agent.misbehaving.answers import ANSWERS
from agent.misbehaving.behaviour import Behaviour
from agent.misbehaving.beside_the_text import BESIDE_THE_TEXT
from agent.misbehaving.bodies import BODIES
from agent.misbehaving.connections import CONNECTIONS
from agent.misbehaving.decisions import DECISIONS
from agent.misbehaving.streams import STREAMS
from agent.misbehaving.tokenizing import TOKENIZING

BEHAVIOURS: Mapping[str, Behaviour] = MappingProxyType(
    {row.name: row for row in (*CONNECTIONS, *BODIES, *BESIDE_THE_TEXT, *STREAMS, *DECISIONS, *ANSWERS, *TOKENIZING)}
)
