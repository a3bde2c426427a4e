"""Exchanges appended notifications with the other replicas over a bus, encoded once, instead of reading the table."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from service_common.backoff import Backoff
from service_common.errors import UnavailableError
from service_common.gathering import GatheringPolicy, RecentRate
from service_common.observability import Metrics

from ..notification import Notification
from .listen_notify import ListenNotify
from .ports import Bus
from .sequencer import Sequenced
from .tailer import FeedTailer

__all__ = ["BusCounters", "BusExchange"]

logger = logging.getLogger(__name__)

E = TypeVar("E", bound=Sequenced)

# what another replica appended earlier usually comes within a few milliseconds
GAP_PATIENCE_S = 0.05
BACKOFF = Backoff(base_s=0.2, cap_s=2.0)
# entries that wait while the bus is away: others read them from the table meanwhile
MAX_PENDING = 1_000


class BusCounters:
    """What is counted; exposed also without a bus."""

    def __init__(self, metrics: Metrics) -> None:
        self.records = metrics.counter("feed_bus_records_total", "Notifications over the bus, by way.", ("way",))
        self.failures = metrics.counter("feed_bus_failures_total", "Failed requests to the bus, by way.", ("way",))


class BusExchange(Generic[E]):
    """Sends what this process appended, and hands the tailer what others appended.

    The table stays the truth: what the bus loses, the tailer reads there. Without the bus the other replicas are woken
    by NOTIFY, as they are when there is none.

    Args:
        bus: what is between the replicas.
        tailer: publishes.
        listen_notify: wakes the others while the bus is away.
        record_of: what the bus carries of an entry.
        entry_of: the entry of that; ValueError when it is not one.
        counters: of the service.
        spacing_s: the time between reads of the bus under load, so that several notifications share a write.
    """

    def __init__(
        self,
        bus: Bus,
        tailer: FeedTailer[E],
        listen_notify: ListenNotify[E],
        record_of: Callable[[E], bytes],
        entry_of: Callable[[bytes], E],
        *,
        counters: BusCounters,
        spacing_s: float = 0.005,
    ) -> None:
        self._bus = bus
        self._tailer = tailer
        self._listen_notify = listen_notify
        self._record_of = record_of
        self._entry_of = entry_of
        self._counters = counters
        self._spacing = GatheringPolicy(spacing_s, full_at=2.0)
        self._rate = RecentRate()
        self._pending: deque[tuple[str, E]] = deque(maxlen=MAX_PENDING)
        self._added = asyncio.Event()
        self._head = 0
        self._sending_fails = False

    def appended(self, notifications: Sequence[Notification]) -> None:
        """Publish what this process appended in one transaction, here and to the other replicas."""
        epoch, entries = self._tailer.offer(notifications)
        self._pending.extend((epoch, entry) for entry in entries)
        self._head = notifications[-1].seq
        self._added.set()
        if self._sending_fails:
            self._listen_notify.announce(self._head)

    async def send(self) -> None:
        """Send until cancelled: what is appended during a request is sent with the next one."""
        failures = 0
        while True:
            await self._added.wait()
            self._added.clear()
            pending, self._pending = self._pending, deque(maxlen=MAX_PENDING)
            try:
                await self._send(pending)
            except UnavailableError as error:
                failures += 1
                self._note_failure("sent", failures, error)
                self._sending_fails = True
                self._listen_notify.announce(self._head)
                await asyncio.sleep(BACKOFF.delay_s(failures))
            else:
                failures = 0
                self._sending_fails = False

    async def receive(self) -> None:
        """Receive until cancelled."""
        failures = 0
        while True:
            try:
                batches = await self._bus.receive()
            except UnavailableError as error:
                failures += 1
                self._note_failure("received", failures, error)
                self._tailer.patience_s = 0.0
                self._tailer.wake()
                await asyncio.sleep(BACKOFF.delay_s(failures))
                continue
            failures = 0
            self._tailer.patience_s = GAP_PATIENCE_S
            for epoch, records in batches:
                self._take(epoch, records)
            await asyncio.sleep(self._spacing.delay_s(self._rate.per_s(asyncio.get_running_loop().time())))

    async def _send(self, pending: Sequence[tuple[str, E]]) -> None:
        epoch = pending[-1][0]
        records = [self._record_of(entry) for known, entry in pending if known == epoch]
        await self._bus.send(epoch, records)
        self._counters.records.labels("sent").inc(len(records))

    def _take(self, epoch: str, records: Sequence[bytes]) -> None:
        self._rate.add(asyncio.get_running_loop().time(), len(records))
        self._counters.records.labels("received").inc(len(records))
        entries = []
        for record in records:
            try:
                entries.append(self._entry_of(record))
            except ValueError as error:
                logger.warning("feed bus record unreadable", extra={"reason": str(error)})
        self._tailer.take(epoch, entries)

    def _note_failure(self, way: str, failures: int, error: UnavailableError) -> None:
        self._counters.failures.labels(way).inc()
        if failures == 1:
            logger.warning("feed bus unavailable", extra={"way": way, "reason": str(error)})
