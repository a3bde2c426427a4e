"""The outbox relay on a real table, with a publisher that fails as SQS does."""

from __future__ import annotations

import asyncio
import logging
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic

import psycopg2
import pytest

from service_common.config import AwsConfig
from service_common.events import decode, event_id
from service_common.observability import Metrics
from service_common.outbox import OutboxRelay
from service_common.outbox.maintenance import OutboxMaintenance
from service_common.outbox.table import OutboxTable
from service_common.postgres import Database, DatabaseUnavailableError, StatementError, migrate
from service_common.sqs import Outgoing, Publisher, SendOutcome, Sqs, SqsUnavailableError
from tests.support.waiting import PATIENCE_S

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
QUEUE = "notification-queue"
SOURCE = "/billing"


@dataclass
class UnreliablePublisher:
    """Accepts messages; *refuse* returns why one is refused, *before* and *after* may raise or wait."""

    refuse: Callable[[str, Outgoing], str | None] = lambda _queue, _message: None
    before: Callable[[str], object] = lambda _queue: None
    after: Callable[[str], object] = lambda _queue: None
    taken: list[tuple[str, str]] = field(default_factory=list)
    batches: list[tuple[str, int]] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def send(self, queue_name: str, messages: Sequence[Outgoing]) -> SendOutcome:
        await self._happen(self.before(queue_name))
        failed = {each.key: reason for each in messages if (reason := self.refuse(queue_name, each))}
        sent = [each for each in messages if each.key not in failed]
        async with self.changed:
            self.taken += [(queue_name, each.body) for each in sent]
            self.batches.append((queue_name, len(messages)))
            self.changed.notify_all()
        await self._happen(self.after(queue_name))
        return SendOutcome(frozenset(each.key for each in sent), failed)

    @staticmethod
    async def _happen(what: object) -> None:
        if isinstance(what, asyncio.Event):
            await what.wait()

    def subjects(self, queue: str = QUEUE) -> Counter[int]:
        return Counter(int(decode(body).subject or 0) for name, body in self.taken if name == queue)

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S), self.changed:
            await self.changed.wait_for(condition)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, "service_common.outbox.migrations")
    async with Database.open(database_url, size=4) as database:
        yield database


@asynccontextmanager
async def running(relay: OutboxRelay) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def commit(database: Database, subjects: Sequence[int], *, queue: str = QUEUE) -> None:
    await database.execute(
        "INSERT INTO outbox_event (destination, type, subject, traceparent)"
        " SELECT %s, 'invoice-paid', subject, %s FROM unnest(%s) AS subject",
        (queue, TRACEPARENT, list(subjects)),
    )


