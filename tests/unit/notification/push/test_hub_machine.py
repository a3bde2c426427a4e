from __future__ import annotations

import re
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from notification_service.notification import EventId, FeedState, Notification, Page, start_at
from notification_service.push import Broadcaster, Framing, PushLimits, PushMeter, Subscription, encoding
from notification_service.push.hub import Await, Excerpt, Hub, Read, Reset, Settled, State, Write
from notification_service.push.replay_buffer import Entry, Ring
from service_common.events import EventType
from service_common.observability import Metrics

ORDERS = (1, 2, 3)
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
RING_ENTRIES = 6
RING_AGE_S = 100.0
PAGE_ENTRIES = 3
MOST_CLIENTS = 4
REPLICA = st.integers(0, 1)
LOG = st.lists(st.sampled_from(ORDERS), max_size=12)
INDEX = st.integers(0, MOST_CLIENTS - 1)
# more than anyone can need to catch up
MOST_STEPS = 1_000
WISHES = st.none() | st.frozensets(st.sampled_from(ORDERS), min_size=1)
METER = PushMeter(Metrics())
T = TypeVar("T")


def notification(seq: int, order: int) -> Notification:
    return Notification(seq, EventType.ORDER_CREATED, order, 1, WHEN)


ENTRY_BYTES = encoding.entry(notification(1, 1), "e0").size_bytes


def wanted(orders: frozenset[int] | None, order: int) -> bool:
    return orders is None or order in orders


