"""Events of one subject are sent in order, with any number of relays on a real table and any failures."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2.extensions import cursor

from service_common.events import decode
from service_common.outbox import OutboxRelay
from service_common.outbox.table import OutboxRow, OutboxTable
from service_common.postgres import Database, migrate
from service_common.sqs import Outgoing, SendOutcome, SqsUnavailableError
from tests.support.waiting import PATIENCE_S

LEASE_S = 3600.0
SOURCE = "/billing"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, "service_common.outbox.migrations")
    async with Database.open(database_url, size=8) as database:
        yield database


@pytest.fixture
def table(database: Database) -> OutboxTable:
    return OutboxTable(database)


async def commit(database: Database, *subjects: str | None, queue: str = "q") -> None:
    await database.execute(
        "INSERT INTO outbox_event (destination, type, subject) SELECT %s, 'paid', unnest(%s)", (queue, list(subjects))
    )


def ids(rows: Sequence[OutboxRow]) -> list[int]:
    return [row.id for row in rows]


async def test_events_of_a_subject_are_claimed_together_in_order(database: Database, table: OutboxTable) -> None:
    await commit(database, "a", "a", "b", "a")
    assert ids(await table.claim(3, LEASE_S)) == [1, 2, 3]


async def test_event_waits_for_an_earlier_one_that_another_relay_has(database: Database, table: OutboxTable) -> None:
    await commit(database, "a", "a", "b", None, None)
    assert ids(await table.claim(1, LEASE_S)) == [1]
    assert ids(await table.claim(9, LEASE_S)) == [3, 4, 5]
    assert ids(await table.claim(9, LEASE_S, sent=[1])) == [2]


async def test_event_for_another_destination_does_not_wait(database: Database, table: OutboxTable) -> None:
    await commit(database, "a")
    await table.claim(1, LEASE_S)
    await commit(database, "a", queue="other")
    assert ids(await table.claim(9, LEASE_S)) == [2]


async def test_event_waits_for_an_earlier_one_that_is_locked(
    database_url: str, database: Database, table: OutboxTable
) -> None:
    await commit(database, "a", "b", "a")
    with psycopg2.connect(database_url) as other, other.cursor() as session:
        session.execute("SELECT FROM outbox_event WHERE id = 1 FOR UPDATE")
        assert ids(await table.claim(9, LEASE_S)) == [2]
    other.close()
    assert ids(await table.claim(9, LEASE_S)) == [1, 3]


async def test_events_after_a_failed_one_leave_the_claim_to_others(database: Database, table: OutboxTable) -> None:
    await commit(database, *["a"] * 50)
    await database.execute("UPDATE outbox_event SET available_at = now() + interval '1 hour' WHERE id = 1")
    await commit(database, "b", "c")
    assert ids(await table.claim(2, LEASE_S)) == [51, 52]


@contextmanager
def session(url: str) -> Iterator[cursor]:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as opened:
        yield opened
    connection.close()


ANY_OF_THEM = st.sets(st.integers(0, 9), max_size=5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.lists(st.sampled_from([None, "a", "b"]), min_size=1, max_size=4)),
        st.tuples(st.just("claim"), st.integers(1, 6)),
        st.tuples(st.just("sent"), ANY_OF_THEM),
        st.tuples(st.just("due"), ANY_OF_THEM),
    ),
    max_size=25,
)


@pytest.mark.usefixtures("database")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(steps=STEPS)
async def test_claim_of_an_event_includes_every_unsent_earlier_one_of_its_subject(
    database_url: str, steps: list[tuple[str, Any]]
) -> None:
    with session(database_url) as sql:
        sql.execute("TRUNCATE outbox_event RESTART IDENTITY")
        for step, argument in steps:
            if step == "commit":
                sql.execute(
                    "INSERT INTO outbox_event (destination, type, subject) SELECT 'q', 'paid', unnest(%s::text[])",
                    (argument,),
                )
            elif step == "claim":
                check_claim(sql, argument)
            else:
                sql.execute(
                    "UPDATE outbox_event SET sent_at = now() WHERE id = ANY (%s)"
                    if step == "sent"
                    else "UPDATE outbox_event SET available_at = now() WHERE id = ANY (%s)",
                    (list(argument),),
                )


def check_claim(sql: cursor, limit: int) -> None:
    sql.execute("SELECT id, subject, available_at <= now() FROM outbox_event WHERE sent_at IS NULL ORDER BY id")
    unsent = sql.fetchall()
    sql.execute("SELECT id FROM claim_outbox_events('{}', '{}', %s, interval '1 hour')", (limit,))
    claimed = {row_id for (row_id,) in sql.fetchall()}
    for row_id, subject, due in unsent:
        if row_id in claimed:
            earlier = {each for each, of, _ in unsent if of == subject and each < row_id and subject is not None}
            assert due
            assert earlier <= claimed
    heads = {subject: due for _, subject, due in reversed(unsent) if subject is not None}
    assert claimed or not (any(heads.values()) or any(due for _, subject, due in unsent if subject is None))


@dataclass
class FailingQueue:
    """Refuses, raises and hangs at random, before and after accepting; keeps the accepted events by subject."""

    chance: random.Random
    reliable: bool = False
    taken: dict[str | None, list[int]] = field(default_factory=lambda: defaultdict(list))

    async def send(self, _queue: str, messages: Sequence[Outgoing]) -> SendOutcome:
        await self._fail()
        refused = {each.key: "Throttled" for each in messages if not self.reliable and self.chance.random() < 0.1}
        for each in messages:
            if each.key not in refused:
                event = decode(each.body)
                self.taken[event.subject].append(event.data["number"])
        await self._fail()
        return SendOutcome(frozenset(each.key for each in messages).difference(refused), refused)

    async def _fail(self) -> None:
        await asyncio.sleep(self.chance.uniform(0.0, 0.003))
        if not self.reliable and self.chance.random() < 0.1:
            raise SqsUnavailableError("away")
        if not self.reliable and self.chance.random() < 0.05:
            await asyncio.Event().wait()  # until the sender times out or is killed


@asynccontextmanager
async def running(relay: OutboxRelay) -> AsyncIterator[None]:
    task = asyncio.create_task(relay.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert task.cancelled()


@pytest.mark.parametrize("seed", range(3))
async def test_relays_that_fail_and_die_send_the_events_of_a_subject_in_order(database: Database, seed: int) -> None:
    chance = random.Random(seed)
    queue = FailingQueue(chance)
    subjects, events = [str(number) for number in range(12)], 15

    async def write(subject: str) -> None:
        for number in range(events):
            await database.execute(
                "INSERT INTO outbox_event (destination, type, subject, data)"
                " VALUES ('q', 'paid', %s, jsonb_build_object('number', %s))",
                (subject, number),
            )
            await asyncio.sleep(chance.uniform(0.0, 0.2))

    async def relay_until_killed() -> None:
        while True:
            relay = OutboxRelay(database, queue, SOURCE, poll_s=0.01, spacing_s=0.002, lease_s=0.25, batch=20)
            async with running(relay):
                await asyncio.sleep(chance.uniform(0.05, 0.4))

    relays = [asyncio.create_task(relay_until_killed()) for _ in range(4)]
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*map(write, subjects))
        queue.reliable = True
        while await database.fetch("SELECT FROM outbox_event WHERE sent_at IS NULL LIMIT 1"):  # noqa: ASYNC110
            await asyncio.sleep(0.02)  # the table sends no event
    for relay in relays:
        relay.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
    repeated = 0
    for subject in subjects:
        firsts = list(dict.fromkeys(queue.taken[subject]))
        assert firsts == list(range(events)), subject
        repeated += len(queue.taken[subject]) - events
    assert repeated > 0  # or nothing died between sending and marking
