"""The hub: decides what each subscription receives next. One cursor a subscription, no queue. Pure.

A subscription is LIVE when everything up to the head was written to its transport. Otherwise it is CATCHING_UP: it is
served from its cursor, from the feed while the cursor is older than the replay buffer, then from the buffer. It becomes
LIVE in the same call that finds its cursor at the head, so it can't miss a notification in between. First replay, lag
and resume are this one path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, Protocol, TypeVar

from ..notification import EventId, FeedState, NotificationFilter, Selection, resume_cursor
from .encoding import Framing, join
from .replay_buffer import Entry, ReplayBuffer

__all__ = [
    "AwaitHead",
    "Delivery",
    "EncodedPage",
    "Hub",
    "NextAction",
    "ReadPage",
    "SendReset",
    "Subscription",
    "SubscriptionState",
    "UpToDate",
    "Write",
]

T = TypeVar("T")

# the largest write before the transport is asked again whether it is paused: so many entries, or one that is larger
ENTRIES_PER_WRITE = 200
BYTES_PER_WRITE = 64 << 10


class SubscriptionState(Enum):
    """The state of a subscription; the value is its name in metrics."""

    LIVE = "live"
    CATCHING_UP = "catching-up"
    GONE = "gone"


class ClientTransport(Protocol):
    """Port: sends bytes to one client; :class:`asyncio.Transport` is one."""

    def write(self, data: bytes, /) -> None:
        """Send *data*, or keep what the socket does not take until it does."""

    def get_write_buffer_size(self) -> int:
        """Return how many bytes the socket did not take yet."""


@dataclass(slots=True, eq=False)
class Subscription:
    """What one client is subscribed to, and how far it was served.

    Attributes:
        transport: sends to it.
        wanted: which notifications it gets; the scope never changes.
        socket: of its transport; -1 when there is none that can be written to directly.
        direct: the socket when it can be written to directly: it has taken all that was written before; else -1.
        cursor: the position up to which it was served; valid only while it is CATCHING_UP.
    """

    framing: Framing
    transport: ClientTransport
    wanted: Selection
    socket: int = -1
    direct: int = -1
    cursor: int = 0
    state: SubscriptionState = SubscriptionState.GONE

    def write(self, data: bytes) -> None:
        """Write *data* after everything that was written before."""
        self.transport.write(data)
        self.check_unsent()

    def check_unsent(self) -> None:
        """Find out whether the socket can be written to directly."""
        self.direct = -1 if self.socket < 0 or self.transport.get_write_buffer_size() else self.socket


@dataclass(frozen=True, slots=True)
class Delivery:
    """Bytes to write to each of *to* now; they hold *events* notifications."""

    data: bytes
    to: Sequence[Subscription]
    events: int


@dataclass(frozen=True, slots=True)
class UpToDate:
    """Stop: the subscription is LIVE or GONE."""


@dataclass(frozen=True, slots=True)
class AwaitHead:
    """Wait for the next notification: the cursor is ahead of this replica."""


@dataclass(frozen=True, slots=True)
class Write:
    """Write *data*, *events* notifications, now; the cursor is already past them."""

    data: bytes
    events: int


@dataclass(frozen=True, slots=True)
class ReadPage:
    """Read the feed, then call :meth:`Hub.replay`: the cursor is older than the replay buffer."""

    after: int
    up_to: int
    wanted: Selection


@dataclass(frozen=True, slots=True)
class SendReset:
    """Send a reset: notifications after the cursor have expired, and the cursor was moved to the head."""


NextAction = UpToDate | AwaitHead | Write | ReadPage


@dataclass(frozen=True, slots=True)
class EncodedPage:
    """A page of the feed, encoded.

    Attributes:
        state: the feed at the time of the read.
        entries: the matches, in feed order.
        through: the page has every match up to and including this position.
    """

    state: FeedState
    entries: Sequence[Entry]
    through: int


class Hub:
    """The subscriptions of one process over one :class:`ReplayBuffer`."""

    def __init__(self, state: FeedState, buffer: ReplayBuffer) -> None:
        self.epoch = state.epoch
        self.floor = state.floor
        self.buffer = buffer
        # dicts without values: half of the memory of sets, and in the order in which the clients came
        self._subscriptions: dict[Subscription, None] = {}
        # LIVE subscriptions: those to orders by order, of the others those to a customer's by customer, the rest by
        # framing and kinds
        self._by_order: dict[int, dict[Subscription, None]] = {}
        self._by_customer: dict[str, dict[Subscription, None]] = {}
        self._of_any_order: dict[tuple[Framing, frozenset[str] | None], dict[Subscription, None]] = {}

    @property
    def head(self) -> int:
        """The newest position that this process knows."""
        return self.buffer.head

    @property
    def state(self) -> FeedState:
        """The range of the feed that this process knows."""
        return FeedState(self.epoch, self.floor, self.head)

    def position(self, subscription: Subscription) -> EventId:
        """Return the position up to which *subscription* was served."""
        live = subscription.state is SubscriptionState.LIVE
        return EventId(self.epoch, self.head if live else subscription.cursor)

    def join(self, subscription: Subscription, cursor: int | None = None) -> None:
        """Add *subscription*, CATCHING_UP from *cursor*; None is the head."""
        subscription.cursor = self.head if cursor is None else cursor
        subscription.state = SubscriptionState.CATCHING_UP
        self._subscriptions[subscription] = None

    def leave(self, subscription: Subscription) -> None:
        """Remove *subscription*: it is GONE; idempotent."""
        self._unindex(subscription)
        self._subscriptions.pop(subscription, None)
        subscription.state = SubscriptionState.GONE
        subscription.socket = subscription.direct = -1  # its number may be another connection's soon

    def change_filter(self, subscription: Subscription, new: NotificationFilter) -> None:
        """Deliver what matches the *new* filter in its scope from the current position on."""
        live = subscription.state is SubscriptionState.LIVE
        self._unindex(subscription)
        subscription.wanted = replace(subscription.wanted, filter=new)
        if live:
            self._index(subscription)

    def publish(self, entries: Sequence[Entry], now: float) -> list[Delivery]:
        """Append *entries* and return the deliveries; the caller makes all of them before it calls the hub again.

        Each LIVE subscription has at most one delivery, with all of *entries* that match its filter.
        """
        self.buffer.extend(entries, now)
        deliveries = []
        for (framing, kinds), subscriptions in self._of_any_order.items():
            if some := entries if kinds is None else [each for each in entries if each.kind in kinds]:
                deliveries.append(Delivery(join(some, framing), tuple(subscriptions), len(some)))
        matches: dict[Subscription, list[Entry]] = {}
        for each in entries:
            for subscription in self._by_order.get(each.order_id, ()):
                wanted = subscription.wanted
                if wanted.scope.includes(each.customer_id) and wanted.filter.includes(each.kind):
                    matches.setdefault(subscription, []).append(each)
            for subscription in self._by_customer.get(each.customer_id, ()):
                if subscription.wanted.filter.includes(each.kind):
                    matches.setdefault(subscription, []).append(each)
        deliveries += [
            Delivery(join(own, subscription.framing), (subscription,), len(own))
            for subscription, own in matches.items()
        ]
        return deliveries

    def fall_behind(self, subscription: Subscription) -> None:
        """Serve *subscription* from its cursor from now on: its transport is paused."""
        if subscription.state is SubscriptionState.LIVE:
            self._unindex(subscription)
            subscription.cursor = self.head
            subscription.state = SubscriptionState.CATCHING_UP

    def is_up_to_date(self, subscription: Subscription) -> bool:
        """Make *subscription* LIVE if its cursor is at the head; return whether it is LIVE or GONE."""
        if subscription.state is SubscriptionState.CATCHING_UP and subscription.cursor == self.head:
            subscription.state = SubscriptionState.LIVE
            self._index(subscription)
        return subscription.state is not SubscriptionState.CATCHING_UP

    def next_action(self, subscription: Subscription) -> NextAction:
        """Return what to do next for *subscription*, whose transport is not paused."""
        if self.is_up_to_date(subscription):
            return UpToDate()
        if subscription.cursor > self.head:
            return AwaitHead()
        if subscription.cursor < self.buffer.first - 1:
            return ReadPage(subscription.cursor, self.buffer.first - 1, subscription.wanted)
        entries = self.buffer.after(subscription.cursor, subscription.wanted, ENTRIES_PER_WRITE)
        through = entries[-1].seq if len(entries) == ENTRIES_PER_WRITE else self.head
        return _advance(subscription, entries, through) or self.next_action(subscription)

    def replay(self, subscription: Subscription, read: ReadPage, page: EncodedPage) -> Write | SendReset | None:
        """Return what to do with *page*, the answer to *read*; None if it has no match or is outdated."""
        moved = subscription.cursor != read.after or subscription.wanted != read.wanted
        if subscription.state is not SubscriptionState.CATCHING_UP or moved:
            return None
        if resume_cursor(EventId(self.epoch, read.after), page.state) is None:
            subscription.cursor = self.head
            return SendReset()
        return _advance(subscription, page.entries, page.through)

    def reset(self, state: FeedState) -> Sequence[Subscription]:
        """Continue at the head of *state*: another epoch, or a gap; return all subscriptions, to send them a reset."""
        self.epoch, self.floor = state.epoch, state.floor
        self.buffer.clear(state.head)
        for subscription in self._subscriptions:
            subscription.cursor = state.head
        return tuple(self._subscriptions)

    def _index(self, subscription: Subscription) -> None:
        for index, key in self._places(subscription):
            index.setdefault(key, {})[subscription] = None

    def _unindex(self, subscription: Subscription) -> None:
        for index, key in self._places(subscription):
            _discard(index, key, subscription)

    def _places(self, subscription: Subscription) -> Sequence[tuple[dict[Any, dict[Subscription, None]], Any]]:
        """Return the index, and the keys in it, under which *subscription* is while it is LIVE."""
        wanted = subscription.wanted
        if wanted.filter.orders is not None:
            return [(self._by_order, order) for order in wanted.filter.orders]
        if wanted.scope.customer_id is not None:
            return [(self._by_customer, wanted.scope.customer_id)]
        return [(self._of_any_order, (subscription.framing, wanted.filter.kinds))]


def _discard(index: dict[T, dict[Subscription, None]], key: T, subscription: Subscription) -> None:
    indexed = index.get(key, {})
    indexed.pop(subscription, None)
    if not indexed:
        index.pop(key, None)


def _advance(subscription: Subscription, entries: Sequence[Entry], through: int) -> Write | None:
    """Move the cursor past the *entries* of one write, and to *through* after the last one; None without entries."""
    taken = _first_write(entries, subscription.framing)
    subscription.cursor = through if len(taken) == len(entries) else taken[-1].seq
    return Write(join(taken, subscription.framing), len(taken)) if taken else None


def _first_write(entries: Sequence[Entry], framing: Framing) -> Sequence[Entry]:
    size_bytes = 0
    for count, each in enumerate(entries):
        size_bytes += len(each.ws if framing is Framing.WS else each.sse)
        if count and size_bytes > BYTES_PER_WRITE:
            return entries[:count]
    return entries
