"""Conversations over the records: asking in one, showing old answers as they stand now, telling the journal of runs."""

from service.conversations.asking import Talk, begin_turn
from service.conversations.calling import in_thread
from service.conversations.delivery import Delivery
from service.conversations.standing import as_it_stands

__all__ = ["Delivery", "Talk", "as_it_stands", "begin_turn", "in_thread"]
