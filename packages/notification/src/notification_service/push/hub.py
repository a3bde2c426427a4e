"""The hub: who gets what next. A cursor for each client, no queue; one path for replay, lag and resume. Pure.

A subscription is LIVE, when everything up to the head has been handed to its transport, or CATCHING_UP, when it is
served from its cursor: from the table while the cursor is older than the ring, then from the ring. It becomes LIVE when
its cursor meets the head, in the same call that looks, so that nothing can come in between.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from ..notification import EventId, FeedState, Page, start_at
from .encoding import Framing, entry, frames
from .replay_buffer import Entry, Ring

__all__ = ["Await", "Delivery", "Excerpt", "Hub", "Read", "Reset", "Settled", "State", "Step", "Subscription", "Write"]

# so much is handed to a transport before it is asked whether it wants a pause: some entries, or one that is larger
ENTRIES_PER_WRITE = 200
BYTES_PER_WRITE = 64 << 10


class State(Enum):
    """Where a subscription stands; the value is its name in metrics."""

    LIVE = "live"
    CATCHING_UP = "catching-up"
    GONE = "gone"


@dataclass(slots=True, eq=False)
class Subscription:
    """One client: how it is spoken to, what it wants, and up to where it has been served.

    Attributes:
        orders: the orders it wants to hear of; None for all.
        cursor: the place up to which it was served; meaningful only while it is CATCHING_UP.
    """

    framing: Framing
    write: Callable[[bytes], None]
    orders: frozenset[int] | None
    cursor: int = 0
    state: State = State.GONE


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes to be written to each of *to*, now; *events* says how many they hold."""

    data: bytes
    to: Sequence[Subscription]
    events: int


@dataclass(frozen=True, slots=True)
class Settled:
    """Nothing to do: it is LIVE, or GONE."""


@dataclass(frozen=True, slots=True)
class Await:
    """Its cursor is ahead of this replica: wait until the head has moved."""


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes to be written now; its cursor is past them already."""

    data: bytes
    events: int


@dataclass(frozen=True, slots=True)
class Read:
    """The ring does not go back so far: read the table, then call :meth:`Hub.replay`."""

    after: int
    up_to: int
    orders: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Reset:
    """What it missed is not there any more: it has been put at the head and must be told."""


Step = Settled | Await | Write | Read


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A part of the table, encoded for whoever reads it.

    Attributes:
        state: the feed at the moment of the reading.
        entries: what was asked for, in order.
        through: up to and with this place nothing that was asked for is missing.
    """

    state: FeedState
    entries: Sequence[Entry]
    through: int

    @classmethod
    def of(cls, page: Page) -> Excerpt:
        """Encode what was read."""
        return cls(page.state, [entry(each, page.state.epoch) for each in page.notifications], page.through)


