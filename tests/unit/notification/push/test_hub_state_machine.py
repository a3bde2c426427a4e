from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from notification_service.notification import (
    EARLIEST,
    EVERYTHING,
    EventId,
    FeedState,
    Notification,
    NotificationFilter,
    Page,
    Position,
    Selection,
    resume_cursor,
)
from notification_service.push import Broadcaster, Framing, PushCounters, PushLimits, Subscription, encoding
from notification_service.push.hub import (
    AwaitHead,
    Hub,
    ReadPage,
    SendReset,
    SubscriptionState,
    UpToDate,
    Write,
)
from notification_service.push.replay_buffer import Entry, ReplayBuffer
from order_contracts import EventType
from service_common.observability import Metrics
from service_common.scope import ALL_CUSTOMERS, ANONYMOUS, OneCustomer
from tests.support.in_memory.notification import encoded
from tests.support.push_transport import WritesTo

ORDERS = (1, 2, 3)
# order and customer of a notification; an order has notifications of nobody where its customer was not known
Row: TypeAlias = tuple[int, str]
ROW = st.sampled_from([(1, "alice"), (2, "bob"), (3, "alice"), (3, ANONYMOUS)])
SCOPES = st.sampled_from([ALL_CUSTOMERS, OneCustomer("alice"), OneCustomer("bob")])
# of the positions, in turn
TYPES = (EventType.ORDER_CREATED, EventType.ORDER_PROCESSED)
WHEN = datetime(2026, 1, 1, tzinfo=UTC)
BUFFER_ENTRIES = 6
BUFFER_AGE_S = 100.0
PAGE_ENTRIES = 3
MOST_CLIENTS = 4
REPLICA = st.integers(0, 1)
LOG = st.lists(ROW, max_size=12)
INDEX = st.integers(0, MOST_CLIENTS - 1)
# more than any client needs to catch up
MOST_STEPS = 1_000
FILTERS = st.builds(
    NotificationFilter,
    st.none() | st.frozensets(st.sampled_from(ORDERS), min_size=1),
    st.none() | st.frozensets(st.sampled_from([each.kind for each in TYPES]), min_size=1),
)
SELECTIONS = st.builds(Selection, SCOPES, FILTERS)
COUNTERS = PushCounters(Metrics())
T = TypeVar("T")


def notification(seq: int, row: Row) -> Notification:
    order, customer = row
    return Notification(seq, TYPES[seq % len(TYPES)], order, 1, WHEN, customer_id=customer)


# of the larger type and the longest customer
ENTRY_BYTES = max(encoding.encode(notification(seq, (1, ANONYMOUS)), "e0").size_bytes for seq in range(len(TYPES)))


def matches(wanted: Selection, seq: int, row: Row) -> bool:
    each, orders, kinds = notification(seq, row), wanted.filter.orders, wanted.filter.kinds
    own = wanted.scope is ALL_CUSTOMERS or wanted.scope == OneCustomer(each.customer_id)
    return own and (not orders or each.order_id in orders) and (not kinds or each.kind in kinds)


def result_of(work: Coroutine[Any, Any, T]) -> T:
    try:
        work.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the model never waits")


class Table:
    """The model of the feed: order and customer of each position, in each epoch."""

    def __init__(self) -> None:
        self.logs: dict[str, list[Row]] = {"e0": []}
        self.epoch = "e0"
        self.floor = 0

    @property
    def rows(self) -> list[Row]:
        return self.logs[self.epoch]

    @property
    def now(self) -> FeedState:
        return FeedState(self.epoch, self.floor, len(self.rows))

    def restore(self, head: int) -> None:
        """Continue from a backup with the head *head*, in a new epoch."""
        kept = self.rows[:head]
        self.epoch = f"e{len(self.logs)}"
        self.logs[self.epoch] = kept
        self.floor = min(self.floor, len(kept))

    async def state(self) -> FeedState:
        return self.now

    async def read(self, after: int, *, up_to: int | None = None, wanted: Selection, limit: int) -> Page:
        end = min(len(self.rows), len(self.rows) if up_to is None else up_to)
        read = [(seq, self.rows[seq - 1]) for seq in range(max(after, self.floor) + 1, end + 1)]
        found = [notification(seq, row) for seq, row in read if matches(wanted, seq, row)][:limit]
        return Page(self.now, found, found[-1].seq if len(found) == limit else max(after, end))


