"""One suite for every table of tickets and store of disconnections: in memory and in PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from math import inf
from typing import Protocol, cast

import pytest

from notification_service.access import DisconnectionStore, SqlAccess
from service_common.auth import Caller, InvalidTicketError, Principal, Tickets, TicketTable
from service_common.postgres import Database, migrate
from tests.support.in_memory.access import InMemoryAccess
from tests.support.in_memory.database import InMemoryDatabase, access_statements
from tests.support.waiting import PATIENCE_S

ALICE = Principal(Caller.CUSTOMER, "alice")
OLGA = Principal(Caller.OPERATOR, "olga", frozenset({"operator", "staff"}), time.time() + 3600.25)


class Store(TicketTable, DisconnectionStore, Protocol):
    """What the adapters are."""


@pytest.fixture(params=["memory", "statements in memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield InMemoryAccess()
        return
    if request.param == "statements in memory":
        yield SqlAccess(cast(Database, InMemoryDatabase(access_statements(InMemoryAccess()))))
        return
    url = request.getfixturevalue("database_url")
    await migrate(url, "notification_service.migrations")
    async with Database.open(url, size=8) as database:
        yield SqlAccess(database)


@pytest.fixture
def tickets(store: Store) -> Tickets:
    return Tickets(store)


@pytest.mark.parametrize("principal", [ALICE, OLGA])
async def test_ticket_is_good_once_for_the_principal_that_got_it(tickets: Tickets, principal: Principal) -> None:
    issued = await tickets.issue(principal)
    assert 25 < (issued.expires_at - datetime.now(UTC)).total_seconds() < 31
    assert await tickets.take(issued.ticket) == principal
    with pytest.raises(InvalidTicketError):
        await tickets.take(issued.ticket)


@pytest.mark.parametrize("ticket", ["", "nonsense", "\ud800", "\0", "x" * 10_000])
async def test_ticket_that_was_not_issued_is_refused(tickets: Tickets, ticket: str) -> None:
    with pytest.raises(InvalidTicketError):
        await tickets.take(ticket)


async def test_one_of_many_that_use_a_ticket_at_once_gets_in(tickets: Tickets) -> None:
    issued = await tickets.issue(ALICE)
    outcomes = await asyncio.gather(*(tickets.take(issued.ticket) for _ in range(20)), return_exceptions=True)
    assert [each for each in outcomes if not isinstance(each, InvalidTicketError)] == [ALICE]


async def test_ticket_expires_with_its_token(tickets: Tickets) -> None:
    now = time.time()
    short = await tickets.issue(Principal(Caller.CUSTOMER, "alice", expires_at=now + 5))
    assert short.expires_at.timestamp() == pytest.approx(now + 5, abs=2)
    expired = await tickets.issue(Principal(Caller.CUSTOMER, "alice", expires_at=now - 1))
    with pytest.raises(InvalidTicketError):
        await tickets.take(expired.ticket)


@pytest.mark.parametrize("expires_at", [inf, 1e300, 9e12])
async def test_token_may_expire_late_or_never(tickets: Tickets, expires_at: float) -> None:
    principal = Principal(Caller.CUSTOMER, "alice", expires_at=expires_at)
    assert await tickets.take((await tickets.issue(principal)).ticket) == principal


async def test_subject_has_a_bounded_number_of_tickets(store: Store) -> None:
    for number in range(5):
        await store.issue_ticket(bytes([number]) * 32, ALICE, valid_s=20.0 + number, max_open=3)
        await store.issue_ticket(bytes([number, 99]) * 16, OLGA, valid_s=30.0, max_open=9)
    taken = [await store.take_ticket(bytes([number]) * 32) for number in range(5)]
    assert taken == [None, None, ALICE, ALICE, ALICE]
    assert await store.take_ticket(bytes([0, 99]) * 16) == OLGA


async def test_disconnection_deletes_the_tickets_of_that_customer(store: Store, tickets: Tickets) -> None:
    of_alice, of_olga = await tickets.issue(ALICE), await tickets.issue(OLGA)
    assert (await store.disconnect("alice")).tickets == 1
    assert await tickets.take(of_olga.ticket) == OLGA
    with pytest.raises(InvalidTicketError):
        await tickets.take(of_alice.ticket)
    assert (await store.disconnect("alice")).tickets == 0


async def test_disconnections_are_read_by_position(store: Store) -> None:
    assert await store.disconnections(0) == (0, [])
    await store.disconnect("alice")
    await store.disconnect("bob")
    assert await store.disconnections(0) == (2, ["alice", "bob"])
    assert await store.disconnections(1) == (2, ["bob"])
    assert await store.disconnections(2) == (2, [])
    assert await store.disconnections(9) == (2, [])


async def test_no_disconnection_is_missed_by_one_who_reads_while_others_write(store: Store) -> None:
    read: list[str] = []
    written = [f"customer-{number}" for number in range(60)]

    async def follow() -> None:
        position = 0
        while len(read) < len(written):
            position, customers = await store.disconnections(position)
            read.extend(customers)
            await asyncio.sleep(0)

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
        group.create_task(follow())
        for customer in written:
            group.create_task(store.disconnect(customer))
    assert sorted(read) == sorted(written)


async def test_what_has_expired_is_deleted(database_url: str) -> None:
    await migrate(database_url, "notification_service.migrations")
    async with Database.open(database_url) as database:
        access = SqlAccess(database)
        await access.issue_ticket(b"1" * 32, ALICE, valid_s=-1.0, max_open=9)
        await access.issue_ticket(b"2" * 32, ALICE, valid_s=30.0, max_open=9)
        await access.disconnect("bob")
        assert await access.expire(60.0) == 1
        assert await access.take_ticket(b"2" * 32) == ALICE
        assert await access.disconnections(0) == (1, ["bob"])
        assert await access.expire(-1.0) == 0
        assert await access.disconnections(0) == (1, [])
        await access.disconnect("carol")
        assert await access.disconnections(1) == (2, ["carol"])