class Hub:
    """The subscriptions of one process over one :class:`Ring`."""

    def __init__(self, state: FeedState, ring: Ring) -> None:
        self.epoch = state.epoch
        self.floor = state.floor
        self.ring = ring
        self._all: set[Subscription] = set()
        # those that are LIVE: by how they are spoken to when they want everything, else by order
        self._broad: dict[Framing, set[Subscription]] = {framing: set() for framing in Framing}
        self._of_order: dict[int, set[Subscription]] = {}

    @property
    def head(self) -> int:
        """The newest place this process knows."""
        return self.ring.head

    @property
    def state(self) -> FeedState:
        """How far the feed goes, as far as this process knows."""
        return FeedState(self.epoch, self.floor, self.head)

    def position(self, subscription: Subscription) -> EventId:
        """Return the place up to which *subscription* was served."""
        return EventId(self.epoch, self.head if subscription.state is State.LIVE else subscription.cursor)

    def join(self, subscription: Subscription, cursor: int | None = None) -> None:
        """Take *subscription* in, CATCHING_UP from *cursor* or else from the head."""
        subscription.cursor = self.head if cursor is None else cursor
        subscription.state = State.CATCHING_UP
        self._all.add(subscription)

    def leave(self, subscription: Subscription) -> None:
        """Forget *subscription*; it is GONE."""
        self._unlist(subscription)
        self._all.discard(subscription)
        subscription.state = State.GONE

    def narrow(self, subscription: Subscription, orders: frozenset[int] | None) -> None:
        """Let *subscription* hear of *orders* from its place on; None for all."""
        live = subscription.state is State.LIVE
        self._unlist(subscription)
        subscription.orders = orders
        if live:
            self._list(subscription)

    def publish(self, entries: Sequence[Entry], now: float) -> list[Delivery]:
        """Append *entries* and return what to write at once, all of it, whatever happens to the transports meanwhile.

        Each LIVE subscription has at most one delivery, with all of *entries* that it wants.
        """
        self.ring.extend(entries, now)
        deliveries = [
            Delivery(frames(entries, framing), tuple(wide), len(entries))
            for framing, wide in self._broad.items()
            if wide
        ]
        wanted: dict[Subscription, list[Entry]] = {}
        for each in entries:
            for subscription in self._of_order.get(each.order_id, ()):
                wanted.setdefault(subscription, []).append(each)
        deliveries += [
            Delivery(frames(own, subscription.framing), (subscription,), len(own))
            for subscription, own in wanted.items()
        ]
        return deliveries

    def fall_behind(self, subscription: Subscription) -> None:
        """Serve *subscription* from its cursor from now on: its transport asked for a pause."""
        if subscription.state is State.LIVE:
            self._unlist(subscription)
            subscription.cursor = self.head
            subscription.state = State.CATCHING_UP

    def settle(self, subscription: Subscription) -> bool:
        """Make *subscription* LIVE if its cursor is at the head; tell whether there is nothing to do for it."""
        if subscription.state is State.CATCHING_UP and subscription.cursor == self.head:
            subscription.state = State.LIVE
            self._list(subscription)
        return subscription.state is not State.CATCHING_UP

    def step(self, subscription: Subscription) -> Step:
        """Return what is to be done next for *subscription*, whose transport takes bytes."""
        if self.settle(subscription):
            return Settled()
        if subscription.cursor > self.head:
            return Await()
        if subscription.cursor < self.ring.first - 1:
            return Read(subscription.cursor, self.ring.first - 1, subscription.orders)
        entries = self.ring.after(subscription.cursor, subscription.orders, ENTRIES_PER_WRITE)
        through = entries[-1].seq if len(entries) == ENTRIES_PER_WRITE else self.head
        return _advance(subscription, entries, through) or self.step(subscription)

    def replay(self, subscription: Subscription, read: Read, excerpt: Excerpt) -> Write | Reset | None:
        """Return what to write of *excerpt*, the answer to *read*; None when there is nothing or it came too late."""
        moved = subscription.cursor != read.after or subscription.orders != read.orders
        if subscription.state is not State.CATCHING_UP or moved:
            return None
        if start_at(EventId(self.epoch, read.after), excerpt.state) is None:
            subscription.cursor = self.head
            return Reset()
        return _advance(subscription, excerpt.entries, excerpt.through)

    def restart(self, state: FeedState) -> Sequence[Subscription]:
        """Go on at the head of another feed, or beyond a gap; return all, for each must be told of the reset."""
        self.epoch, self.floor = state.epoch, state.floor
        self.ring.clear(state.head)
        for subscription in self._all:
            subscription.cursor = state.head
        return tuple(self._all)

    def _list(self, subscription: Subscription) -> None:
        if subscription.orders is None:
            self._broad[subscription.framing].add(subscription)
            return
        for order in subscription.orders:
            self._of_order.setdefault(order, set()).add(subscription)

    def _unlist(self, subscription: Subscription) -> None:
        if subscription.orders is None:
            self._broad[subscription.framing].discard(subscription)
            return
        for order in subscription.orders:
            listed = self._of_order.get(order)
            if listed is not None:
                listed.discard(subscription)
                if not listed:
                    del self._of_order[order]


def _advance(subscription: Subscription, entries: Sequence[Entry], through: int) -> Write | None:
    """Move the cursor past as many *entries* as one write takes, to *through* when that is all; None for none."""
    taken = _first_write(entries, subscription.framing)
    subscription.cursor = through if len(taken) == len(entries) else taken[-1].seq
    return Write(frames(taken, subscription.framing), len(taken)) if taken else None


def _first_write(entries: Sequence[Entry], framing: Framing) -> Sequence[Entry]:
    size_bytes = 0
    for count, each in enumerate(entries):
        size_bytes += len(each.ws if framing is Framing.WS else each.sse)
        if count and size_bytes > BYTES_PER_WRITE:
            return entries[:count]
    return entries