class Replica:
    """A hub, its tailer and its clock."""

    def __init__(self, table: Table, now: float) -> None:
        state, warm = table.now, BUFFER_ENTRIES // 2
        after = max(state.floor, state.head - warm)
        page = result_of(table.read(after, wanted=EVERYTHING, limit=warm))
        buffer = ReplayBuffer(after, max_bytes=BUFFER_ENTRIES * ENTRY_BYTES, max_age_s=BUFFER_AGE_S)
        buffer.extend([encoding.encode(each, state.epoch) for each in page.notifications], now)
        self.table = table
        self.hub = Hub(state, buffer)
        self.broadcaster = Broadcaster(self.hub, table, PushLimits(), COUNTERS)
        self.now = now
        self.resetting = False
        self.taken_at = {each.seq: now for each in page.notifications}

    @property
    def follows(self) -> bool:
        """Whether its next read continues after its head."""
        state = self.table.now
        return state.epoch == self.hub.epoch and state.floor <= self.hub.head <= state.head

    def tail(self, count: int) -> None:
        state, hub = self.table.now, self.hub
        if not self.follows:
            self.resetting = True
            self.broadcaster.reset(state)
            self.resetting = False
            return
        hub.floor = state.floor
        notifications = result_of(self.table.read(hub.head, wanted=EVERYTHING, limit=count)).notifications
        if notifications:
            self.taken_at |= {each.seq: self.now for each in notifications}
            self.publish([encoding.encode(each, state.epoch) for each in notifications])

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

    def age(self, seconds: float) -> None:
        self.now += seconds
        self.hub.buffer.trim(self.now)


Token = tuple[str, EventId]
TOKEN = re.compile(
    rb'(?:(?P<reset>"type":"reset","id":")|(?P<heartbeat>"type":"heartbeat","id":")|(?P<event>{"id":"))'
    rb"([0-9a-z]+)-([0-9]+)"
)


@cache
def tokens(data: bytes) -> Sequence[Token]:
    found = []
    for match in TOKEN.finditer(data):
        (kind,) = (name for name, text in match.groupdict().items() if text)
        found.append((kind, EventId(match[4].decode(), int(match[5]))))
    return found


@cache
def customers(data: bytes) -> frozenset[str]:
    return frozenset(match[1].decode() for match in re.finditer(rb'"customerId":"(\w+)"', data))


@dataclass(eq=False)
class Client:
    """A client that checks each write immediately; its transport is paused with more than one write in its buffer.

    Attributes:
        read: the last position it has read; it resumes from there.
        written: the last position that was written to its transport.
    """

    table: Table
    framing: Framing
    wanted: Selection
    read: EventId
    written: EventId
    buffer: list[bytes] = field(default_factory=list)
    replica: Replica | None = None
    subscription: Subscription | None = None
    reading: ReadPage | None = None
    page: Page | None = None
    paused: bool = False
    closing: bool = False
    ended: bool = False
    resets: int = 0

    @property
    def state(self) -> SubscriptionState:
        return SubscriptionState.GONE if self.subscription is None else self.subscription.state

    def write(self, data: bytes) -> None:
        assert not self.ended, "a write after the close"
        if self.closing:
            raise RuntimeError("the transport is closed")
        assert self.wanted.scope is ALL_CUSTOMERS or customers(data) <= {self.wanted.scope.customer_id}
        for kind, position in tokens(data):
            self.take(kind, position)
        self.buffer.append(data)
        if len(self.buffer) > 1 and not self.paused:
            self.paused = True
            assert self.replica is not None
            assert self.subscription is not None
            self.replica.hub.fall_behind(self.subscription)

    def take(self, kind: str, position: EventId) -> None:
        """Check that no match lies between the previous write and this one."""
        assert self.replica is not None
        if kind == "reset":
            assert position == EventId(self.replica.hub.epoch, self.replica.hub.head)
            assert self.replica.resetting or self.may_be_reset(self.replica), "a reset without cause"
            self.written = position
            self.resets += 1
            return
        assert position.epoch == self.replica.hub.epoch
        assert position.epoch == self.written.epoch
        if kind == "event":
            assert position.seq > self.written.seq, "a duplicate"
            assert matches(self.wanted, position.seq, self.table.logs[position.epoch][position.seq - 1])
            assert not self.missing(position.seq - 1)
        else:
            assert position.seq >= self.written.seq
            assert not self.missing(position.seq)
        self.written = position

    def may_be_reset(self, replica: Replica) -> bool:
        """Return whether this replica can't serve what follows its position."""
        known = {self.written.epoch} == {replica.hub.epoch, self.table.epoch}
        return not known or not self.table.floor <= self.written.seq <= len(self.table.rows)

    def missing(self, up_to: int) -> list[int]:
        """Return the matches up to a position that were not written to it."""
        log = self.table.logs[self.written.epoch]
        return [seq for seq in range(self.written.seq + 1, up_to + 1) if matches(self.wanted, seq, log[seq - 1])]

    def drain(self) -> None:
        for data in self.buffer:
            for _, position in tokens(data):
                self.read = position
        self.buffer.clear()
        self.paused = False

    def disconnect(self) -> None:
        if self.replica is not None and self.subscription is not None:
            self.replica.hub.leave(self.subscription)
            assert self.replica.hub.is_up_to_date(self.subscription)
        self.replica, self.subscription, self.reading, self.page = None, None, None, None
        self.buffer.clear()
        self.paused = self.closing = self.ended = False


