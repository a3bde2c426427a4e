"""Connects the hub to the transports: writes its deliveries, and runs a catch-up for each client that falls behind."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import cycle

from service_common.errors import UnavailableError
from service_common.lifecycle import log_death, uncancelled
from service_common.observability import Span, recording, start_span

from ..notification import (
    EARLIEST,
    EVERYTHING,
    EventId,
    FeedReader,
    FeedState,
    NotificationFilter,
    Position,
    resume_cursor,
)
from . import encoding
from .catch_up import CatchUp
from .connection import PushConnection
from .counters import PushCounters
from .encoding import ByeReason, Framing
from .fan_out import FanOut, PassSpacing
from .hub import Hub, Subscription, SubscriptionState
from .limits import ConnectionQuota, PushLimits, retry_ms
from .linux_aio import LinuxAio
from .page_cache import PageCache
from .replay_buffer import Entry, ReplayBuffer

__all__ = ["SLICES", "Broadcaster", "open_broadcaster"]

logger = logging.getLogger(__name__)

# read at start, so that clients of a replaced replica resume from memory
WARM_ENTRIES = 1_000
# connections are divided into so many groups, which get their heartbeats one after the other: ticks in an interval
SLICES = 15
DRAIN_BATCHES = 20
# the share of the drain time in which all clients are told; the rest is for them to disconnect
DRAIN_TELL_SHARE = 0.6
_BYE_REASONS = {
    "draining": ByeReason.DRAIN,
    "process-full": ByeReason.FULL,
    "address-full": ByeReason.FULL,
    "feed-away": ByeReason.UNAVAILABLE,
}


class Broadcaster:
    """Owns the push connections of one process, between the tailer and the transports.

    Attributes:
        delayed_ms: returns for how long the feed could not be read; None while it is.
    """

    def __init__(
        self,
        hub: Hub,
        reader: FeedReader,
        limits: PushLimits,
        counters: PushCounters,
        aio: LinuxAio | None = None,
    ) -> None:
        self.delayed_ms: Callable[[], int | None] = lambda: None
        self.hub = hub
        self.limits = limits
        self.counters = counters
        self.quota = ConnectionQuota(limits)
        self.connections: dict[PushConnection, None] = {}  # see Hub
        self._emptied = asyncio.Event()
        self._reader = reader
        self._pages = PageCache(reader, counters, limits.replays)
        self._catch_up = CatchUp(hub, self._pages, counters)
        self._callbacks = (self._on_paused, self._on_lost)  # the same for all connections, to save memory
        self._fan_out = FanOut(hub.leave, aio)
        self._spacing = PassSpacing()
        self._slices = cycle(range(SLICES))
        self._catch_up_tasks: dict[asyncio.Task[None], PushConnection] = {}

    def publish(self, entries: Sequence[Entry], state: FeedState) -> None:
        """Append *entries*, which follow the head, and write them to each LIVE client whose filter matches."""
        self.hub.floor = state.floor
        if not entries:
            return
        spans = _push_spans(entries) if recording() else ()
        began_s = time.monotonic()
        for delivery in self.hub.publish(entries, began_s):
            self._fan_out.write(delivery.data, delivery.to)
            self.counters.delivered(delivery.events * len(delivery.to), len(delivery.data) * len(delivery.to))
        self._spacing.passed(began_s, time.monotonic())
        for span in spans:
            span.end()
        self._catch_up.head_moved()

    def wait_s(self) -> float:
        """Return how long notifications should gather before the next are published; 0 unless under load."""
        return self._spacing.wait_s(time.monotonic())

    def reset(self, state: FeedState) -> None:
        """Continue at the head of *state* and send every client a reset."""
        for subscription in self.hub.reset(state):
            subscription.write(encoding.reset_frame(subscription.framing, self.hub.position(subscription)))
            self.counters.reset()
        self._catch_up.head_moved()

    async def locate(self, last_seen: Position | None) -> int | None:
        """Return the cursor of a client that has seen *last_seen*; None when it needs a reset.

        Raises:
            UnavailableError: this replica does not know the id, and the database can't be asked.
        """
        if last_seen is None:
            return self.hub.head
        if last_seen == EARLIEST:
            return self.hub.floor
        cursor = resume_cursor(last_seen, self.hub.state)
        if cursor is None and (last_seen.epoch != self.hub.epoch or last_seen.seq > self.hub.head):
            known = resume_cursor(last_seen, await self._reader.state())
            # an epoch that this process has not read yet: its positions are not valid in this hub
            cursor = known if last_seen.epoch == self.hub.epoch else None
        return cursor

    async def admit(self, address: str, last_seen: Position | None) -> tuple[str | None, int | None]:
        """Return the reason to refuse a client of *address*, or None, and the cursor of one that saw *last_seen*."""
        if (refusal := self.quota.refusal(address)) is not None:
            return refusal, None
        try:
            cursor = await self.locate(last_seen)
        except UnavailableError:
            return "feed-away", None
        # again: others may have connected during the await, or the drain begun
        return self.quota.refusal(address), cursor

    def refuse(self, framing: Framing, refusal: str) -> bytes:
        """Count a refused connection, and return its only frame: the reason, and to reconnect later."""
        self.counters.refused(refusal)
        return encoding.bye_frame(framing, _BYE_REASONS[refusal], retry_ms(full=True))

    def attach(
        self,
        connection: PushConnection,
        last_seen: Position | None,
        cursor: int | None,
        heartbeat_s: int | None = None,
    ) -> None:
        """Add a connection whose response headers are sent: send the welcome frame and begin to deliver.

        Its heartbeats come at least every *heartbeat_s*, which only makes them more frequent.
        """
        subscription = connection.subscription
        connection.slice = next(self._slices)
        connection.heartbeat_ticks = self._ticks(heartbeat_s)
        age_s = self.limits.age_s * random.uniform(0.9, 1.1)  # noqa: S311 - spreads load
        connection.expires_at = time.monotonic() + age_s
        self._end_with_token(connection, age_s)
        self.quota.acquire(connection.address)
        self.connections[connection] = None
        connection.attach(*self._callbacks)
        self.hub.join(subscription, cursor)
        self._send_welcome(connection, resumed=last_seen is not None and cursor is not None)
        if last_seen is not None and cursor is None:
            subscription.write(encoding.reset_frame(subscription.framing, self.hub.position(subscription)))
            self.counters.reset()
        self._start_catch_up(connection)

    def change_filter(self, connection: PushConnection, new: NotificationFilter) -> bytes:
        """Deliver what matches the *new* filter from now on; return a heartbeat that has the present position."""
        subscription = connection.subscription
        if subscription.state is not SubscriptionState.GONE:
            self.hub.change_filter(subscription, new)
        return self.heartbeat(subscription)

    def heartbeat(self, subscription: Subscription) -> bytes:
        """Return a heartbeat with the position of *subscription*."""
        return encoding.heartbeat_frame(subscription.framing, self.hub.position(subscription), self.delayed_ms())

    def close_connection(self, connection: PushConnection, reason: ByeReason) -> None:
        """Say why the connection of a client ends and when to reconnect, and close it; idempotent."""
        if connection.closing_at is None:
            self.stop_delivery(connection)
            delay_ms = retry_ms(full=reason is ByeReason.DISCONNECTED)
            connection.subscription.write(encoding.bye_frame(connection.subscription.framing, reason, delay_ms))
            connection.close(reason)

    def disconnect(self, customer: str) -> int:
        """End the connections of *customer*; return how many there were."""
        connections = [each for each in self.connections if each.principal.subject == customer]
        for connection in connections:
            self.close_connection(connection, ByeReason.DISCONNECTED)
        return len(connections)

    def stop_delivery(self, connection: PushConnection) -> None:
        """Deliver nothing more: the connection is closing."""
        self.hub.leave(connection.subscription)
        if connection.closing_at is None:
            connection.closing_at = time.monotonic()

    def abort(self, connection: PushConnection, reason: str) -> None:
        """Close a connection at once and free its write buffer; idempotent."""
        if connection.abort_reason is None:
            connection.abort_reason = reason
            self.counters.aborted(reason)
            self.hub.leave(connection.subscription)
            connection.transport.abort()

    async def drain(self, within_s: float) -> None:
        """Refuse new connections and close all, in random order and batches; abort those left after *within_s* s."""
        self.quota.draining = True
        deadline = time.monotonic() + within_s
        connections = list(self.connections)
        random.shuffle(connections)
        for start in range(min(DRAIN_BATCHES, len(connections))):
            for connection in connections[start::DRAIN_BATCHES]:
                self.close_connection(connection, ByeReason.DRAIN)
            spread = len(connections) > DRAIN_BATCHES
            await asyncio.sleep(within_s * DRAIN_TELL_SHARE / DRAIN_BATCHES if spread else 0)
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline - time.monotonic()):
                await self._wait_empty()
        for connection in tuple(self.connections):
            self.abort(connection, "stuck")

    async def close(self) -> None:
        """Cancel every catch-up."""
        for task in tuple(self._catch_up_tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._pages.close()
        self._fan_out.close()

    def _end_with_token(self, connection: PushConnection, age_s: float) -> None:
        valid_s = connection.principal.expires_at - time.time()
        if valid_s < age_s + 2 * self.limits.heartbeat_s:  # otherwise its maximum age ends it before
            connection.expiry = asyncio.get_running_loop().call_later(
                valid_s, self.close_connection, connection, ByeReason.TOKEN_EXPIRED
            )

    def _ticks(self, heartbeat_s: int | None) -> int:
        if heartbeat_s is None:
            return SLICES
        return min(SLICES, max(1, int(heartbeat_s * SLICES / self.limits.heartbeat_s)))

    async def _wait_empty(self) -> None:
        while self.connections:
            self._emptied.clear()
            await self._emptied.wait()

    def _send_welcome(self, connection: PushConnection, *, resumed: bool) -> None:
        subscription = connection.subscription
        subscription.write(
            encoding.welcome_frame(
                subscription.framing,
                position=self.hub.position(subscription),
                head=EventId(self.hub.epoch, self.hub.head),
                resumed=resumed,
                retry_ms=retry_ms(),
                heartbeat_ms=round(connection.heartbeat_ticks * self.limits.heartbeat_s * 1000 / SLICES),
                delayed_ms=self.delayed_ms(),
            )
        )

    def _on_paused(self, connection: PushConnection) -> None:
        self.hub.fall_behind(connection.subscription)
        self._start_catch_up(connection)

    def _on_lost(self, connection: PushConnection) -> None:
        self.hub.leave(connection.subscription)
        self.connections.pop(connection, None)
        if not self.connections:
            self._emptied.set()
        self.quota.release(connection.address)
        self._catch_up.head_moved()

    def _start_catch_up(self, connection: PushConnection) -> None:
        if connection.catching_up or connection.subscription.state is not SubscriptionState.CATCHING_UP:
            return
        if connection.paused_at is None and self.hub.is_up_to_date(connection.subscription):
            return
        connection.catching_up = True
        task = asyncio.get_running_loop().create_task(uncancelled(self._catch_up.run, connection))
        self._catch_up_tasks[task] = connection
        task.add_done_callback(self._caught_up)

    def _caught_up(self, task: asyncio.Task[None]) -> None:
        connection = self._catch_up_tasks.pop(task)
        log_death(task)
        if not task.cancelled() and task.exception() is not None:
            self.abort(connection, "failed")  # its client resumes with another connection


def _push_spans(entries: Sequence[Entry]) -> Sequence[Span]:
    """Begin the span of each, in its own trace: they are written together."""
    attributes = {"batch.size": len(entries)}
    return [
        start_span(each.traceparent, name="push", attributes={**attributes, "order.id": each.order_id})
        for each in entries
        if each.traceparent
    ]


async def open_broadcaster(
    reader: FeedReader, state: FeedState, limits: PushLimits, counters: PushCounters
) -> Broadcaster:
    """Create a broadcaster at *state*, with the newest notifications already in its replay buffer."""
    after = max(state.floor, state.head - WARM_ENTRIES)
    page = await reader.read(after, up_to=state.head, wanted=EVERYTHING, limit=WARM_ENTRIES)
    buffer = ReplayBuffer(after, max_bytes=limits.ring_bytes, max_age_s=limits.ring_age_s)
    buffer.extend([encoding.encode(each, state.epoch) for each in page.notifications], time.monotonic())
    return Broadcaster(Hub(state, buffer), reader, limits, counters, _aio())


def _aio() -> LinuxAio | None:
    try:
        return LinuxAio()
    except OSError as error:
        logger.info("push writes one by one", extra={"reason": str(error)})
        return None
