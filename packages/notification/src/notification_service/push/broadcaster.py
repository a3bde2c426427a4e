"""The hub at work: its deliveries go to the transports, each client that falls behind gets a pump."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import cycle

from service_common.errors import UnavailableError

from ..feed import Source
from ..notification import EventId, FeedState, Notification, start_at
from . import encoding
from .catch_up import Pump
from .connection import Peer
from .counters import PushMeter
from .hub import Hub, State
from .limits import Admission, PushLimits, retry_ms
from .page_cache import Excerpts
from .replay_buffer import Ring

__all__ = ["SLICES", "Broadcaster", "open_broadcaster"]

# read at start, so that clients of a replica that was replaced find what they missed in memory
WARM_ENTRIES = 1_000
# connections are visited in so many groups, so that their heartbeats do not come all at once
SLICES = 15


class Broadcaster:
    """Everything between the tail and the transports of one process."""

    def __init__(self, hub: Hub, source: Source, limits: PushLimits, meter: PushMeter) -> None:
        self.hub = hub
        self.limits = limits
        self.meter = meter
        self.admission = Admission(limits)
        self.peers: set[Peer] = set()
        self._emptied = asyncio.Event()
        self._source = source
        self._excerpts = Excerpts(source, meter, limits.replays)
        self._pump = Pump(hub, self._excerpts, meter)
        self._slices = cycle(range(SLICES))
        self._pumping: set[asyncio.Task[None]] = set()

    def publish(self, notifications: Sequence[Notification], state: FeedState) -> None:
        """Take in what follows in the feed, and write it to everyone who is LIVE and wants it."""
        self.hub.floor = state.floor
        if not notifications:
            return
        entries = [encoding.entry(each, state.epoch) for each in notifications]
        for delivery in self.hub.publish(entries, time.monotonic()):
            data = delivery.data
            for subscription in delivery.to:
                try:
                    subscription.write(data)
                except RuntimeError:  # uvloop, when the transport closed under our hands
                    self.hub.leave(subscription)
            self.meter.delivered(delivery.events * len(delivery.to), len(data) * len(delivery.to))
        self._pump.head_moved()

    def restart(self, state: FeedState) -> None:
        """Go on with another feed: everyone is told to read the history again."""
        for subscription in self.hub.restart(state):
            subscription.write(encoding.reset(subscription.framing, self.hub.position(subscription)))
            self.meter.reset()
        self._pump.head_moved()

    async def locate(self, wanted: EventId | None) -> int | None:
        """Return the cursor of a client that has seen *wanted*; None when it has to be told of a reset.

        Raises:
            UnavailableError: this replica lags and the database, which knows, is away.
        """
        if wanted is None:
            return self.hub.head
        cursor = start_at(wanted, self.hub.state)
        if cursor is None and (wanted.epoch != self.hub.epoch or wanted.seq > self.hub.head):
            known = start_at(wanted, await self._source.state())
            # a feed that began anew and that this process has not heard of yet: its places mean nothing here
            cursor = known if wanted.epoch == self.hub.epoch else None
        return cursor

    async def admit(self, address: str, wanted: EventId | None) -> tuple[str | None, int | None]:
        """Return why no client of *address* that has seen *wanted* can be taken, None when it can; and its cursor."""
        if (refusal := self.admission.refusal(address)) is not None:
            return refusal, None
        try:
            cursor = await self.locate(wanted)
        except UnavailableError:
            return "feed-away", None
        # a crowd may have come in meanwhile, or the end begun
        return self.admission.refusal(address), cursor

    def attach(self, peer: Peer, wanted: EventId | None, cursor: int | None) -> None:
        """Take a client in whose headers are sent, and bid it welcome."""
        subscription = peer.subscription
        peer.slice = next(self._slices)
        peer.expires_at = time.monotonic() + self.limits.age_s * random.uniform(0.9, 1.1)  # noqa: S311 - spreads load
        self.admission.enter(peer.address)
        self.peers.add(peer)
        peer.attach(self._paused, self._lost)
        self.hub.join(subscription, cursor)
        self._greet(peer, resumed=wanted is not None and cursor is not None)
        if wanted is not None and cursor is None:
            subscription.write(encoding.reset(subscription.framing, self.hub.position(subscription)))
            self.meter.reset()
        self._catch_up(peer)

    def narrow(self, peer: Peer, orders: frozenset[int] | None) -> None:
        """Let a client hear of *orders* only; answer with the place from which on that holds."""
        subscription = peer.subscription
        if subscription.state is State.GONE:
            return
        self.hub.narrow(subscription, orders)
        subscription.write(encoding.heartbeat(subscription.framing, self.hub.position(subscription)))

    def end(self, peer: Peer, back_in_ms: int) -> None:
        """Ask a client to come back after *back_in_ms*, and end its connection in order."""
        if peer.ending_at is None:
            self.mute(peer)
            peer.subscription.write(encoding.bye(peer.subscription.framing, back_in_ms))
            peer.leave()

    def mute(self, peer: Peer) -> None:
        """Give a client nothing more: its connection is being closed."""
        self.hub.leave(peer.subscription)
        if peer.ending_at is None:
            peer.ending_at = time.monotonic()

    def cut(self, peer: Peer, reason: str) -> None:
        """End a connection at once; what its transport holds is let go."""
        if peer.cut is None:
            peer.cut = reason
            self.meter.aborted(reason)
            self.hub.leave(peer.subscription)
            peer.transport.abort()

    async def wait_empty(self) -> None:
        """Return when no client is connected."""
        while self.peers:
            self._emptied.clear()
            await self._emptied.wait()

    async def close(self) -> None:
        """End every pump."""
        for task in tuple(self._pumping):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self._excerpts.close()

    def _greet(self, peer: Peer, *, resumed: bool) -> None:
        subscription = peer.subscription
        subscription.write(
            encoding.welcome(
                subscription.framing,
                position=self.hub.position(subscription),
                head=EventId(self.hub.epoch, self.hub.head),
                resumed=resumed,
                retry_ms=retry_ms(),
            )
        )

    def _paused(self, peer: Peer) -> None:
        self.hub.fall_behind(peer.subscription)
        self._catch_up(peer)

    def _lost(self, peer: Peer) -> None:
        self.hub.leave(peer.subscription)
        self.peers.discard(peer)
        if not self.peers:
            self._emptied.set()
        self.admission.leave(peer.address)
        self._pump.head_moved()

    def _catch_up(self, peer: Peer) -> None:
        if peer.pumped or peer.subscription.state is not State.CATCHING_UP:
            return
        if peer.paused_at is None and self.hub.settle(peer.subscription):
            return
        peer.pumped = True
        task = asyncio.get_running_loop().create_task(self._pump.run(peer))
        self._pumping.add(task)
        task.add_done_callback(self._pumping.discard)


async def open_broadcaster(source: Source, state: FeedState, limits: PushLimits, meter: PushMeter) -> Broadcaster:
    """Begin at *state*, with the newest entries at hand already."""
    after = max(state.floor, state.head - WARM_ENTRIES)
    page = await source.read(after, up_to=state.head, limit=WARM_ENTRIES)
    ring = Ring(after, max_bytes=limits.ring_bytes, max_age_s=limits.ring_age_s)
    ring.extend([encoding.entry(each, state.epoch) for each in page.notifications], time.monotonic())
    return Broadcaster(Hub(state, ring), source, limits, meter)
