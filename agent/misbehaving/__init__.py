"""A model server that misbehaves on purpose, in a process of its own: what no model may do to the agent, each with the
outcome that a run must end with.

`python -m agent.misbehaving` serves it on loopback; `--list` prints the table. It speaks real HTTP, so that the real
client is what is tried; `agent.scripted` is the model without a server.
"""

from agent.misbehaving.behaviour import Behaviour, CallKind, Ending
from agent.misbehaving.server import MisbehavingServer
from agent.misbehaving.table import BEHAVIOURS

__all__ = ["BEHAVIOURS", "Behaviour", "CallKind", "Ending", "MisbehavingServer"]
