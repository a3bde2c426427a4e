"""The relay of the outbox: sends each event at least once, those of a subject in order, with any number of relays."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from ..backoff import Backoff
from ..errors import BusyError, ServiceError, TransientError
from ..gathering import GatheringPolicy, RecentRate
from ..lifecycle import Readiness, background, uncancelled
from ..observability import Metrics
from ..postgres import Database
from .maintenance import OutboxMaintenance
from .packing import PackingPublisher
from .sender import OutboxPublisher, Sender
from .table import OutboxRow, OutboxTable

__all__ = ["OutboxRelay"]

logger = logging.getLogger(__name__)

_BACKOFF = Backoff(base_s=0.2, cap_s=5.0)
_MARK_LIMIT_S = 1.0
_WORTH = 4.0  # commits within the spacing that are worth the whole of it
_MARK_WITHIN_S = 0.1  # so that the marks of sent events share the statement of the next claim


class OutboxRelay:
    """Claims events with a lease, sends them outside of any transaction, marks those that the queue accepted.

    When a relay dies between sending and marking, the events are sent again, with the same ids, after the lease. Each
    destination is sent to independently, so that an outage of one does not delay the others. Events of one subject are
    sent to a destination in the order of their ids: one that fails delays those after it, one that can never be sent is
    set aside.

    Args:
        database: has the table of ``service_common.outbox.migrations``.
        publisher: sends the messages.
        source: the ``source`` of the events.
        spacing_s: the time between two claims under load, in seconds, so that events committed meanwhile share a
            request: as long as requests are in flight, and by the rate of `wake`. Without load a relay sends at once,
            and after a full claim it goes on when that is sent.
        lease_s: time of a claim, in seconds, during which no other relay claims its events.
        batch: maximum events of one claim.
        events_per_message: maximum events of one message; more than 1 needs consumers that read batches.
        poll_s: interval of claims without `wake`, in seconds.
        metrics: where events are counted.
    """

    def __init__(
        self,
        database: Database,
        publisher: OutboxPublisher,
        source: str,
        *,
        spacing_s: float = 0.08,
        lease_s: float = 30.0,
        batch: int = 500,
        events_per_message: int = 1,
        poll_s: float = 1.0,
        metrics: Metrics | None = None,
    ) -> None:
        metrics = Metrics() if metrics is None else metrics
        self._table = OutboxTable(database)
        if events_per_message > 1:
            publisher = PackingPublisher(publisher, events_per_message)
        self._sender = Sender(publisher, source, metrics, timeout_s=lease_s)
        self._set_aside = metrics.counter(
            "outbox_set_aside_total", "Events that can't be sent, ever, and are kept in the outbox.", ("queue",)
        )
        self._maintenance = OutboxMaintenance(self._table, metrics)
        self._spacing = GatheringPolicy(spacing_s, full_at=_WORTH)
        self._rate = RecentRate()
        self._lease_s, self._batch, self._poll_s = lease_s, batch, poll_s
        self._due = asyncio.Event()
        self._changed = asyncio.Event()
        self._claimed_s = -math.inf
        self._stop = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._busy: set[str] = set()
        self._deliveries: set[asyncio.Task[None]] = set()
        self._more_due = False
        self._failures: dict[str, int] = defaultdict(int)
        self._unmarked: set[int] = set()

    def wake(self) -> None:
        """Claim now: events were committed."""
        self._rate.add(asyncio.get_running_loop().time())
        self._due.set()

    async def run(self) -> None:
        """Send until :meth:`stop`, also after outages of the database or of a queue; may be called again when it died.

        Raises:
            ExceptionGroup: a defect in the statements or in the relay.
        """
        self._ended.clear()
        self._busy.clear()  # the deliveries of a run that died were cancelled
        try:
            async with asyncio.TaskGroup() as tasks:
                maintenance = tasks.create_task(uncancelled(self._maintenance.run))
                await self._relay(tasks)
                maintenance.cancel()
        finally:
            await self._mark_sent()
            self._ended.set()

    async def stop(self) -> None:
        """Send all due events, each once, and return when `run` has ended; cancel it to give up."""
        self._stop.set()
        self._due.set()
        self._changed.set()
        await self._ended.wait()

    @asynccontextmanager
    async def running(self, readiness: Readiness, *, stop_within_s: float) -> AsyncIterator[None]:
        """Run in the background of the block; after it, send what is due within *stop_within_s* seconds."""
        async with background(readiness, "relay", self.run):
            try:
                yield
            finally:
                with suppress(TimeoutError):
                    async with asyncio.timeout(stop_within_s):
                        await self.stop()

    async def _relay(self, tasks: asyncio.TaskGroup) -> None:
        failures = 0
        full = True
        while not self._stop.is_set():
            if full and self._deliveries:  # what is due is probably for their destinations, unless one hangs
                await asyncio.wait(self._deliveries, timeout=self._spacing.bound_s)
            elif not full:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_s):
                        await self._due.wait()
                await self._gather()
            try:
                full = await self._claim(tasks) == self._batch
                failures = 0
            except TransientError as error:
                if not failures:
                    logger.warning("outbox claim failed", extra={"reason": str(error)})
                failures += 1
                await self._sleep(min(self._poll_s, _BACKOFF.delay_s(failures)))
        with suppress(TransientError):
            await self._send_rest(tasks)

    async def _send_rest(self, tasks: asyncio.TaskGroup) -> None:
        """Claim until nothing is due; a destination that fails stays busy, so that it is not retried."""
        more = True
        while more:
            more = bool(self._deliveries)  # this claim excludes their destinations, the next does not
            more = bool(await self._claim(tasks)) or more
            if self._deliveries:
                await asyncio.wait(self._deliveries, return_when=asyncio.FIRST_COMPLETED)

    async def _gather(self) -> None:
        """Let events gather since the last claim: while deliveries are under way, and by the rate of `wake`."""
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            now_s = loop.time()
            delay_s = self._spacing.delay_s(self._rate.per_s(now_s), len(self._deliveries))
            if now_s >= self._claimed_s + delay_s:
                return
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._claimed_s + delay_s):
                    await self._changed.wait()

    async def _claim(self, tasks: asyncio.TaskGroup) -> int:
        """Claim once and start a delivery for each destination; return the number of claimed events."""
        self._due.clear()
        self._claimed_s = asyncio.get_running_loop().time()
        marking = tuple(self._unmarked)
        try:
            rows = await self._table.claim(self._batch, self._lease_s, excluded=self._busy, sent=marking)
        except BusyError:
            await self._table.mark_unlocked(marking)
            self._unmarked.difference_update(marking)
            raise
        self._unmarked.difference_update(marking)
        self._more_due = bool(self._busy) or len(rows) == self._batch
        by_destination: dict[str, list[OutboxRow]] = defaultdict(list)
        for row in rows:
            by_destination[row.destination].append(row)
        for destination, batch in by_destination.items():
            self._busy.add(destination)
            delivery = tasks.create_task(uncancelled(self._deliver, destination, batch))
            self._deliveries.add(delivery)
            delivery.add_done_callback(self._delivered)
        return len(rows)

    async def _deliver(self, destination: str, rows: Sequence[OutboxRow]) -> None:
        sent, unsendable = await self._sender.send(destination, rows)
        self._unmarked |= sent
        if len(sent) < len(rows):
            await self._put_off([row for row in rows if row.id not in sent], unsendable)
        if sent or unsendable:
            self._failures.pop(destination, None)
        else:
            self._failures[destination] += 1
            if self._stop.is_set():
                return
            await self._sleep(_BACKOFF.delay_s(self._failures[destination]))
        self._busy.discard(destination)
        if unsendable or self._more_due:
            self._due.set()
        elif sent:
            asyncio.get_running_loop().call_later(_MARK_WITHIN_S, self._claim_for_marks)

    def _delivered(self, delivery: asyncio.Task[None]) -> None:
        self._deliveries.discard(delivery)
        self._changed.set()

    def _claim_for_marks(self) -> None:
        if self._unmarked:
            self._due.set()

    async def _put_off(self, failed: Sequence[OutboxRow], unsendable: Mapping[int, str]) -> None:
        """Set the *unsendable* events aside, so that those of their subjects go on, and postpone the others."""
        try:
            if unsendable:
                await self._table.set_aside(unsendable)
            if postponed := [row.id for row in failed if row.id not in unsendable]:
                await self._table.postpone(postponed)
        except TransientError as error:
            # their lease delays them too
            logger.warning("outbox postponement failed", extra={"reason": str(error)})
            return
        for row in failed:
            if row.id in unsendable:
                self._set_aside.labels(row.destination).inc()
                facts = {"id": row.id, "type": row.type, "subject": row.subject, "queue": row.destination}
                logger.error("outbox event set aside", extra={**facts, "reason": unsendable[row.id]})

    async def _mark_sent(self) -> None:
        """Mark events that no claim will mark any more, even when cancelled, so that they are not sent again."""
        if self._unmarked:
            with suppress(ServiceError, TimeoutError):
                async with asyncio.timeout(_MARK_LIMIT_S):
                    await self._table.mark_sent(self._unmarked)

    async def _sleep(self, seconds: float) -> None:
        """Sleep until `stop` at the longest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()