async def wait_until_sent(database: Database, total: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while await count_sent(database) != total:  # noqa: ASYNC110  # the table sends no event
            await asyncio.sleep(0.005)


async def count_sent(database: Database) -> int:
    with suppress(DatabaseUnavailableError):
        [(sent,)] = await database.fetch("SELECT count(*) FROM outbox_event WHERE sent_at IS NOT NULL")
        return int(sent)
    return 0


async def test_committed_event_is_sent_when_woken_and_marked(database: Database) -> None:
    publisher = UnreliablePublisher()
    relay = OutboxRelay(database, publisher, SOURCE, poll_s=60)
    async with running(relay):
        await database.execute(
            "INSERT INTO outbox_event (destination, type, subject, event_key, traceparent, data)"
            " VALUES (%s, 'invoice-paid', '7', 'paid:7', %s, %s)",
            (QUEUE, TRACEPARENT, '{"amount":"12.50"}'),
        )
        relay.wake()
        await wait_until_sent(database, 1)
    [(queue, body)] = publisher.taken
    event = decode(body)
    assert (queue, event.type, event.subject, event.source) == (QUEUE, "invoice-paid", "7", SOURCE)
    assert (event.id, event.data, event.traceparent) == (event_id("paid:7"), {"amount": "12.50"}, TRACEPARENT)


async def test_event_without_a_wake_is_found_by_polling(database: Database) -> None:
    publisher = UnreliablePublisher()
    async with running(OutboxRelay(database, publisher, SOURCE, poll_s=0.05)):
        await commit(database, [1])
        await wait_until_sent(database, 1)


async def test_rolled_back_event_is_never_sent(database: Database) -> None:
    publisher = UnreliablePublisher()
    relay = OutboxRelay(database, publisher, SOURCE, poll_s=0.02)
    async with running(relay):
        with pytest.raises(StatementError):
            await database.execute(
                "DO $$ BEGIN INSERT INTO outbox_event (destination, type) VALUES ('q', 'paid'); RAISE 'no'; END $$"
            )
        await commit(database, [2])
        await wait_until_sent(database, 1)
    assert publisher.subjects() == {2: 1}


async def test_partial_failure_marks_the_accepted_events_and_retries_the_others(database: Database) -> None:
    odd = {str(number) for number in range(1, 41, 2)}

    def refuse_once(_queue: str, message: Outgoing) -> str | None:
        if message.key not in odd:
            return None
        odd.remove(message.key)
        return "Throttled"

    publisher = UnreliablePublisher(refuse=refuse_once)
    async with running(OutboxRelay(database, publisher, SOURCE, poll_s=0.02)):
        await commit(database, range(1, 41))
        await wait_until_sent(database, 40)
    assert publisher.subjects() == dict.fromkeys(range(1, 41), 1)
    assert len(publisher.batches) > 1


async def test_message_missing_in_the_outcome_counts_as_failed(database: Database) -> None:
    lost = [True]

    @dataclass
    class Forgetful(UnreliablePublisher):
        async def send(self, queue_name: str, messages: Sequence[Outgoing]) -> SendOutcome:
            if lost.pop() if lost else False:
                return SendOutcome(frozenset(), {})
            return await super().send(queue_name, messages)

    publisher = Forgetful()
    async with running(OutboxRelay(database, publisher, SOURCE, poll_s=0.02)):
        await commit(database, [1])
        await wait_until_sent(database, 1)
    assert publisher.subjects() == {1: 1}


async def test_outage_of_a_queue_delays_its_events(database: Database) -> None:
    failures = iter([SqsUnavailableError("away"), TimeoutError(), RuntimeError("a bug of the publisher")])

    def fail(_queue: str) -> None:
        if error := next(failures, None):
            raise error

    publisher = UnreliablePublisher(before=fail)
    async with running(OutboxRelay(database, publisher, SOURCE, poll_s=0.02)) as task:
        await commit(database, [1, 2, 3])
        await wait_until_sent(database, 3)
        assert not task.done()
    assert publisher.subjects() == {1: 1, 2: 1, 3: 1}


async def test_hanging_queue_does_not_delay_others(database: Database) -> None:
    thaw = asyncio.Event()
    publisher = UnreliablePublisher(before=lambda queue: thaw if queue == "processing-queue" else None)
    relay = OutboxRelay(database, publisher, SOURCE, poll_s=0.02, spacing_s=0.005)
    async with running(relay):
        for order in range(1, 6):
            await commit(database, [order], queue="processing-queue")
            await commit(database, [order])
            relay.wake()
            await wait_until_sent(database, order)
        assert publisher.subjects("processing-queue") == {}
        thaw.set()
        await wait_until_sent(database, 10)


async def test_send_without_an_answer_times_out_with_the_lease(database: Database) -> None:
    hang = [asyncio.Event()]
    publisher = UnreliablePublisher(before=lambda _: hang.pop() if hang else None)
    async with running(OutboxRelay(database, publisher, SOURCE, poll_s=0.02, lease_s=0.2)):
        await commit(database, [1])
        await wait_until_sent(database, 1)


async def test_events_of_a_killed_relay_are_sent_by_another_after_the_lease(database: Database) -> None:
    never = asyncio.Event()
    first = UnreliablePublisher(after=lambda _: never)
    async with running(OutboxRelay(database, first, SOURCE, poll_s=0.02, lease_s=0.3)):
        await commit(database, [1, 2])
        await first.wait_for(lambda: len(first.taken) == 2)
    second = UnreliablePublisher()
    async with running(OutboxRelay(database, second, SOURCE, poll_s=0.02)):
        await wait_until_sent(database, 2)
    assert [decode(body).id for _, body in second.taken] == [decode(body).id for _, body in first.taken]


async def test_concurrent_relays_send_each_event_once(database: Database) -> None:
    publisher = UnreliablePublisher()
    relays = [OutboxRelay(database, publisher, SOURCE, poll_s=0.01, spacing_s=0.001, batch=7) for _ in range(3)]
    async with running(relays[0]), running(relays[1]), running(relays[2]):
        await asyncio.gather(*(commit(database, range(start, start + 50)) for start in range(1, 501, 50)))
        for relay in relays:
            relay.wake()
        await wait_until_sent(database, 500)
    assert publisher.subjects() == dict.fromkeys(range(1, 501), 1)


async def test_event_announced_again_is_sent_again_with_the_same_id(database: Database) -> None:
    publisher = UnreliablePublisher()
    relay = OutboxRelay(database, publisher, SOURCE, poll_s=60)
    async with running(relay):
        await commit(database, [1])
        relay.wake()
        await wait_until_sent(database, 1)
        await database.execute("UPDATE outbox_event SET sent_at = NULL, available_at = now()")
        relay.wake()
        await publisher.wait_for(lambda: len(publisher.taken) == 2)
    first, second = (decode(body).id for _, body in publisher.taken)
    assert first == second


async def test_commits_under_load_share_a_batch(database: Database) -> None:
    publisher = UnreliablePublisher()
    relay = OutboxRelay(database, publisher, SOURCE, poll_s=60, spacing_s=0.1)
    async with running(relay):
        began_s = monotonic()
        for order in range(1, 21):
            for _ in range(200):  # so that it is a load even when a commit takes long
                relay.wake()
            await commit(database, [order])
            relay.wake()
        await wait_until_sent(database, 20)
    assert len(publisher.batches) <= 2 + (monotonic() - began_s) / 0.1


async def test_backlog_under_load_goes_on_when_its_destination_is_free_again(database: Database) -> None:
    await commit(database, range(1, 21))
    relay = OutboxRelay(database, UnreliablePublisher(), SOURCE, poll_s=60, spacing_s=60, batch=5)
    for _ in range(200):
        relay.wake()
    async with running(relay):
        await wait_until_sent(database, 20)


async def test_stop_sends_what_is_due_and_ends(database: Database) -> None:
    release = asyncio.Event()
    publisher = UnreliablePublisher(after=lambda _: release)
    relay = OutboxRelay(database, publisher, SOURCE, poll_s=60)
    async with running(relay) as task:
        await commit(database, [1], queue="processing-queue")
        relay.wake()
        await publisher.wait_for(lambda: len(publisher.taken) == 1)
        await commit(database, [2])
        stopping = asyncio.create_task(relay.stop())
        await publisher.wait_for(lambda: len(publisher.taken) == 2)
        assert not stopping.done()
        release.set()
        async with asyncio.timeout(PATIENCE_S):
            await stopping
            await task
    assert await database.fetch_one("SELECT count(*) FROM outbox_event WHERE sent_at IS NOT NULL") == (2,)


async def test_stop_sends_what_was_committed_for_a_destination_in_flight(database: Database) -> None:
    release = asyncio.Event()
    publisher = UnreliablePublisher(after=lambda _: release)
    relay = OutboxRelay(database, publisher, SOURCE, poll_s=60, batch=2)
    async with running(relay) as task:
        await commit(database, [1])
        relay.wake()
        await publisher.wait_for(lambda: len(publisher.taken) == 1)
        await commit(database, range(2, 8))
        stopping = asyncio.create_task(relay.stop())
        await asyncio.sleep(0)
        release.set()
        async with asyncio.timeout(PATIENCE_S):
            await stopping
            await task
    assert publisher.subjects() == dict.fromkeys(range(1, 8), 1)
    assert await count_sent(database) == 7


async def test_stop_tries_an_unavailable_queue_once_and_sends_to_the_others(database: Database) -> None:
    tried: Counter[str] = Counter()

    def away(queue: str) -> None:
        tried[queue] += 1
        if queue == "processing-queue":
            raise SqsUnavailableError("away")

    relay = OutboxRelay(database, UnreliablePublisher(before=away), SOURCE, poll_s=60, batch=5)
    async with running(relay) as task:
        await commit(database, range(1, 21), queue="processing-queue")
        await commit(database, range(1, 21))
        async with asyncio.timeout(PATIENCE_S):
            await relay.stop()
            await task
    assert tried["processing-queue"] == 1
    assert await count_sent(database) == 20


async def test_cancelled_relay_marks_the_accepted_events(database: Database) -> None:
    publisher = UnreliablePublisher()
    relay = OutboxRelay(database, publisher, SOURCE, poll_s=60, spacing_s=60)
    await commit(database, [1])
    async with running(relay):
        async with asyncio.timeout(PATIENCE_S):
            while not relay._unmarked:  # noqa: ASYNC110  # the relay sends no event
                await asyncio.sleep(0.001)
        assert await count_sent(database) == 0
    assert await count_sent(database) == 1


async def test_nothing_is_lost_while_relays_are_killed_and_sends_fail_at_random(database: Database) -> None:
    chance = random.Random(7)

    def may_hang_or_raise(_queue: str) -> object:
        if chance.random() < 0.2:
            raise SqsUnavailableError("away")
        return asyncio.Event() if chance.random() < 0.1 else None

    publisher = UnreliablePublisher(
        before=may_hang_or_raise,
        refuse=lambda *_: "Throttled" if chance.random() < 0.2 else None,
        after=may_hang_or_raise,
    )
    for start in range(1, 201, 20):
        relays = [OutboxRelay(database, publisher, SOURCE, poll_s=0.01, lease_s=0.2, batch=5) for _ in range(3)]
        async with running(relays[0]), running(relays[1]), running(relays[2]):
            await commit(database, range(start, start + 20))
            await asyncio.sleep(chance.uniform(0.0, 0.1))
    reliable = UnreliablePublisher()
    async with running(OutboxRelay(database, reliable, SOURCE, poll_s=0.01)):
        await wait_until_sent(database, 200)
    assert set(publisher.subjects()) | set(reliable.subjects()) == set(range(1, 201))


async def test_stop_of_a_relay_that_never_ran_returns(database: Database) -> None:
    await OutboxRelay(database, UnreliablePublisher(), SOURCE).stop()


async def test_events_are_marked_after_an_outage_of_the_database(database: Database, postgres_dsn: str) -> None:
    publisher = UnreliablePublisher(after=lambda _: _end_sessions(postgres_dsn) if len(publisher.taken) == 3 else None)
    async with running(OutboxRelay(database, publisher, SOURCE, poll_s=0.02)) as task:
        await commit(database, [1, 2, 3])
        await publisher.wait_for(lambda: len(publisher.taken) == 3)
        await database.wait_available()
        await wait_until_sent(database, 3)
        assert not task.done()
    assert publisher.subjects() == {1: 1, 2: 1, 3: 1}


def _end_sessions(url: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orderstream'")
    connection.close()


async def test_missing_table_ends_the_relay(database: Database) -> None:
    await database.execute("DROP TABLE outbox_event CASCADE")
    with pytest.raises(ExceptionGroup) as caught:
        await OutboxRelay(database, UnreliablePublisher(), SOURCE).run()
    assert caught.group_contains(StatementError)


async def test_relay_that_died_with_a_delivery_in_flight_sends_again_to_its_destination(database: Database) -> None:
    hanging = asyncio.Event()
    publisher = UnreliablePublisher(before=lambda _: hanging)
    relay = OutboxRelay(database, publisher, SOURCE, poll_s=0.05, lease_s=0.5)
    await commit(database, [1])
    async with asyncio.timeout(PATIENCE_S):
        async with running(relay) as task:
            while not relay._busy:  # noqa: ASYNC110  # the relay sends no event
                await asyncio.sleep(0.01)
            await database.execute("ALTER TABLE outbox_event RENAME TO gone")
            relay.wake()
            await asyncio.wait([task])
        assert isinstance(task.exception(), ExceptionGroup)
        await database.execute("ALTER TABLE gone RENAME TO outbox_event")
        hanging.set()
        async with running(relay):
            await wait_until_sent(database, 1)


async def test_published_event_is_logged_with_its_trace(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "service_common.outbox")
    relay = OutboxRelay(database, UnreliablePublisher(), SOURCE, poll_s=0.02)
    async with running(relay):
        await commit(database, [1])
        await wait_until_sent(database, 1)
    [record] = [each for each in caplog.records if each.getMessage() == "event published"]
    facts = record.__dict__
    assert (facts["type"], facts["subject"], facts["queue"]) == ("invoice-paid", "1", QUEUE)


async def test_outage_of_a_queue_is_logged_when_it_starts_and_ends(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "service_common")
    refusals = iter(["AccessDenied: no"] * 2 + ["InternalError"])
    refusal: dict[str, str | None] = {}

    def begin(_queue: str) -> None:
        refusal["now"] = next(refusals, None)

    publisher = UnreliablePublisher(refuse=lambda *_: refusal["now"], before=begin)
    async with running(OutboxRelay(database, publisher, SOURCE, poll_s=0.02)):
        await commit(database, [1, 2, 3])
        await wait_until_sent(database, 3)
    told = [each for each in caplog.records if each.getMessage().startswith("outbox send")]
    assert [each.getMessage() for each in told] == ["outbox send failed", "outbox send failed", "outbox send recovered"]
    assert (told[0].__dict__["events"], told[0].__dict__["reason"]) == (3, "AccessDenied: no")


async def test_backlog_is_measured_and_old_rows_are_deleted(database: Database) -> None:
    metrics = Metrics()
    await commit(database, range(1, 4))
    await database.execute("UPDATE outbox_event SET created_at = now() - interval '90 s' WHERE subject = '1'")
    await database.execute("UPDATE outbox_event SET sent_at = now() - interval '8 days' WHERE subject = '2'")
    await database.execute("UPDATE outbox_event SET sent_at = now() - interval '6 days' WHERE subject = '3'")
    await OutboxMaintenance(OutboxTable(database), metrics).once()
    assert await database.fetch("SELECT subject FROM outbox_event ORDER BY 1") == [("1",), ("3",)]
    exposition = metrics.exposition().decode()
    assert "orderstream_outbox_pending_events 1.0" in exposition
    [oldest_s] = [line.split()[1] for line in exposition.splitlines() if line.startswith("orderstream_outbox_oldest")]
    assert 90 <= float(oldest_s) < 100


async def test_locked_event_does_not_delay_the_others(database: Database, database_url: str) -> None:
    with psycopg2.connect(database_url) as other, other.cursor() as cursor:

        def lock_the_first(_queue: str) -> None:
            cursor.execute("SELECT FROM outbox_event WHERE subject = '1' FOR UPDATE")

        publisher = UnreliablePublisher(before=lock_the_first)
        async with running(OutboxRelay(database, publisher, SOURCE, poll_s=0.02, lease_s=2.0)):
            await commit(database, [1, 2, 3])
            await wait_until_sent(database, 2)
            await commit(database, [4])
            await wait_until_sent(database, 3)
            publisher.before = lambda _queue: None
            other.rollback()
            await wait_until_sent(database, 4)
    other.close()
    assert publisher.subjects() == {1: 2, 2: 1, 3: 1, 4: 1}


@pytest.mark.parametrize("data", ['{"text": "' + "x" * 2**20 + '"}', '{"deep": ' + "[" * 300 + "]" * 300 + "}"])
async def test_event_that_can_never_be_sent_is_set_aside(
    database: Database, aws_endpoint: str, caplog: pytest.LogCaptureFixture, data: str
) -> None:
    metrics = Metrics()
    async with Sqs.open(AwsConfig("us-east-1", aws_endpoint)) as sqs:
        queue = f"q{uuid.uuid4().hex}"
        await sqs._request("CreateQueue", QueueName=queue)
        await database.execute(
            "INSERT INTO outbox_event (destination, type, subject, data) VALUES (%s, 'invoice-paid', '1', %s)",
            (queue, data),
        )
        await commit(database, [1, 1, 2], queue=queue)
        async with running(OutboxRelay(database, Publisher(sqs), SOURCE, poll_s=0.02, metrics=metrics)):
            await wait_until_sent(database, 4)
        assert (await sqs.depth(queue)).visible == 3
    [kept] = await database.fetch("SELECT subject FROM outbox_event WHERE sent_at = 'infinity'")
    assert kept == ("1",)
    assert f'orderstream_outbox_set_aside_total{{queue="{queue}"}} 1.0' in metrics.exposition().decode()
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert (record.getMessage(), record.__dict__["subject"]) == ("outbox event set aside", "1")
    await OutboxMaintenance(OutboxTable(database), metrics).once()
    assert await database.fetch("SELECT count(*) FROM outbox_event WHERE sent_at = 'infinity'") == [(1,)]