def at_once(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the model waits for nothing")


class Table:
    """The model's truth: which order each place is about, in each epoch that there was."""

    def __init__(self) -> None:
        self.logs: dict[str, list[int]] = {"e0": []}
        self.epoch = "e0"
        self.floor = 0

    @property
    def orders(self) -> list[int]:
        return self.logs[self.epoch]

    @property
    def now(self) -> FeedState:
        return FeedState(self.epoch, self.floor, len(self.orders))

    def start_anew(self, head: int) -> None:
        """Go on from a backup in which the feed went up to *head*."""
        kept = self.orders[:head]
        self.epoch = f"e{len(self.logs)}"
        self.logs[self.epoch] = kept
        self.floor = min(self.floor, len(kept))

    async def state(self) -> FeedState:
        return self.now

    async def read(
        self, after: int, *, up_to: int | None = None, orders: frozenset[int] | None = None, limit: int
    ) -> Page:
        end = min(len(self.orders), len(self.orders) if up_to is None else up_to)
        rows = [notification(seq, self.orders[seq - 1]) for seq in range(max(after, self.floor) + 1, end + 1)]
        found = [each for each in rows if wanted(orders, each.order_id)][:limit]
        return Page(self.now, found, found[-1].seq if len(found) == limit else max(after, end))


class Replica:
    """A hub, the tail that feeds it, as far as it has read, and its clock."""

    def __init__(self, table: Table, now: float) -> None:
        state, warm = table.now, RING_ENTRIES // 2
        after = max(state.floor, state.head - warm)
        page = at_once(table.read(after, limit=warm))
        ring = Ring(after, max_bytes=RING_ENTRIES * ENTRY_BYTES, max_age_s=RING_AGE_S)
        ring.extend([encoding.entry(each, state.epoch) for each in page.notifications], now)
        self.table = table
        self.hub = Hub(state, ring)
        self.broadcaster = Broadcaster(self.hub, table, PushLimits(), METER)
        self.now = now
        self.restarting = False
        self.taken_at = {each.seq: now for each in page.notifications}

    @property
    def follows(self) -> bool:
        """Whether the next that it will read comes next after what it has."""
        state = self.table.now
        return state.epoch == self.hub.epoch and state.floor <= self.hub.head <= state.head

    def tail(self, count: int) -> None:
        state, hub = self.table.now, self.hub
        if not self.follows:
            self.restarting = True
            self.broadcaster.restart(state)
            self.restarting = False
            return
        hub.floor = state.floor
        notifications = at_once(self.table.read(hub.head, limit=count)).notifications
        if notifications:
            self.taken_at |= {each.seq: self.now for each in notifications}
            self.publish([encoding.entry(each, state.epoch) for each in notifications])

    def publish(self, entries: Sequence[Entry]) -> None:
        deliveries = self.hub.publish(entries, self.now)
        targets = [subscription for delivery in deliveries for subscription in delivery.to]
        assert len(targets) == len(set(targets))
        for delivery in deliveries:
            assert len(tokens(delivery.data)) == delivery.events
            for subscription in delivery.to:
                try:
                    subscription.write(delivery.data)
                except RuntimeError:
                    self.hub.leave(subscription)

    def grow_old(self, seconds: float) -> None:
        self.now += seconds
        self.hub.ring.trim(self.now)


Token = tuple[str, EventId]
TOKEN = re.compile(
    rb'(?:(?P<reset>"type":"reset","id":")|(?P<heartbeat>: hb\nid: |"type":"heartbeat","id":")|(?P<event>{"id":"))'
    rb"([0-9a-z]+)-([0-9]+)"
)


@cache
def tokens(data: bytes) -> Sequence[Token]:
    found = []
    for match in TOKEN.finditer(data):
        (kind,) = (name for name, text in match.groupdict().items() if text)
        found.append((kind, EventId(match[4].decode(), int(match[5]))))
    return found


@dataclass(eq=False)
class Client:
    """A client that checks what it is handed the moment that it is, with a transport that holds two writes.

    Attributes:
        read: the last place that it has seen; it resumes from there.
        handed: the last place that its transport has been given.
        excuse: a reset is due: what it has missed is not there any more.
    """

    table: Table
    framing: Framing
    orders: frozenset[int] | None
    read: EventId
    handed: EventId
    buffer: list[bytes] = field(default_factory=list)
    replica: Replica | None = None
    subscription: Subscription | None = None
    reading: Read | None = None
    page: Page | None = None
    paused: bool = False
    closing: bool = False
    ended: bool = False
    resets: int = 0

    @property
    def state(self) -> State:
        return State.GONE if self.subscription is None else self.subscription.state

    def write(self, data: bytes) -> None:
        assert not self.ended, "something came after the farewell"
        if self.closing:
            raise RuntimeError("the transport is closed")
        for kind, place in tokens(data):
            self.take(kind, place)
        self.buffer.append(data)
        if len(self.buffer) > 1 and not self.paused:
            self.paused = True
            assert self.replica is not None
            assert self.subscription is not None
            self.replica.hub.fall_behind(self.subscription)

    def take(self, kind: str, place: EventId) -> None:
        """Check that nothing it wants lies between what it was handed before and this."""
        assert self.replica is not None
        if kind == "reset":
            assert place == EventId(self.replica.hub.epoch, self.replica.hub.head)
            assert self.replica.restarting or self.may_be_reset(self.replica), "nothing was forgotten"
            self.handed = place
            self.resets += 1
            return
        assert place.epoch == self.replica.hub.epoch
        assert place.epoch == self.handed.epoch
        if kind == "event":
            assert place.seq > self.handed.seq, "it was handed this before"
            assert wanted(self.orders, self.table.logs[place.epoch][place.seq - 1])
            assert not self.missing(place.seq - 1)
        else:
            assert place.seq >= self.handed.seq
            assert not self.missing(place.seq)
        self.handed = place

    def may_be_reset(self, replica: Replica) -> bool:
        """Tell whether what comes after its place is not to be had from this replica."""
        known = {self.handed.epoch} == {replica.hub.epoch, self.table.epoch}
        return not known or not self.table.floor <= self.handed.seq <= len(self.table.orders)

    def missing(self, up_to: int) -> list[int]:
        """Return what it wants, has not been handed and should have, up to a place."""
        log = self.table.logs[self.handed.epoch]
        return [seq for seq in range(self.handed.seq + 1, up_to + 1) if wanted(self.orders, log[seq - 1])]

    def drain(self) -> None:
        for data in self.buffer:
            for _, place in tokens(data):
                self.read = place
        self.buffer.clear()
        self.paused = False

    def hang_up(self) -> None:
        if self.replica is not None and self.subscription is not None:
            self.replica.hub.leave(self.subscription)
            assert self.replica.hub.settle(self.subscription)
        self.replica, self.subscription, self.reading, self.page = None, None, None, None
        self.buffer.clear()
        self.paused = self.closing = self.ended = False


class HubMachine(RuleBasedStateMachine):
    """Clients of every kind on two replicas of one feed, to all of which everything happens that can.

    A client that is told of a reset reads the history up to its place, so from there on its sequence has to be exact.
    """

    @initialize(orders=LOG, later=LOG, floor=st.integers(0, 4))
    def start(self, orders: list[int], later: list[int], floor: int) -> None:
        self.table = Table()
        self.table.orders.extend(orders)
        self.table.floor = min(floor, len(orders))
        self.replicas = [Replica(self.table, 0.0), Replica(self.table, 0.0)]
        self.clients: list[Client] = []
        self.table.orders.extend(later)  # which neither has read

    def pick(self, some: Sequence[Client], index: int) -> Client:
        return some[index % len(some)]

    def connected(self) -> list[Client]:
        return [client for client in self.clients if client.replica is not None]

    def disconnected(self) -> list[Client]:
        return [client for client in self.clients if client.replica is None]

    def behind(self) -> list[Client]:
        return [client for client in self.connected() if client.state is State.CATCHING_UP]

    @rule(orders=st.lists(st.sampled_from(ORDERS), min_size=1, max_size=10))
    def append(self, orders: Sequence[int]) -> None:
        self.table.orders.extend(orders)

    @rule(replica=REPLICA, count=st.integers(1, 8))
    def tail(self, replica: int, count: int) -> None:
        self.replicas[replica].tail(count)

    @rule(what=st.sampled_from(["forget", "restore", "grow old", "replace"]), amount=st.integers(0, 8), replica=REPLICA)
    def upset(self, what: str, amount: int, replica: int) -> None:
        old, head = self.replicas[replica], len(self.table.orders)
        match what:
            case "forget":
                self.table.floor = min(head, self.table.floor + amount)
            case "restore":
                self.table.start_anew(max(0, head - amount))
            case "grow old":
                old.grow_old(RING_AGE_S / 3 if amount else RING_AGE_S + 1)
            case "replace":
                for client in self.clients:
                    if client.replica is old:
                        client.hang_up()
                self.replicas[replica] = Replica(self.table, old.now)

    @precondition(lambda self: len(self.clients) < MOST_CLIENTS)
    @rule(replica=REPLICA, framing=st.sampled_from(Framing), orders=WISHES)
    def connect(self, replica: int, framing: Framing, orders: frozenset[int] | None) -> None:
        hub = self.replicas[replica].hub
        here = EventId(hub.epoch, hub.head)
        client = Client(self.table, framing, orders, read=here, handed=here)
        self.clients.append(client)
        self.join(client, self.replicas[replica], None)

    @precondition(lambda self: self.disconnected())
    @rule(index=INDEX, replica=REPLICA)
    def resume(self, index: int, replica: int) -> None:
        client = self.pick(self.disconnected(), index)
        self.join(client, self.replicas[replica], client.read)

    @precondition(lambda self: len(self.clients) < MOST_CLIENTS)
    @rule(
        replica=REPLICA,
        framing=st.sampled_from(Framing),
        orders=WISHES,
        epochs_ago=st.sampled_from([0, 0, 0, 1]),
        places_back=st.integers(-2, 12),
    )
    def resume_from_anywhere(
        self, replica: int, framing: Framing, orders: frozenset[int] | None, epochs_ago: int, places_back: int
    ) -> None:
        epoch = list(self.table.logs)[-1 - epochs_ago % len(self.table.logs)]
        place = EventId(epoch, max(0, len(self.table.logs[epoch]) - places_back))
        client = Client(self.table, framing, orders, read=place, handed=place)
        self.clients.append(client)
        self.join(client, self.replicas[replica], place)

    def join(self, client: Client, replica: Replica, resume_at: EventId | None) -> None:
        cursor = at_once(replica.broadcaster.locate(resume_at))
        client.replica = replica
        client.subscription = Subscription(client.framing, client.write, client.orders)
        client.handed = client.read
        replica.hub.join(client.subscription, cursor)
        if cursor is None:
            client.write(encoding.reset(client.framing, replica.hub.position(client.subscription)))
        replica.hub.settle(client.subscription)

    @precondition(lambda self: self.connected())
    @rule(index=INDEX)
    def drain(self, index: int) -> None:
        self.pick(self.connected(), index).drain()

    @precondition(lambda self: self.connected())
    @rule(index=INDEX, farewell=st.booleans())
    def leave(self, index: int, *, farewell: bool) -> None:
        client = self.pick(self.connected(), index)
        if farewell and client.replica is not None and client.subscription is not None:
            client.replica.hub.leave(client.subscription)
            client.ended = True
        else:
            client.hang_up()

    @precondition(lambda self: self.connected())
    @rule(index=INDEX, count=st.integers(1, 8))
    def close_amid_a_publish(self, index: int, count: int) -> None:
        client = self.pick(self.connected(), index)
        if client.replica is not None and client.replica.follows:
            client.closing = True
            client.replica.tail(count)
            client.hang_up()

    @precondition(lambda self: self.connected())
    @rule(index=INDEX, orders=WISHES)
    def subscribe(self, index: int, orders: frozenset[int] | None) -> None:
        client = self.pick(self.connected(), index)
        if client.replica is None or client.subscription is None or client.subscription.state is State.GONE:
            return
        hub, subscription = client.replica.hub, client.subscription
        hub.narrow(subscription, orders)
        client.write(encoding.heartbeat(client.framing, hub.position(subscription)))
        client.orders = orders

    @precondition(lambda self: self.connected())
    @rule(index=INDEX)
    def heartbeat(self, index: int) -> None:
        client = self.pick(self.connected(), index)
        if client.replica is None or client.subscription is None or client.subscription.state is State.GONE:
            return
        if not client.paused:
            client.write(encoding.heartbeat(client.framing, client.replica.hub.position(client.subscription)))

    @precondition(lambda self: self.behind())
    @rule(index=INDEX, steps=st.integers(1, 4))
    def pump(self, index: int, steps: int) -> None:
        client = self.pick(self.behind(), index)
        for _ in range(steps):
            self.pump_once(client)

    def pump_once(self, client: Client) -> bool:
        """Do one step of the pump, of which asking the table and getting its answer are two; tell whether to go on."""
        if client.replica is None or client.subscription is None or client.paused:
            return False
        if client.reading is not None:
            self.replay(client, client.replica.hub, client.subscription, client.reading)
            return True
        match client.replica.hub.step(client.subscription):
            case Write() as write:
                assert len(tokens(write.data)) == write.events
                client.write(write.data)
            case Read() as read:
                client.reading = read
            case Settled() | Await():
                return False
        return True

    def replay(self, client: Client, hub: Hub, subscription: Subscription, read: Read) -> None:
        if client.page is None:
            client.page = at_once(self.table.read(read.after, up_to=read.up_to, orders=read.orders, limit=PAGE_ENTRIES))
            return
        answer = hub.replay(subscription, read, Excerpt.of(client.page))
        client.reading, client.page = None, None
        match answer:
            case Write() as write:
                assert len(tokens(write.data)) == write.events
                client.write(write.data)
            case Reset():
                client.write(encoding.reset(client.framing, hub.position(subscription)))
            case None:
                pass

    @invariant()
    def live_means_handed_everything(self) -> None:
        for client in getattr(self, "clients", ()):
            if client.replica is not None and client.state is State.LIVE:
                hub = client.replica.hub
                assert client.handed.epoch == hub.epoch
                assert not client.missing(hub.head)

    @invariant()
    def hub_knows_those_who_are_there_and_no_other(self) -> None:
        for replica in getattr(self, "replicas", ()):
            here = [client.subscription for client in self.clients if client.replica is replica]
            present = {each for each in here if each is not None and each.state is not State.GONE}
            live = {each for each in present if each.state is State.LIVE}
            assert replica.hub._all == present
            assert replica.hub._broad == {
                framing: {each for each in live if each.framing is framing and each.orders is None}
                for framing in Framing
            }
            by_order = {order: {each for each in live if each.orders and order in each.orders} for order in ORDERS}
            assert replica.hub._of_order == {order: some for order, some in by_order.items() if some}

    @invariant()
    def ring_stays_within_its_bounds(self) -> None:
        for replica in getattr(self, "replicas", ()):
            ring = replica.hub.ring
            assert ring.size_bytes == sum(each.size_bytes for each in ring._entries)
            assert ring.size_bytes <= RING_ENTRIES * ENTRY_BYTES
            assert [each.seq for each in ring._entries] == list(range(ring.first, ring.head + 1))
            assert all(replica.now - replica.taken_at[each.seq] <= RING_AGE_S for each in ring._entries)
            kept = {order: [each for each in ring._entries if each.order_id == order] for order in ORDERS}
            assert {order: list(some) for order, some in ring._of_order.items()} == {
                order: some for order, some in kept.items() if some
            }

    def teardown(self) -> None:
        for client in getattr(self, "clients", ()):
            if client.ended:
                client.hang_up()
            if client.replica is None:
                self.join(client, self.replicas[0], client.read)
        for replica in getattr(self, "replicas", ()):
            while replica.hub.state != self.table.now:
                replica.tail(8)
        for client in getattr(self, "clients", ()):
            client.drain()
            for _ in range(MOST_STEPS):
                if not self.pump_once(client):
                    break
                client.drain()
            client.drain()
            assert client.subscription is not None
            assert client.subscription.state is State.LIVE
            assert client.read.epoch == self.table.epoch
            assert not client.missing(len(self.table.orders))


TestHubMachine = HubMachine.TestCase
TestHubMachine.settings = settings(max_examples=120, stateful_step_count=50)


def test_a_place_of_another_epoch_or_beyond_either_end_is_not_in_the_feed() -> None:
    state = FeedState("e", 5, 9)
    assert start_at(EventId("other", 7), state) is None
    assert start_at(EventId("e", 4), state) is None
    assert start_at(EventId("e", 5), state) == 5
    assert start_at(EventId("e", 9), state) == 9
    assert start_at(EventId("e", 10), state) is None
