from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from notification_service import encode
from notification_service.domain import EventId, FeedState, Notification, Page, start_at
from notification_service.encode import Framing
from notification_service.hub import Await, Hub, Read, Reset, Settled, State, Subscription, Write
from notification_service.ring import Ring
from service_common.events import EventType

EPOCH = "e"
ORDERS = (1, 2, 3)
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
RING_ENTRIES = 6
ANY_ID = re.compile(rb'(?:id: |"id":")e-([0-9]+)')
WISHES = st.none() | st.frozensets(st.sampled_from(ORDERS), min_size=1)


def notification(seq: int, order: int) -> Notification:
    return Notification(seq, EventType.ORDER_CREATED, order, 1, WHEN)


ENTRY_BYTES = encode.entry(notification(1, 1), EPOCH).size_bytes


@dataclass
class Table:
    """The model's truth: which order each place is about."""

    orders: list[int] = field(default_factory=list)

    @property
    def state(self) -> FeedState:
        return FeedState(EPOCH, 0, len(self.orders))

    def between(self, after: int, up_to: int) -> list[Notification]:
        return [notification(seq, self.orders[seq - 1]) for seq in range(after + 1, up_to + 1)]


@dataclass(eq=False)
class Client:
    """A client with a transport that asks for a pause when it holds too much, on one replica at a time."""

    framing: Framing
    orders: frozenset[int] | None
    since: int
    last_id: int = 0
    wishes: list[tuple[int, frozenset[int] | None]] = field(default_factory=list)
    buffer: list[bytes] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    replica: Replica | None = None
    subscription: Subscription | None = None
    reading: Read | None = None
    paused: bool = False

    def write(self, data: bytes) -> None:
        self.buffer.append(data)
        if len(self.buffer) > 1 and not self.paused:
            self.paused = True
            assert self.replica is not None
            assert self.subscription is not None
            self.replica.hub.fall_behind(self.subscription)

    def drain(self) -> None:
        for data in self.buffer:
            self.received += seqs(data)
            self.last_id = [int(seq) for seq in ANY_ID.findall(data)][-1]
        self.buffer.clear()
        self.paused = False

    def expected(self, table: Table, head: int) -> list[int]:
        return [seq for seq in range(self.since + 1, head + 1) if wanted(self.wish_at(seq), table.orders[seq - 1])]

    def wish_at(self, seq: int) -> frozenset[int] | None:
        return [orders for start, orders in self.wishes if start < seq][-1]

    def wish(self, orders: frozenset[int] | None, start: int) -> None:
        self.orders = orders
        self.wishes = [*(wish for wish in self.wishes if wish[0] < start), (start, orders)]


def wanted(orders: frozenset[int] | None, order: int) -> bool:
    return orders is None or order in orders


@cache
def seqs(data: bytes) -> list[int]:
    return [int(part.split(b'"', 1)[0]) for part in data.split(b'"id":"e-')[1:] if b'"orderId"' in part]


class Replica:
    """A hub and the tail that feeds it, as far as it has read."""

    def __init__(self) -> None:
        self.hub = Hub(FeedState(EPOCH, 0, 0), Ring(0, max_bytes=RING_ENTRIES * ENTRY_BYTES, max_age_s=1e9))

    def tail(self, table: Table, count: int) -> None:
        notifications = table.between(self.hub.head, min(len(table.orders), self.hub.head + count))
        if notifications:
            deliveries = self.hub.publish([encode.entry(each, EPOCH) for each in notifications], 0.0)
            targets = [subscription for delivery in deliveries for subscription in delivery.to]
            assert len(targets) == len(set(targets))
            for delivery in deliveries:
                for subscription in delivery.to:
                    subscription.write(delivery.data)