class HubMachine(RuleBasedStateMachine):
    """Clients of every kind on two replicas of one feed, under every event that can happen to them.

    A client that gets a reset reads the history up to its position, so its sequence has to be exact from there on.
    """

    @initialize(earlier=LOG, later=LOG, floor=st.integers(0, 4))
    def start(self, earlier: list[Row], later: list[Row], floor: int) -> None:
        self.table = Table()
        self.table.rows.extend(earlier)
        self.table.floor = min(floor, len(earlier))
        self.replicas = [Replica(self.table, 0.0), Replica(self.table, 0.0)]
        self.clients: list[Client] = []
        self.table.rows.extend(later)  # neither replica has read these

    def pick(self, some: Sequence[Client], index: int) -> Client:
        return some[index % len(some)]

    def connected(self) -> list[Client]:
        return [client for client in self.clients if client.replica is not None]

    def disconnected(self) -> list[Client]:
        return [client for client in self.clients if client.replica is None]

    def behind(self) -> list[Client]:
        return [client for client in self.connected() if client.state is SubscriptionState.CATCHING_UP]

    @rule(rows=st.lists(ROW, min_size=1, max_size=10))
    def append(self, rows: Sequence[Row]) -> None:
        self.table.rows.extend(rows)

    @rule(replica=REPLICA, count=st.integers(1, 8))
    def tail(self, replica: int, count: int) -> None:
        self.replicas[replica].tail(count)

    @rule(event=st.sampled_from(["expire", "restore", "age", "replace"]), amount=st.integers(0, 8), replica=REPLICA)
    def disturb(self, event: str, amount: int, replica: int) -> None:
        old, head = self.replicas[replica], len(self.table.rows)
        match event:
            case "expire":
                self.table.floor = min(head, self.table.floor + amount)
            case "restore":
                self.table.restore(max(0, head - amount))
            case "age":
                old.age(BUFFER_AGE_S / 3 if amount else BUFFER_AGE_S + 1)
            case "replace":
                for client in self.clients:
                    if client.replica is old:
                        client.disconnect()
                self.replicas[replica] = Replica(self.table, old.now)

    @precondition(lambda self: len(self.clients) < MOST_CLIENTS)
    @rule(replica=REPLICA, framing=st.sampled_from(Framing), wanted=SELECTIONS, after=st.sampled_from([None, EARLIEST]))
    def connect(self, replica: int, framing: Framing, wanted: Selection, after: Position | None) -> None:
        hub = self.replicas[replica].hub
        here = EventId(hub.epoch, hub.head if after is None else hub.floor)
        client = Client(self.table, framing, wanted, read=here, written=here)
        self.clients.append(client)
        self.join(client, self.replicas[replica], after)

    @precondition(lambda self: self.disconnected())
    @rule(index=INDEX, replica=REPLICA)
    def resume(self, index: int, replica: int) -> None:
        client = self.pick(self.disconnected(), index)
        self.join(client, self.replicas[replica], client.read)

    @precondition(lambda self: len(self.clients) < MOST_CLIENTS)
    @rule(
        replica=REPLICA,
        framing=st.sampled_from(Framing),
        wanted=SELECTIONS,
        epochs_ago=st.sampled_from([0, 0, 0, 1]),
        positions_back=st.integers(-2, 12),
    )
    def resume_from_anywhere(
        self, replica: int, framing: Framing, wanted: Selection, epochs_ago: int, positions_back: int
    ) -> None:
        epoch = list(self.table.logs)[-1 - epochs_ago % len(self.table.logs)]
        position = EventId(epoch, max(0, len(self.table.logs[epoch]) - positions_back))
        client = Client(self.table, framing, wanted, read=position, written=position)
        self.clients.append(client)
        self.join(client, self.replicas[replica], position)

    def join(self, client: Client, replica: Replica, resume_at: Position | None) -> None:
        cursor = result_of(replica.broadcaster.locate(resume_at))
        client.replica = replica
        client.subscription = Subscription(client.framing, WritesTo(client.write), client.wanted)
        client.written = client.read
        replica.hub.join(client.subscription, cursor)
        if cursor is None:
            client.write(encoding.reset_frame(client.framing, replica.hub.position(client.subscription)))
        replica.hub.is_up_to_date(client.subscription)

    @precondition(lambda self: self.connected())
    @rule(index=INDEX)
    def drain(self, index: int) -> None:
        self.pick(self.connected(), index).drain()

    @precondition(lambda self: self.connected())
    @rule(index=INDEX, by_server=st.booleans())
    def leave(self, index: int, *, by_server: bool) -> None:
        client = self.pick(self.connected(), index)
        if by_server and client.replica is not None and client.subscription is not None:
            client.replica.hub.leave(client.subscription)
            client.ended = True
        else:
            client.disconnect()

    @precondition(lambda self: self.connected())
    @rule(index=INDEX, count=st.integers(1, 8))
    def close_amid_a_publish(self, index: int, count: int) -> None:
        client = self.pick(self.connected(), index)
        if client.replica is not None and client.replica.follows:
            client.closing = True
            client.replica.tail(count)
            client.disconnect()

    @precondition(lambda self: self.connected())
    @rule(index=INDEX, wanted=FILTERS)
    def subscribe(self, index: int, wanted: NotificationFilter) -> None:
        client = self.pick(self.connected(), index)
        if client.replica is None or client.subscription is None or client.subscription.state is SubscriptionState.GONE:
            return
        hub, subscription = client.replica.hub, client.subscription
        hub.change_filter(subscription, wanted)
        client.write(encoding.heartbeat_frame(client.framing, hub.position(subscription)))
        client.wanted = Selection(client.wanted.scope, wanted)

    @precondition(lambda self: self.connected())
    @rule(index=INDEX)
    def heartbeat(self, index: int) -> None:
        client = self.pick(self.connected(), index)
        if client.replica is None or client.subscription is None or client.subscription.state is SubscriptionState.GONE:
            return
        if not client.paused:
            client.write(encoding.heartbeat_frame(client.framing, client.replica.hub.position(client.subscription)))

    @precondition(lambda self: self.behind())
    @rule(index=INDEX, steps=st.integers(1, 4))
    def catch_up(self, index: int, steps: int) -> None:
        client = self.pick(self.behind(), index)
        for _ in range(steps):
            self.catch_up_once(client)

    def catch_up_once(self, client: Client) -> bool:
        """Do one step; a read of the feed and its result are two. Return whether there may be another."""
        if client.replica is None or client.subscription is None or client.paused:
            return False
        if client.reading is not None:
            self.replay(client, client.replica.hub, client.subscription, client.reading)
            return True
        match client.replica.hub.next_action(client.subscription):
            case Write() as write:
                assert len(tokens(write.data)) == write.events
                client.write(write.data)
            case ReadPage() as read:
                client.reading = read
            case UpToDate() | AwaitHead():
                return False
        return True

    def replay(self, client: Client, hub: Hub, subscription: Subscription, read: ReadPage) -> None:
        if client.page is None:
            client.page = result_of(
                self.table.read(read.after, up_to=read.up_to, wanted=read.wanted, limit=PAGE_ENTRIES)
            )
            return
        answer = hub.replay(subscription, read, encoded(client.page))
        client.reading, client.page = None, None
        match answer:
            case Write() as write:
                assert len(tokens(write.data)) == write.events
                client.write(write.data)
            case SendReset():
                client.write(encoding.reset_frame(client.framing, hub.position(subscription)))
            case None:
                pass

    @invariant()
    def live_subscription_was_written_everything(self) -> None:
        for client in getattr(self, "clients", ()):
            if client.replica is not None and client.state is SubscriptionState.LIVE:
                hub = client.replica.hub
                assert client.written.epoch == hub.epoch
                assert not client.missing(hub.head)

    @invariant()
    def hub_has_exactly_the_connected_subscriptions(self) -> None:
        for replica in getattr(self, "replicas", ()):
            here = [client.subscription for client in self.clients if client.replica is replica]
            present = {each for each in here if each is not None and each.state is not SubscriptionState.GONE}
            live = {each for each in present if each.state is SubscriptionState.LIVE}
            assert replica.hub._subscriptions.keys() == present
            by_order: dict[Any, set[Subscription]] = defaultdict(set)
            by_customer: dict[Any, set[Subscription]] = defaultdict(set)
            of_any_order: dict[Any, set[Subscription]] = defaultdict(set)
            for each in live:
                for order in each.wanted.filter.orders or ():
                    by_order[order].add(each)
                if each.wanted.filter.orders is None and each.wanted.scope is ALL_CUSTOMERS:
                    of_any_order[each.framing, each.wanted.filter.kinds].add(each)
                elif each.wanted.filter.orders is None:
                    by_customer[each.wanted.scope.customer_id].add(each)
            hub = replica.hub
            indexes: list[dict[Any, dict[Subscription, None]]] = [hub._by_order, hub._by_customer, hub._of_any_order]
            found = [{key: set(subscriptions) for key, subscriptions in index.items()} for index in indexes]
            assert found == [by_order, by_customer, of_any_order]

    @invariant()
    def buffer_stays_within_its_bounds(self) -> None:
        for replica in getattr(self, "replicas", ()):
            buffer = replica.hub.buffer
            assert buffer.size_bytes == sum(each.size_bytes for each in buffer._entries)
            assert buffer.size_bytes <= BUFFER_ENTRIES * ENTRY_BYTES
            assert [each.seq for each in buffer._entries] == list(range(buffer.first, buffer.head + 1))
            assert all(replica.now - replica.taken_at[each.seq] <= BUFFER_AGE_S for each in buffer._entries)
            by_order: dict[int, deque[Entry]] = defaultdict(deque)
            by_customer: dict[str, deque[Entry]] = defaultdict(deque)
            for each in buffer._entries:
                by_order[each.order_id].append(each)
                by_customer[each.customer_id].append(each)
            assert (buffer._by_order, buffer._by_customer) == (by_order, by_customer)

    def teardown(self) -> None:
        for client in getattr(self, "clients", ()):
            if client.ended:
                client.disconnect()
            if client.replica is None:
                self.join(client, self.replicas[0], client.read)
        for replica in getattr(self, "replicas", ()):
            while replica.hub.state != self.table.now:
                replica.tail(8)
        for client in getattr(self, "clients", ()):
            client.drain()
            for _ in range(MOST_STEPS):
                if not self.catch_up_once(client):
                    break
                client.drain()
            client.drain()
            assert client.subscription is not None
            assert client.subscription.state is SubscriptionState.LIVE
            assert client.read.epoch == self.table.epoch
            assert not client.missing(len(self.table.rows))


TestHubMachine = HubMachine.TestCase


def test_position_of_another_epoch_or_outside_of_the_range_has_no_cursor() -> None:
    state = FeedState("e", 5, 9)
    assert resume_cursor(EventId("other", 7), state) is None
    assert resume_cursor(EventId("e", 4), state) is None
    assert resume_cursor(EventId("e", 5), state) == 5
    assert resume_cursor(EventId("e", 9), state) == 9
    assert resume_cursor(EventId("e", 10), state) is None
