"""The contract of `SagaRepository` and `SagaReader`, on the in-memory and the PostgreSQL adapter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from order_contracts import EventType, Item
from processing_service.ports import Claim, EndedSaga, OpenSagas, SagaStart
from processing_service.postgres import MIGRATIONS, SqlSagas
from processing_service.saga import (
    MAX_FAILED_ATTEMPTS,
    FailedAttempt,
    FailureKind,
    Refused,
    Saga,
    SagaState,
    SagaStep,
    Succeeded,
    Unanswered,
    Withdrawn,
)
from service_common.postgres import Database, migrate
from service_common.scope import ALL_CUSTOMERS, ANONYMOUS, OneCustomer, Scope
from tests.support.in_memory.database import InMemoryDatabase, saga_statements
from tests.support.in_memory.processing import InMemorySagas

ONE = Saga(1, 1, (Item("a", 2), Item("b", 1)), "00-" + "a" * 32 + "-" + "b" * 16 + "-01", tracestate="a=1")
TWO = Saga(2, 1, (Item("a", 1),))
NOW = datetime(2126, 5, 17, 12, tzinfo=UTC)
Events = Callable[[], Awaitable[Sequence[tuple[str, int, int, str]]]]


@dataclass(frozen=True)
class Store:
    """A repository whose leases last, the same one with leases that expire at once, and the events in the outbox."""

    lasting: SqlSagas | InMemorySagas
    lapsing: SqlSagas | InMemorySagas
    events: Events


@pytest.fixture(params=["in memory", "statements in memory", "postgres"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param != "postgres":
        lasting, lapsing = InMemorySagas(), InMemorySagas(lease_s=0)
        lapsing._rows = lasting._rows
        lapsing.outbox = lasting.outbox

        async def events_in_memory() -> Sequence[tuple[str, int, int, str]]:
            return [
                (row.type, row.data["orderId"], row.data["version"], row.data["customerId"])
                for row in lasting.outbox.rows.values()
            ]

        if request.param == "in memory":
            yield Store(lasting, lapsing, events_in_memory)
        else:
            yield Store(_on_statements(lasting), _on_statements(lapsing), events_in_memory)
        return
    url: str = request.getfixturevalue("database_url")
    await migrate(url, *MIGRATIONS)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.open(url))

        async def events_in_outbox() -> Sequence[tuple[str, int, int, str]]:
            rows = await database.fetch("SELECT type, data FROM outbox_event ORDER BY id")
            return [(event, data["orderId"], data["version"], data["customerId"]) for event, data in rows]

        unawaited = await stack.enter_async_context(UnawaitedDatabase.open(url))
        yield Store(SqlSagas(database, "events"), SqlSagas(unawaited, "events"), events_in_outbox)


class UnawaitedDatabase(Database):
    """Its statements begin when nobody waits for the answer any more, as after a server hung."""

    def _awaited_until(self) -> float:
        return time.time() - 0.001


def _on_statements(sagas: InMemorySagas) -> SqlSagas:
    return SqlSagas(cast(Database, InMemoryDatabase(saga_statements(sagas))), "events")


async def claimed(sagas: SqlSagas | InMemorySagas, saga: Saga) -> Claim:
    claim = (await sagas.start(saga, claimed=True)).claim
    assert claim is not None
    return claim


async def test_new_saga_is_claimed_by_its_starter(store: Store) -> None:
    claim = await claimed(store.lasting, ONE)
    assert (claim.saga, claim.fence) == (ONE, 1)
    assert await store.lasting.claim(10) == []


async def test_unclaimed_new_saga_is_due_at_once(store: Store) -> None:
    assert await store.lasting.start(ONE, claimed=False) == SagaStart(new=True)
    (claim,) = await store.lasting.claim(10)
    assert (claim.saga, claim.fence) == (ONE, 1)
    assert 0 <= claim.age_s < 5


async def test_second_start_of_a_version_is_a_duplicate(store: Store) -> None:
    await store.lasting.start(ONE, claimed=False)
    for claim in (True, False):
        assert await store.lasting.start(ONE, claimed=claim) == SagaStart(new=False)
    assert len(await store.lasting.claim(10)) == 1


async def test_starts_at_the_same_time_make_one_saga(store: Store) -> None:
    admissions = await asyncio.gather(*(store.lasting.start(saga, claimed=True) for saga in (ONE, TWO, ONE, TWO, ONE)))
    assert [admission.new for admission in admissions] == [True, True, False, False, False]


async def ended(sagas: SqlSagas | InMemorySagas, saga: Saga, state: SagaState, at: datetime) -> None:
    assert await sagas.save(await claimed(sagas, saga), replace(saga, state=state), {state: at})


async def test_sagas_of_the_oldest_orders_that_ended_long_ago_expire(store: Store) -> None:
    now = datetime.now(UTC)
    for saga, ago_s in ((ONE, 90), (replace(ONE, version=2), 70), (TWO, 30), (replace(ONE, order_id=4), 90)):
        await ended(store.lasting, saga, SagaState.RELEASED, now - timedelta(seconds=ago_s))
    await claimed(store.lasting, replace(ONE, order_id=3))
    expired = await store.lasting.expired(60.0, 10)
    assert sorted((saga.order_id, saga.version) for saga in expired) == [(1, 1), (1, 2), (4, 1)]
    # the further versions of an order are found with its first
    assert {saga.order_id for saga in await store.lasting.expired(60.0, 1)} == {1}
    await store.lasting.start(replace(ONE, version=3), claimed=False)
    assert [saga.order_id for saga in await store.lasting.expired(60.0, 10)] == [4]


@pytest.mark.parametrize("order_id", [1, 8191, 8192, 2**62])
async def test_forgotten_saga_of_a_settled_order_starts_nothing_again(store: Store, order_id: int) -> None:
    for offset, state in enumerate((SagaState.DONE, SagaState.FAILED)):
        saga = replace(ONE, order_id=order_id + offset)
        await ended(store.lasting, saga, state, datetime.now(UTC))
        assert await store.lasting.forget([EndedSaga(saga.order_id, 1, 0)]) == 1
        assert await store.lasting.forget([EndedSaga(saga.order_id, 1, 0)]) == 0
        for again in (saga, replace(saga, version=2)):
            assert await store.lasting.start(again, claimed=True) == SagaStart(new=False)
    assert (await store.lasting.start(replace(ONE, order_id=order_id + 2), claimed=True)).new


async def test_forgotten_saga_that_was_released_starts_anew(store: Store) -> None:
    await ended(store.lasting, ONE, SagaState.RELEASED, datetime.now(UTC))
    assert await store.lasting.forget([EndedSaga(1, 1, 0)]) == 1
    again = await claimed(store.lasting, ONE)
    assert (again.saga, again.fence) == (ONE, 1)


async def test_open_saga_is_not_forgotten(store: Store) -> None:
    await claimed(store.lasting, ONE)
    assert await store.lasting.forget([EndedSaga(1, 1, 0)]) == 0
    assert await store.lasting.start(ONE, claimed=True) == SagaStart(new=False)


async def test_saga_can_be_claimed_after_its_lease(store: Store) -> None:
    first = await claimed(store.lapsing, ONE)
    (second,) = await store.lapsing.claim(10)
    assert second.fence == first.fence + 1
    assert not await store.lasting.save(first, ONE.after(Succeeded()), {})
    assert await store.lasting.save(second, ONE.after(Succeeded()), {})
    assert [record.state for record in await store.lasting.of_order(1, ALL_CUSTOMERS)] == [SagaState.STOCK_TAKEN]


async def test_progress_keeps_the_claim(store: Store) -> None:
    claim = await claimed(store.lapsing, ONE)
    assert await store.lasting.save(claim, ONE.after(Succeeded()), {})
    assert await store.lasting.claim(10) == []


async def test_lease_of_progress_may_end_at_once(store: Store) -> None:
    claim = await claimed(store.lasting, ONE)
    assert await store.lapsing.save(claim, ONE.after(Succeeded()), {})
    (again,) = await store.lasting.claim(10)
    assert again.saga == ONE.after(Succeeded())


async def test_delay_releases_the_claim(store: Store) -> None:
    claim = await claimed(store.lasting, ONE)
    waiting = ONE.after(Unanswered("timeout"))
    assert await store.lasting.save(claim, waiting, {}, 60.0)
    assert await store.lasting.claim(10) == []
    (record,) = await store.lasting.of_order(1, ALL_CUSTOMERS)
    assert (record.attempts, record.last_error) == (1, "take stock: timeout")
    other = await claimed(store.lasting, TWO)
    assert await store.lasting.save(other, TWO.after(Unanswered("timeout")), {}, 0.0)
    (again,) = await store.lasting.claim(10)
    assert again.saga == TWO.after(Unanswered("timeout"))


async def test_newest_failed_attempts_are_kept_over_saves_without_one_and_restarts(store: Store) -> None:
    claim = await claimed(store.lasting, ONE)
    failed = [failed_attempt(number) for number in range(MAX_FAILED_ATTEMPTS + 2)]
    for number, attempt in enumerate(failed):
        assert await store.lasting.save(claim, ONE.after(Unanswered(attempt.error)), {}, 0.0, attempt)
        assert await kept(store) == failed[: number + 1][-MAX_FAILED_ATTEMPTS:]
        (claim,) = await store.lasting.claim(10)
    # as a replica of the former version does
    assert await store.lasting.save(claim, ONE.after(Unanswered("not told")), {}, 0.0)
    (claim,) = await store.lasting.claim(10)
    assert await store.lasting.save(claim, released(ONE), {})
    await store.lasting.start(ONE, claimed=False)
    assert await kept(store) == failed[-MAX_FAILED_ATTEMPTS:]
    (found,) = await store.lasting.search(ALL_CUSTOMERS, state=None, late=None, limit=10)
    assert found.failed_attempts is None


def failed_attempt(number: int) -> FailedAttempt:
    kind = FailureKind.CRASHED if number % 2 else FailureKind.OUTCOME_UNKNOWN
    at = NOW + timedelta(seconds=number, microseconds=1)
    return FailedAttempt(at, 0.000001 * number, SagaStep.TAKE_STOCK, kind, f'no "answer" {number}')


async def kept(store: Store) -> list[FailedAttempt]:
    (record,) = await store.lasting.of_order(1, OneCustomer(ANONYMOUS))
    return list(record.failed_attempts or ())


async def test_sagas_of_the_order_of_another_customer_are_not_there(store: Store) -> None:
    await store.lasting.start(replace(ONE, customer_id="alice"), claimed=False)
    assert len(await store.lasting.of_order(1, OneCustomer("alice"))) == 1
    assert await store.lasting.of_order(1, OneCustomer("bob")) == []
    assert await store.lasting.of_order(1, OneCustomer(ANONYMOUS)) == []


async def test_claims_are_limited_and_the_longest_due_come_first(store: Store) -> None:
    for order_id in (3, 1, 2):
        await store.lasting.start(Saga(order_id, 1, ONE.items), claimed=False)
    first = await store.lasting.claim(2)
    second = await store.lasting.claim(2)
    assert [sorted(claim.saga.order_id for claim in claims) for claims in (first, second)] == [[1, 3], [2]]


async def test_end_writes_its_event_to_the_outbox(store: Store) -> None:
    done = ONE.after(Succeeded()).after(Succeeded())
    failed = TWO.after(Refused("short")).after(Succeeded())
    for end in (done, failed, released(Saga(3, 1, ONE.items))):
        claim = await claimed(store.lasting, Saga(end.order_id, 1, end.items))
        assert await store.lasting.save(claim, end, {})
    assert await store.events() == [
        (EventType.ORDER_PROCESSED, 1, 1, ANONYMOUS),
        (EventType.ORDER_FAILED, 2, 1, ANONYMOUS),
    ]
    for order_id in (1, 2, 3):
        (record,) = await store.lasting.of_order(order_id, ALL_CUSTOMERS)
        assert record.state.ended
        assert record.next_run_at is None
    assert await store.lapsing.claim(10) == []


async def test_end_is_final(store: Store) -> None:
    claim = await claimed(store.lasting, ONE)
    assert await store.lasting.save(claim, ONE.after(Succeeded()).after(Succeeded()), {})
    assert not await store.lasting.save(claim, ONE.after(Succeeded()), {})
    assert not await store.lasting.save(claim, ONE.after(Succeeded()).after(Succeeded()), {})
    assert len(await store.events()) == 1
    assert await store.lasting.start(ONE, claimed=True) == SagaStart(new=False)


def released(saga: Saga) -> Saga:
    return saga.after(Succeeded()).after(Withdrawn("cancelled")).after(Succeeded())


async def test_released_saga_is_restarted_under_a_new_operation_id(store: Store) -> None:
    for restarts, operation_id in enumerate(("1:1", "1:1:2", "1:1:3")):
        started = await store.lasting.start(ONE, claimed=True)
        assert (started.new, started.restarts) == (True, restarts)
        assert started.claim is not None
        assert started.claim.saga == replace(ONE, restarts=restarts)
        assert started.claim.saga.operation_id == operation_id
        assert await store.lasting.start(ONE, claimed=True) == SagaStart(new=False)
        assert await store.lasting.save(started.claim, released(started.claim.saga), {SagaState.RELEASED: NOW})
    assert await store.lasting.start(ONE, claimed=False) == SagaStart(new=True, restarts=3)
    (record,) = await store.lasting.of_order(1, ALL_CUSTOMERS)
    assert (record.state, record.attempts, record.reason, list(record.entered)) == (
        SagaState.STARTED, 0, None, [SagaState.STARTED],
    )  # fmt: skip
    (claim,) = await store.lasting.claim(10)
    assert claim.saga == replace(ONE, restarts=3)
    assert claim.age_s < 5
    assert await store.lasting.save(claim, claim.saga.after(Succeeded()).after(Succeeded()), {})
    assert await store.events() == [(EventType.ORDER_PROCESSED, 1, 1, ANONYMOUS)]


async def test_restart_invalidates_the_claim_of_the_released_run(store: Store) -> None:
    stale = await claimed(store.lasting, ONE)
    assert await store.lasting.save(stale, released(ONE), {})
    await store.lasting.start(ONE, claimed=False)
    assert not await store.lasting.save(stale, ONE.after(Succeeded()), {})


async def test_restarts_at_the_same_time_are_one(store: Store) -> None:
    for saga in (ONE, TWO):
        assert await store.lasting.save(await claimed(store.lasting, saga), released(saga), {})
    starts = await asyncio.gather(*(store.lasting.start(saga, claimed=True) for saga in (ONE, TWO, ONE, TWO)))
    assert [(start.new, start.restarts) for start in starts] == [(True, 1), (True, 1), (False, 0), (False, 0)]


async def test_saga_that_did_its_work_is_not_restarted(store: Store) -> None:
    for saga, outcome in ((ONE, Succeeded()), (TWO, Refused("short"))):
        claim = await claimed(store.lasting, saga)
        assert await store.lasting.save(claim, saga.after(outcome).after(Succeeded()), {})
        assert await store.lasting.start(saga, claimed=True) == SagaStart(new=False)


async def test_released_saga_of_a_replaced_version_is_not_restarted(store: Store) -> None:
    assert await store.lasting.save(await claimed(store.lasting, ONE), released(ONE), {})
    await store.lasting.start(Saga(1, 2, ONE.items), claimed=False)
    assert await store.lasting.start(ONE, claimed=True) == SagaStart(new=False)


async def test_newer_version_waits_for_the_end_of_the_older(store: Store) -> None:
    newer = Saga(1, 2, ONE.items)
    claim = await claimed(store.lasting, ONE)
    assert await store.lasting.start(newer, claimed=True) == SagaStart(new=True)
    assert await store.lasting.claim(10) == []
    assert await store.lasting.save(claim, released(ONE), {})
    assert [claim.saga for claim in await store.lasting.claim(10)] == [newer]


async def test_older_version_that_comes_late_does_not_wait(store: Store) -> None:
    await store.lasting.start(Saga(1, 2, ONE.items), claimed=True)
    assert (await store.lasting.start(ONE, claimed=True)).claim is not None


async def test_released_claims_are_due_at_once(store: Store) -> None:
    stale = await claimed(store.lapsing, ONE)
    (current,) = await store.lasting.claim(10)
    await store.lasting.release_claims([stale])
    assert await store.lasting.claim(10) == []
    await store.lasting.release_claims([current])
    assert len(await store.lasting.claim(10)) == 1


async def test_time_of_each_state_is_stored_in_order(store: Store) -> None:
    claim = await claimed(store.lasting, ONE)
    taken, done = (datetime(2126, 5, 17, 12, 0, second, 250, UTC) for second in (1, 2))
    stock_taken = ONE.after(Succeeded())
    assert await store.lasting.save(claim, stock_taken.after(Unanswered("x")), {SagaState.STOCK_TAKEN: taken})
    assert await store.lasting.save(claim, stock_taken.after(Succeeded()), {SagaState.DONE: done})
    (record,) = await store.lasting.of_order(1, ALL_CUSTOMERS)
    assert list(record.entered) == [SagaState.STARTED, SagaState.STOCK_TAKEN, SagaState.DONE]
    assert list(record.entered.values())[1:] == [taken, done]


async def test_search_finds_by_state_newest_orders_first(store: Store) -> None:
    for order_id in (1, 2, 3):
        await store.lasting.start(Saga(order_id, 1, ONE.items), claimed=False)
    claims = {claim.saga.order_id: claim for claim in await store.lasting.claim(10)}
    assert await store.lasting.save(claims[2], claims[2].saga.after(Succeeded()).after(Succeeded()), {})

    async def found(state: SagaState | None = None, *, late: bool | None = None, limit: int = 10) -> list[int]:
        found = await store.lasting.search(ALL_CUSTOMERS, state=state, late=late, limit=limit)
        return [record.order_id for record in found]

    assert await found() == [3, 2, 1]
    assert await found(limit=2) == [3, 2]
    assert await found(SagaState.STARTED) == [3, 1]
    assert await found(SagaState.DONE) == [2]
    assert await found(SagaState.FAILED) == []
    assert await found(late=True) == []
    assert await found(late=False) == [3, 2, 1]


async def test_open_sagas_are_counted(store: Store) -> None:
    assert await store.lasting.count_open() == OpenSagas({}, late=0, oldest_s=0.0)
    claim = await claimed(store.lasting, ONE)
    await store.lasting.save(claim, ONE.after(Succeeded()), {})
    await store.lasting.start(TWO, claimed=False)
    counted = await store.lasting.count_open()
    assert (counted.by_state, counted.late) == ({SagaState.STARTED: 1, SagaState.STOCK_TAKEN: 1}, 0)
    assert 0 < counted.oldest_s < 30


async def test_order_without_sagas_has_none(store: Store) -> None:
    assert await store.lasting.of_order(9, ALL_CUSTOMERS) == []


async def test_saga_and_its_event_belong_to_the_customer(store: Store) -> None:
    own = replace(ONE, customer_id="alice")
    claim = await claimed(store.lasting, own)
    assert claim.saga == own
    await store.lasting.start(TWO, claimed=False)
    assert await store.lasting.save(claim, own.after(Succeeded()).after(Succeeded()), {})

    async def found(scope: Scope) -> list[tuple[int, str]]:
        records = await store.lasting.search(scope, state=None, late=None, limit=10)
        return [(record.order_id, record.customer_id) for record in records]

    alices, nobodys = (1, "alice"), (2, ANONYMOUS)
    assert await found(OneCustomer("alice")) == [alices]
    assert await found(OneCustomer("bob")) == []
    assert await found(OneCustomer(ANONYMOUS)) == [nobodys]
    assert await found(ALL_CUSTOMERS) == [nobodys, alices]
    assert await store.events() == [("order-processed", 1, 1, "alice")]


async def test_retried_saga_is_due_at_once(store: Store) -> None:
    for saga in (ONE, TWO):
        claim = await claimed(store.lasting, saga)
        assert await store.lasting.save(claim, saga.after(Unanswered("timeout")), {}, delay_s=60)
    assert await store.lasting.claim(10) == []
    await store.lasting.retry(ONE.order_id)
    (again,) = await store.lasting.claim(10)
    assert again.saga == ONE.after(Unanswered("timeout"))


async def test_retry_does_not_touch_a_saga_that_runs(store: Store) -> None:
    claim = await claimed(store.lasting, ONE)
    await store.lasting.retry(ONE.order_id)
    assert await store.lasting.claim(10) == []
    assert await store.lasting.save(claim, ONE.after(Unanswered("timeout")), {}, delay_s=60)
    assert await store.lasting.claim(10) == []


async def test_retry_does_not_bring_back_an_ended_saga(store: Store) -> None:
    claim = await claimed(store.lasting, ONE)
    assert await store.lasting.save(claim, ONE.after(Succeeded()).after(Succeeded()), {})
    await store.lasting.retry(ONE.order_id)
    assert await store.lasting.claim(10) == []
    assert len(await store.events()) == 1