class HubMachine(RuleBasedStateMachine):
    @initialize()
    def start(self) -> None:
        self.table = Table()
        self.replicas = [Replica(), Replica()]
        self.clients: list[Client] = []

    def pick(self, index: int) -> Client:
        return self.clients[index % len(self.clients)]

    @rule(orders=st.lists(st.sampled_from(ORDERS), min_size=1, max_size=10))
    def append(self, orders: Sequence[int]) -> None:
        self.table.orders += orders

    @rule(replica=st.integers(0, 1), count=st.integers(1, 8))
    def tail(self, replica: int, count: int) -> None:
        self.replicas[replica].tail(self.table, count)

    @rule(
        replica=st.integers(0, 1),
        framing=st.sampled_from(Framing),
        orders=WISHES,
    )
    def connect(self, replica: int, framing: Framing, orders: frozenset[int] | None) -> None:
        head = self.replicas[replica].hub.head
        client = Client(framing, orders, since=head, last_id=head)
        self.clients.append(client)
        self.join(client, self.replicas[replica], None)

    def join(self, client: Client, replica: Replica, cursor: int | None) -> None:
        client.subscription = Subscription(client.framing, client.write, client.orders)
        client.replica = replica
        client.wish(client.orders, client.last_id)
        replica.hub.join(client.subscription, cursor)
        replica.hub.settle(client.subscription)

    @precondition(lambda self: self.clients)
    @rule(index=st.integers(0, 50))
    def drain(self, index: int) -> None:
        self.pick(index).drain()

    @precondition(lambda self: self.clients)
    @rule(index=st.integers(0, 50))
    def kill(self, index: int) -> None:
        client = self.pick(index)
        if client.replica is not None and client.subscription is not None:
            client.replica.hub.leave(client.subscription)
            assert client.replica.hub.settle(client.subscription)
        client.replica, client.subscription, client.reading = None, None, None
        client.buffer.clear()
        client.paused = False

    @precondition(lambda self: self.clients)
    @rule(index=st.integers(0, 50), replica=st.integers(0, 1))
    def resume(self, index: int, replica: int) -> None:
        client = self.pick(index)
        if client.replica is None:
            self.join(client, self.replicas[replica], client.last_id)

    @precondition(lambda self: self.clients)
    @rule(index=st.integers(0, 50), orders=WISHES)
    def subscribe(self, index: int, orders: frozenset[int] | None) -> None:
        client = self.pick(index)
        if client.replica is not None and client.subscription is not None:
            client.wish(orders, client.replica.hub.position(client.subscription).seq)
            client.replica.hub.narrow(client.subscription, orders)

    @precondition(lambda self: self.clients)
    @rule(index=st.integers(0, 50))
    def heartbeat(self, index: int) -> None:
        client = self.pick(index)
        if client.replica is not None and client.subscription is not None and not client.paused:
            client.write(encode.heartbeat(client.framing, client.replica.hub.position(client.subscription)))

    @precondition(lambda self: self.clients)
    @rule(index=st.integers(0, 50))
    def pump(self, index: int) -> None:
        self.pump_once(self.pick(index))

    def pump_once(self, client: Client) -> bool:
        """Do one step of the pump; tell whether it is to go on."""
        if client.replica is None or client.subscription is None or client.paused:
            return False
        if client.reading is not None:
            self.finish_reading(client, client.replica, client.subscription, client.reading)
            return True
        match client.replica.hub.step(client.subscription):
            case Write() as write:
                client.write(write.data)
            case Read() as read:
                client.reading = read
            case Settled() | Await():
                return False
        return True

    def finish_reading(self, client: Client, replica: Replica, subscription: Subscription, read: Read) -> None:
        rows = self.table.between(read.after, read.up_to)
        found = [each for each in rows if wanted(read.orders, each.order_id)][:3]
        through = found[-1].seq if len(found) == 3 else read.up_to
        client.reading = None
        match replica.hub.replay(subscription, read, Page(self.table.state, found, through)):
            case Write() as write:
                client.write(write.data)
            case Reset():
                raise AssertionError("nothing was forgotten")
            case None:
                pass

    @invariant()
    def nobody_sees_anything_twice_or_out_of_order_or_with_a_gap(self) -> None:
        for client in getattr(self, "clients", ()):
            pending = [seq for data in client.buffer for seq in seqs(data)]
            seen = client.received + pending
            assert seen == client.expected(self.table, len(self.table.orders))[: len(seen)]

    @invariant()
    def live_means_handed_everything(self) -> None:
        for client in getattr(self, "clients", ()):
            if client.subscription is not None and client.subscription.state is State.LIVE:
                assert client.replica is not None
                pending = [seq for data in client.buffer for seq in seqs(data)]
                assert client.received + pending == client.expected(self.table, client.replica.hub.head)

    @invariant()
    def ring_stays_within_its_bound(self) -> None:
        for replica in getattr(self, "replicas", ()):
            assert len(replica.hub.ring) <= RING_ENTRIES

    def teardown(self) -> None:
        for client in getattr(self, "clients", ()):
            if client.replica is None:
                self.resume_any(client)
        for replica in getattr(self, "replicas", ()):
            replica.tail(self.table, len(self.table.orders))
        for client in getattr(self, "clients", ()):
            client.drain()
            while self.pump_once(client):
                client.drain()
            client.drain()
            assert client.received == client.expected(self.table, len(self.table.orders))
            assert client.subscription is not None
            assert client.subscription.state is State.LIVE

    def resume_any(self, client: Client) -> None:
        self.join(client, random.choice(self.replicas), client.last_id)


TestHubMachine = HubMachine.TestCase
TestHubMachine.settings = settings(max_examples=80, stateful_step_count=50, deadline=None)


def test_a_place_of_another_epoch_or_beyond_either_end_is_not_in_the_feed() -> None:
    state = FeedState(EPOCH, 5, 9)
    assert start_at(EventId("other", 7), state) is None
    assert start_at(EventId(EPOCH, 4), state) is None
    assert start_at(EventId(EPOCH, 5), state) == 5
    assert start_at(EventId(EPOCH, 9), state) == 9
    assert start_at(EventId(EPOCH, 10), state) is None
