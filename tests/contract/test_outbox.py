"""The contract of the table of the outbox, in memory and in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast

import pytest

from service_common.outbox.table import OutboxRow, OutboxTable
from service_common.postgres import Database, load_statements, migrate
from tests.support.in_memory.database import InMemoryDatabase, order_statements
from tests.support.in_memory.order import InMemoryOrders

LEASE_S = 3600.0


@dataclass(frozen=True)
class Outbox:
    """The table, and how events of subjects are committed for a queue."""

    table: OutboxTable
    commit: Callable[[str, Sequence[str | None]], Awaitable[object]]

    async def claim(self, limit: int = 9, *, lease_s: float = LEASE_S, sent: Sequence[int] = ()) -> list[int]:
        return ids(await self.table.claim(limit, lease_s, sent=sent))


def ids(rows: Sequence[OutboxRow]) -> list[int]:
    return [row.id for row in rows]


@pytest.fixture(params=["in memory", "postgres"])
async def outbox(request: pytest.FixtureRequest) -> AsyncIterator[Outbox]:
    if request.param == "in memory":
        orders = InMemoryOrders()

        async def add(queue: str, subjects: Sequence[str | None]) -> None:
            for subject in subjects:
                orders.outbox.add(queue, "paid", subject, f"{len(orders.outbox.rows)}", data={})

        yield Outbox(OutboxTable(cast(Database, InMemoryDatabase(order_statements(orders)))), add)
        return
    url: str = request.getfixturevalue("database_url")
    await migrate(url, "service_common.outbox.migrations")
    async with Database.open(url) as database:

        async def insert(queue: str, subjects: Sequence[str | None]) -> None:
            statement = "INSERT INTO outbox_event (destination, type, subject) SELECT %s, 'paid', unnest(%s::text[])"
            await database.execute(statement, (queue, list(subjects)))

        yield Outbox(OutboxTable(database), insert)


async def test_claimed_events_are_leased(outbox: Outbox) -> None:
    await outbox.commit("q", ["a", None])
    assert await outbox.claim() == [1, 2]
    assert await outbox.claim() == []


async def test_lease_that_has_ended_is_claimed_again(outbox: Outbox) -> None:
    await outbox.commit("q", ["a", None])
    assert await outbox.claim(lease_s=0.0) == [1, 2]
    assert await outbox.claim() == [1, 2]


async def test_oldest_events_are_claimed_first(outbox: Outbox) -> None:
    await outbox.commit("q", ["a", "b", "a", None])
    assert await outbox.claim(3) == [1, 2, 3]


async def test_event_waits_for_an_earlier_one_of_its_subject(outbox: Outbox) -> None:
    await outbox.commit("q", ["a", "a", "b", None, None])
    assert await outbox.claim(1) == [1]
    assert await outbox.claim() == [3, 4, 5]
    assert await outbox.claim(sent=[1]) == [2]


async def test_event_for_another_queue_does_not_wait(outbox: Outbox) -> None:
    await outbox.commit("q", ["a"])
    assert await outbox.claim() == [1]
    await outbox.commit("other", ["a"])
    assert await outbox.claim() == [2]


async def test_excluded_queues_are_not_claimed_for(outbox: Outbox) -> None:
    await outbox.commit("q", ["a"])
    await outbox.commit("other", ["a"])
    assert ids(await outbox.table.claim(9, LEASE_S, excluded=["q"])) == [2]


async def test_postponed_event_delays_those_after_it_and_is_claimed_later(outbox: Outbox) -> None:
    await outbox.commit("q", ["a", "a"])
    assert await outbox.claim(1) == [1]
    await outbox.table.postpone([1])
    assert await outbox.claim() == []


async def test_sent_events_leave_the_backlog_and_are_purged_after_the_retention(outbox: Outbox) -> None:
    await outbox.commit("q", ["a", "b"])
    assert (await outbox.table.backlog())[0] == 2
    await outbox.table.mark_sent([1])
    assert (await outbox.table.backlog())[0] == 1
    assert await outbox.table.purge(3600.0) == 0
    assert await outbox.table.purge(0.0) == 1
    assert await outbox.claim() == [2]


async def test_sent_events_that_no_one_has_locked_leave_the_backlog(outbox: Outbox) -> None:
    await outbox.commit("q", ["a", "b"])
    await outbox.table.mark_unlocked([1])
    assert await outbox.claim() == [2]


def test_every_statement_runs_in_memory() -> None:
    assert load_statements("service_common.outbox").keys() <= order_statements(InMemoryOrders()).keys()


async def test_event_that_is_set_aside_is_kept_and_delays_none(outbox: Outbox) -> None:
    await outbox.commit("q", ["a", "a"])
    await outbox.table.set_aside([1])
    assert await outbox.claim() == [2]
    assert await outbox.table.purge(0.0) == 0
