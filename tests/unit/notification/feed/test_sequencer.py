"""Any interleaving of own appends, a faulty bus and reads of the table gives each client every notification once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from notification_service.feed.sequencer import Read, Sequencer
from notification_service.notification import EVERYTHING, FeedState, Notification, Page
from notification_service.push import encode, entry_of, record_of
from notification_service.push.encoding import Framing
from notification_service.push.hub import Hub, Subscription
from notification_service.push.replay_buffer import Entry, ReplayBuffer
from order_contracts import EventType
from tests.support.push_transport import WritesTo

BATCH, MAX_HELD = 4, 6
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def notification(seq: int) -> Notification:
    return Notification(seq, EventType.ORDER_CREATED, seq, 1, NOW)


@cache
def entry(seq: int, epoch: str) -> Entry:
    return encode(notification(seq), epoch)


@dataclass
class UnderWay:
    """A read of the table, with its answer once the database has taken its snapshot."""

    read: Read
    page: Page | None = None


class Replica(RuleBasedStateMachine):
    """One replica with a client; the others append, and the bus loses, repeats, reorders and delays."""

    @initialize(head=st.integers(0, 5))
    def start(self, head: int) -> None:
        self.table = FeedState("a", 0, head)
        self.sequencer = Sequencer[Entry](self.table, max_held=MAX_HELD)
        self.hub = Hub(self.table, ReplayBuffer(head, max_bytes=1 << 20, max_age_s=60.0))
        self.bus: list[tuple[str, bytes]] = []
        self.under_way: UnderWay | None = None
        self.received: list[bytes] = []
        self.begun = self.table
        client = Subscription(Framing.WS, WritesTo(self.received.append), EVERYTHING)
        self.hub.join(client)
        assert self.hub.is_up_to_date(client)

    @rule(count=st.integers(1, 3))
    def another_replica_appends(self, count: int) -> None:
        for seq in self._commit(count):
            self.bus.append((self.table.epoch, record_of(entry(seq, self.table.epoch))))

    @rule(count=st.integers(1, 3))
    def this_replica_appends(self, count: int) -> None:
        epoch = self.sequencer.state.epoch
        if epoch == self.table.epoch:
            self._publish(self.sequencer.take(epoch, [entry(seq, epoch) for seq in self._commit(count)]))

    @precondition(lambda self: self.bus)
    @rule(data=st.data(), keep=st.booleans())
    def bus_delivers(self, data: st.DataObject, keep: bool) -> None:
        """In any order, and when it is kept again."""
        place = data.draw(st.integers(0, len(self.bus) - 1))
        epoch, record = self.bus[place] if keep else self.bus.pop(place)
        self._publish(self.sequencer.take(epoch, [entry_of(record)]))

    @precondition(lambda self: self.bus)
    @rule()
    def bus_is_emptied(self) -> None:
        self.bus.clear()

    @precondition(lambda self: self.under_way is None)
    @rule()
    def read_begins(self) -> None:
        self.under_way = UnderWay(self.sequencer.begin_read())

    @precondition(lambda self: self.under_way is not None and self.under_way.page is None)
    @rule()
    def snapshot_is_taken(self) -> None:
        assert self.under_way is not None
        after, state = self.under_way.read.after, self.table
        found = [notification(seq) for seq in range(max(after, state.floor) + 1, state.head + 1)][:BATCH]
        self.under_way.page = Page(state, found, found[-1].seq if found else max(after, state.head))

    @precondition(lambda self: self.under_way is not None and self.under_way.page is not None)
    @rule()
    def read_ends(self) -> None:
        assert self.under_way is not None
        assert self.under_way.page is not None
        read, page = self.under_way.read, self.under_way.page
        self.under_way = None
        lacking = [entry(each.seq, page.state.epoch) for each in page.notifications if self.sequencer.lacks(each.seq)]
        following = self.sequencer.finish_read(read, page, lacking)
        if following is None:
            assert page.state.epoch != self.begun.epoch or page.state.floor > read.after, "a reset without need"
            self.hub.reset(page.state)
            self.begun = page.state
            self.received.clear()
        else:
            self._publish(following)

    @precondition(lambda self: self.under_way is not None)
    @rule()
    def read_fails(self) -> None:
        self.under_way = None

    @rule(lost=st.integers(0, 3))
    def database_is_restored(self, lost: int) -> None:
        self.table = FeedState(self.table.epoch + "a", self.table.floor, max(self.table.floor, self.table.head - lost))

    @rule(count=st.integers(1, 3))
    def notifications_expire(self, count: int) -> None:
        self.table = replace(self.table, floor=min(self.table.head, self.table.floor + count))

    @invariant()
    def client_has_each_once_in_order(self) -> None:
        head = self.sequencer.seq
        expected = [entry(seq, self.begun.epoch).ws for seq in range(self.begun.head + 1, head + 1)]
        assert b"".join(self.received) == b"".join(expected)

    @invariant()
    def little_is_held(self) -> None:
        assert len(self.sequencer.begin_read().held) <= MAX_HELD

    def teardown(self) -> None:
        if not hasattr(self, "table"):
            return
        self.under_way = None
        for _ in range(self.table.head + 2):
            self.read_begins()
            self.snapshot_is_taken()
            self.read_ends()
            self.client_has_each_once_in_order()
        assert self.sequencer.seq == self.hub.head == self.table.head
        assert not self.sequencer.has_gap

    def _commit(self, count: int) -> range:
        self.table = replace(self.table, head=self.table.head + count)
        return range(self.table.head - count + 1, self.table.head + 1)

    def _publish(self, entries: Sequence[Entry]) -> None:
        for delivery in self.hub.publish(entries, 0.0):
            for subscription in delivery.to:
                subscription.write(delivery.data)


def test_client_has_each_notification_once_in_order() -> None:
    # a failure is told as it was found: to shrink it takes minutes
    phases = (Phase.explicit, Phase.reuse, Phase.generate)
    run_state_machine_as_test(
        Replica, settings=settings(max_examples=200, stateful_step_count=40, deadline=None, phases=phases)
    )


def test_nothing_is_passed_on_before_what_is_missing() -> None:
    sequencer = Sequencer[Notification](FeedState("a", 0, 3))
    assert not sequencer.take("a", [notification(5)])
    assert sequencer.has_gap
    assert sequencer.take("a", [notification(4)]) == [notification(4), notification(5)]
    assert not sequencer.has_gap


def test_what_is_of_an_earlier_epoch_is_dropped() -> None:
    sequencer = Sequencer[Notification](FeedState("a", 0, 3))
    read = sequencer.begin_read()
    assert sequencer.finish_read(read, Page(FeedState("b", 0, 2), (), 2), ()) is None
    assert not sequencer.take("a", [notification(3), notification(4)])
    assert (sequencer.seq, sequencer.has_gap) == (2, False)


def test_what_the_table_does_not_have_is_not_held_any_longer() -> None:
    """As after a restore that the replicas have not noticed yet."""
    sequencer = Sequencer[Notification](FeedState("a", 0, 3))
    assert not sequencer.take("a", [notification(5), notification(6)])
    read = sequencer.begin_read()
    sequencer.take("a", [notification(9)])  # after the read began: it may be newer than the answer
    found = [notification(4)]
    assert sequencer.finish_read(read, Page(FeedState("a", 0, 5), found, 4), found) == [*found, notification(5)]
    assert [sequencer.lacks(seq) for seq in (6, 9)] == [True, False]
