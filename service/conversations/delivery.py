"""Tells the journal of runs what people said of them and which are to be erased.

The records keep each such thing in the transaction that caused it, until it was told; a service that died in between
tells it when it starts again. Telling twice changes nothing.
"""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from agent import Clock, JournalError, RunArchive, SystemClock
from service.records import Pending, Records, RecordsError

logger = logging.getLogger("clinsearch.records")

#: A run to be erased may still be going on, and is looked for again until then; one that a killed service never wrote
#: is in no journal.
UNFOUND_KEPT = timedelta(hours=1)


class Delivery:
    """From the records to the journal; one caller at a time, calls block."""

    def __init__(self, records: Records, journal: RunArchive, clock: Clock | None = None) -> None:
        self._records = records
        self._journal = journal
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()

    def judgements(self) -> None:
        """Tell what people said. A failure is logged and tried again with the next."""
        self._carry_out(erase=False)

    def everything(self) -> None:
        """Tell what people said, and erase what is to be erased, which reads the whole journal."""
        self._carry_out(erase=True)

    def _carry_out(self, *, erase: bool) -> None:
        with self._lock:
            try:
                while pending := self._records.pending():
                    done = self._judge(pending)
                    if erase:
                        done |= self._erase(pending)
                    self._records.settle(done)
                    if len(done) < len(pending):
                        return
            except (JournalError, RecordsError) as error:
                # What a person did is kept and done; only the journal does not know yet.
                logger.error("%s while the journal was told of feedback; it is tried again", type(error).__name__)

    def _judge(self, pending: tuple[Pending, ...]) -> set[int]:
        items = [(item.id, item.judgement) for item in pending if item.judgement is not None]
        if items:
            self._journal.judge([judgement for _, judgement in items])
        return {number for number, _ in items}

    def _erase(self, pending: tuple[Pending, ...]) -> set[int]:
        items = [item for item in pending if item.kind == "erase"]
        if not items:
            return set()
        erased = self._journal.erase({item.rollout_id for item in items})
        given_up = self._clock.now() - UNFOUND_KEPT
        return {
            item.id
            for item in items
            if item.rollout_id in erased.found or (item.at < given_up and not erased.passed_over)
        }
