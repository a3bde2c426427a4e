"""Sends what the outbox holds: any number of relays at once, each event at least once, each subject in order."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress

from ..backoff import Backoff
from ..errors import TransientError
from ..observability import Metrics
from ..postgres import Database
from .maintenance import Upkeep
from .sender import OutboxPublisher, Sender
from .table import OutboxRow, OutboxTable

__all__ = ["OutboxRelay"]

logger = logging.getLogger(__name__)

_BACKOFF = Backoff(base_s=0.2, cap_s=5.0)
_LAST_MARK_S = 1.0


class OutboxRelay:
    """Claims events by lease, sends them outside of any transaction, marks those that the queue took.

    A relay that dies between sending and marking leaves events that are sent again when the lease ends; their ids are
    the same. Each destination is sent to by itself, so that one that is away holds up none of the others. Events of one
    subject leave for one destination in the order of their ids: one that is not sent holds up those behind it.

    Args:
        database: holds the table of ``service_common.outbox.migrations``.
        publisher: takes the messages.
        source: the ``source`` of the events.
        spacing_s: the least time between two claims, in seconds: what commits meanwhile shares a request. An idle relay
            sends at once.
        lease_s: how long a claim hides its events from other relays, in seconds.
        batch: the most events of one claim.
        poll_s: how often to look without being woken, in seconds.
        metrics: where to count.
    """

    def __init__(
        self,
        database: Database,
        publisher: OutboxPublisher,
        source: str,
        *,
        spacing_s: float = 0.08,
        lease_s: float = 30.0,
        batch: int = 200,
        poll_s: float = 1.0,
        metrics: Metrics | None = None,
    ) -> None:
        metrics = Metrics() if metrics is None else metrics
        self._database = database
        self._table = OutboxTable(database)
        self._sender = Sender(publisher, source, metrics, timeout_s=lease_s)
        self._upkeep = Upkeep(self._table, metrics)
        self._spacing_s, self._lease_s, self._batch, self._poll_s = spacing_s, lease_s, batch, poll_s
        self._due = asyncio.Event()
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._busy: set[str] = set()
        self._deliveries: set[asyncio.Task[None]] = set()
        self._left_behind = False
        self._failures: dict[str, int] = defaultdict(int)
        self._unmarked: set[int] = set()

    def wake(self) -> None:
        """Say that events were committed."""
        self._due.set()

    async def run(self) -> None:
        """Send until :meth:`stop`; waits for a database or a queue that is away.

        Raises:
            ExceptionGroup: a fault in the statements or in this relay, never an outage.
        """
        self._ended.clear()
        try:
            async with asyncio.TaskGroup() as tasks:
                upkeep = tasks.create_task(self._upkeep.run())
                await self._relay(tasks)
                upkeep.cancel()
        finally:
            await self._mark()
            self._ended.set()

    async def stop(self) -> None:
        """Send all that is due, each of it once, and return when it has ended; cancel it when that takes too long."""
        self._stop.set()
        self._due.set()
        await self._ended.wait()

    async def _relay(self, tasks: asyncio.TaskGroup) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                await self._turn(tasks)
                failures = 0
            except TransientError as error:
                if not failures:
                    logger.warning("outbox not read", extra={"reason": str(error)})
                failures += 1
                await self._pause(min(self._poll_s, _BACKOFF.delay_s(failures)))
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await self._due.wait()
        with suppress(TransientError):
            await self._finish(tasks)

    async def _finish(self, tasks: asyncio.TaskGroup) -> None:
        """Go on until nothing is due; a destination that failed meanwhile stays busy, so it is not tried for ever."""
        more = True
        while more:
            more = bool(self._deliveries)  # what the claim leaves out for them is seen by the next
            more = await self._turn(tasks) or more
            if self._deliveries:
                await asyncio.wait(self._deliveries, return_when=asyncio.FIRST_COMPLETED)

    async def _turn(self, tasks: asyncio.TaskGroup) -> bool:
        """Claim once and have it delivered; return whether there was anything."""
        self._due.clear()
        marking = tuple(self._unmarked)
        rows = await self._table.claim(self._batch, self._lease_s, excluded=self._busy, sent=marking)
        self._unmarked.difference_update(marking)
        self._left_behind = bool(self._busy) or len(rows) == self._batch
        lanes: dict[str, list[OutboxRow]] = defaultdict(list)
        for row in rows:
            lanes[row.destination].append(row)
        for destination, lane in lanes.items():
            self._busy.add(destination)
            delivery = tasks.create_task(self._deliver(destination, lane))
            self._deliveries.add(delivery)
            delivery.add_done_callback(self._deliveries.discard)
        if rows:
            await self._pause(self._spacing_s)
        return bool(rows)

    async def _deliver(self, destination: str, rows: Sequence[OutboxRow]) -> None:
        sent = await self._sender.send(destination, rows)
        self._unmarked |= sent
        if len(sent) < len(rows):
            await self._postpone([row.id for row in rows if row.id not in sent])
        if sent:
            self._failures.pop(destination, None)
        else:
            self._failures[destination] += 1
            if self._stop.is_set():
                return
            await self._pause(_BACKOFF.delay_s(self._failures[destination]))
        self._busy.discard(destination)
        if sent or self._left_behind:
            self._due.set()

    async def _postpone(self, failed: Sequence[int]) -> None:
        try:
            await self._table.postpone(failed)
        except TransientError as error:
            logger.warning("outbox not postponed", extra={"reason": str(error)})  # the lease does it, later

    async def _mark(self) -> None:
        """Mark what no further claim will mark, even when cancelled: it saves a second sending."""
        if self._unmarked:
            with suppress(TransientError, TimeoutError):
                async with asyncio.timeout(_LAST_MARK_S):
                    await self._table.mark_sent(self._unmarked)

    async def _pause(self, seconds: float) -> None:
        """Sleep, but not through a stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()
