"""The ingest thread: takes what the loop has gathered, writes it, and tells the loop what came of it.

It alone writes state rows, checkpoints and executions in this process, over its own connection. A database that is away
is waited for, with everything kept: the mailbox fills and the sockets are not read. A batch that the database refuses
for what is in it is halved until the one observation that cannot be stored stands alone; that one is logged and left.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import orjson
import structlog
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, connection

from chain.rpc.pool import backoff
from executions import crashpoints
from listener import metrics
from listener.ingest import AudienceOf, Recorded, record
from listener.mailbox import Mailbox
from listener.observations import Observation
from listener.states import Place

log = structlog.get_logger(__name__)

# Larger batches gain little and hold the locks of their rows longer.
MOST_IN_BATCH = 1000
WAKE_UP_S = 1.0
# What is lost with the process then is read back by the next one.
PATIENCE_AT_STOP_S = 5.0


class Writer:
    """`run` is the thread's whole life. `on_recorded` is called in the thread after each commit."""

    def __init__(self, mailbox: Mailbox, audience_of: AudienceOf, on_recorded: Callable[[Recorded], None]) -> None:
        self._mailbox = mailbox
        self._audience_of = audience_of
        self._on_recorded = on_recorded
        self._in_doubt: frozenset[Place] = frozenset()

    def run(self) -> None:
        """Write until the mailbox is closed and empty."""
        try:
            while (batch := self._mailbox.take(MOST_IN_BATCH, WAKE_UP_S)) is not None:
                if batch:
                    self._write(batch)
        finally:
            connection.close()

    def _write(self, batch: Sequence[Observation]) -> None:
        started_s = time.perf_counter()
        try:
            recorded = self._record(batch)
        except (DataError, IntegrityError, orjson.JSONEncodeError) as error:
            if len(batch) == 1:
                metrics.UNSTORABLE.inc()
                log.exception("observation_unstorable", kind=type(batch[0]).__name__, error=type(error).__name__)
                return
            self._write(batch[: len(batch) // 2])
            self._write(batch[len(batch) // 2 :])
            return
        metrics.INGEST_SECONDS.observe(time.perf_counter() - started_s)
        metrics.OBSERVATIONS.inc(len(batch))
        metrics.MATCHED.inc(recorded.matched)
        self._in_doubt = recorded.in_doubt
        self._on_recorded(recorded)

    def _record(self, batch: Sequence[Observation]) -> Recorded:
        waits, started_s = backoff(), time.monotonic()
        while True:
            try:
                crashpoints.reach("ingest.before_commit")
                recorded = record(batch, self._audience_of, self._in_doubt)
                crashpoints.reach("ingest.after_commit")
            except (OperationalError, InterfaceError) as error:
                # If the commit got through and only its answer was lost, writing again finds rows and keys in place.
                log.warning("database_unreachable", error=type(error).__name__, observations=len(batch))
                connection.close()
                if self._mailbox.is_closed and time.monotonic() - started_s > PATIENCE_AT_STOP_S:
                    raise
                time.sleep(next(waits))
            else:
                return recorded
