"""What every repository of sagas does: one suite over the fake and the adapter on PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from order_contracts import EventType, Item
from processing_service.ports import Claim, OpenSagas, SagaStart
from processing_service.postgres import MIGRATIONS, SqlSagas
from processing_service.saga import Refused, Saga, SagaState, Succeeded, Unanswered, Withdrawn
from service_common.postgres import Database, migrate
from tests.support.in_memory.processing import InMemorySagas

ONE = Saga(1, 1, (Item("a", 2), Item("b", 1)), "00-" + "a" * 32 + "-" + "b" * 16 + "-01")
TWO = Saga(2, 1, (Item("a", 1),))
Events = Callable[[], Awaitable[Sequence[tuple[str, int, int]]]]


@dataclass(frozen=True)
class Kept:
    """A repository whose leases last, the same one where they end at once, and a look into the outbox."""

    lasting: SqlSagas | InMemorySagas
    lapsing: SqlSagas | InMemorySagas
    events: Events


@pytest.fixture(params=["in memory", "postgres"])
async def kept(request: pytest.FixtureRequest) -> AsyncIterator[Kept]:
    if request.param == "in memory":
        lasting, lapsing = InMemorySagas(), InMemorySagas(lease_s=0)
        lapsing._rows = lasting._rows
        lapsing.events = lasting.events

        async def events_in_memory() -> Sequence[tuple[str, int, int]]:
            return lasting.events

        yield Kept(lasting, lapsing, events_in_memory)
        return
    url: str = request.getfixturevalue("database_url")
    await migrate(url, *MIGRATIONS)
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.open(url))

        async def events_in_outbox() -> Sequence[tuple[str, int, int]]:
            rows = await database.fetch("SELECT type, data FROM outbox_event ORDER BY id")
            return [(event, data["orderId"], data["version"]) for event, data in rows]

        yield Kept(SqlSagas(database, "events"), SqlSagas(database, "events", lease_s=0), events_in_outbox)


async def claimed(sagas: SqlSagas | InMemorySagas, saga: Saga) -> Claim:
    claim = (await sagas.start(saga, claimed=True)).claim
    assert claim is not None
    return claim


async def test_new_saga_is_the_starters_to_run(kept: Kept) -> None:
    claim = await claimed(kept.lasting, ONE)
    assert (claim.saga, claim.fence) == (ONE, 1)
    assert await kept.lasting.claim(10) == []


async def test_saga_that_its_starter_does_not_run_is_due_at_once(kept: Kept) -> None:
    assert await kept.lasting.start(ONE, claimed=False) == SagaStart(new=True)
    (claim,) = await kept.lasting.claim(10)
    assert (claim.saga, claim.fence) == (ONE, 1)
    assert 0 <= claim.age_s < 5


async def test_second_start_of_a_version_is_a_duplicate(kept: Kept) -> None:
    await kept.lasting.start(ONE, claimed=False)
    for claim in (True, False):
        assert await kept.lasting.start(ONE, claimed=claim) == SagaStart(new=False)
    assert len(await kept.lasting.claim(10)) == 1


async def test_starts_at_the_same_time_make_one_saga(kept: Kept) -> None:
    admissions = await asyncio.gather(*(kept.lasting.start(saga, claimed=True) for saga in (ONE, TWO, ONE, TWO, ONE)))
    assert [admission.new for admission in admissions] == [True, True, False, False, False]


async def test_lease_that_ended_lets_another_claim(kept: Kept) -> None:
    first = await claimed(kept.lapsing, ONE)
    (second,) = await kept.lapsing.claim(10)
    assert second.fence == first.fence + 1
    assert not await kept.lasting.save(first, ONE.after(Succeeded()), {})
    assert await kept.lasting.save(second, ONE.after(Succeeded()), {})
    assert [record.state for record in await kept.lasting.of_order(1)] == [SagaState.STOCK_TAKEN]


async def test_progress_keeps_the_claim(kept: Kept) -> None:
    claim = await claimed(kept.lapsing, ONE)
    assert await kept.lasting.save(claim, ONE.after(Succeeded()), {})
    assert await kept.lasting.claim(10) == []


async def test_delay_gives_the_claim_up_until_it_is_over(kept: Kept) -> None:
    claim = await claimed(kept.lasting, ONE)
    waiting = ONE.after(Unanswered("timeout"))
    assert await kept.lasting.save(claim, waiting, {}, 60.0)
    assert await kept.lasting.claim(10) == []
    (record,) = await kept.lasting.of_order(1)
    assert (record.attempts, record.last_error) == (1, "take stock: timeout")
    other = await claimed(kept.lasting, TWO)
    assert await kept.lasting.save(other, TWO.after(Unanswered("timeout")), {}, 0.0)
    (again,) = await kept.lasting.claim(10)
    assert again.saga == TWO.after(Unanswered("timeout"))


async def test_claims_are_limited_and_the_longest_due_come_first(kept: Kept) -> None:
    for order_id in (3, 1, 2):
        await kept.lasting.start(Saga(order_id, 1, ONE.items), claimed=False)
    first = await kept.lasting.claim(2)
    second = await kept.lasting.claim(2)
    assert [sorted(claim.saga.order_id for claim in claims) for claims in (first, second)] == [[1, 3], [2]]


async def test_end_writes_its_event_to_the_outbox(kept: Kept) -> None:
    done = ONE.after(Succeeded()).after(Succeeded())
    failed = TWO.after(Refused("short")).after(Succeeded())
    released = Saga(3, 1, ONE.items).after(Succeeded()).after(Withdrawn("cancelled")).after(Succeeded())
    for end in (done, failed, released):
        claim = await claimed(kept.lasting, Saga(end.order_id, 1, end.items))
        assert await kept.lasting.save(claim, end, {})
    assert await kept.events() == [(EventType.ORDER_PROCESSED, 1, 1), (EventType.ORDER_FAILED, 2, 1)]
    for order_id in (1, 2, 3):
        (record,) = await kept.lasting.of_order(order_id)
        assert record.state.ended
        assert record.next_run_at is None
    assert await kept.lapsing.claim(10) == []


async def test_end_is_final(kept: Kept) -> None:
    claim = await claimed(kept.lasting, ONE)
    assert await kept.lasting.save(claim, ONE.after(Succeeded()).after(Succeeded()), {})
    assert not await kept.lasting.save(claim, ONE.after(Succeeded()), {})
    assert not await kept.lasting.save(claim, ONE.after(Succeeded()).after(Succeeded()), {})
    assert len(await kept.events()) == 1
    assert await kept.lasting.start(ONE, claimed=True) == SagaStart(new=False)


async def test_newer_version_waits_for_the_end_of_the_older(kept: Kept) -> None:
    newer = Saga(1, 2, ONE.items)
    claim = await claimed(kept.lasting, ONE)
    assert await kept.lasting.start(newer, claimed=True) == SagaStart(new=True)
    assert await kept.lasting.claim(10) == []
    released = ONE.after(Succeeded()).after(Withdrawn("changed")).after(Succeeded())
    assert await kept.lasting.save(claim, released, {})
    assert [claim.saga for claim in await kept.lasting.claim(10)] == [newer]


async def test_older_version_that_comes_late_does_not_wait(kept: Kept) -> None:
    await kept.lasting.start(Saga(1, 2, ONE.items), claimed=True)
    assert (await kept.lasting.start(ONE, claimed=True)).claim is not None


async def test_claims_handed_back_are_due_at_once(kept: Kept) -> None:
    stale = await claimed(kept.lapsing, ONE)
    (current,) = await kept.lasting.claim(10)
    await kept.lasting.release_claims([stale])
    assert await kept.lasting.claim(10) == []
    await kept.lasting.release_claims([current])
    assert len(await kept.lasting.claim(10)) == 1


async def test_time_of_each_state_is_kept_in_order(kept: Kept) -> None:
    claim = await claimed(kept.lasting, ONE)
    taken, done = (datetime(2126, 5, 17, 12, 0, second, 250, UTC) for second in (1, 2))
    stock_taken = ONE.after(Succeeded())
    assert await kept.lasting.save(claim, stock_taken.after(Unanswered("x")), {SagaState.STOCK_TAKEN: taken})
    assert await kept.lasting.save(claim, stock_taken.after(Succeeded()), {SagaState.DONE: done})
    (record,) = await kept.lasting.of_order(1)
    assert list(record.entered) == [SagaState.STARTED, SagaState.STOCK_TAKEN, SagaState.DONE]
    assert list(record.entered.values())[1:] == [taken, done]


async def test_search_finds_by_state_newest_orders_first(kept: Kept) -> None:
    for order_id in (1, 2, 3):
        await kept.lasting.start(Saga(order_id, 1, ONE.items), claimed=False)
    claims = {claim.saga.order_id: claim for claim in await kept.lasting.claim(10)}
    assert await kept.lasting.save(claims[2], claims[2].saga.after(Succeeded()).after(Succeeded()), {})

    async def found(state: SagaState | None = None, *, late: bool | None = None, limit: int = 10) -> list[int]:
        return [record.order_id for record in await kept.lasting.search(state=state, late=late, limit=limit)]

    assert await found() == [3, 2, 1]
    assert await found(limit=2) == [3, 2]
    assert await found(SagaState.STARTED) == [3, 1]
    assert await found(SagaState.DONE) == [2]
    assert await found(SagaState.FAILED) == []
    assert await found(late=True) == []
    assert await found(late=False) == [3, 2, 1]


async def test_census_counts_what_is_open(kept: Kept) -> None:
    assert await kept.lasting.count_open() == OpenSagas({}, late=0, oldest_s=0.0)
    claim = await claimed(kept.lasting, ONE)
    await kept.lasting.save(claim, ONE.after(Succeeded()), {})
    await kept.lasting.start(TWO, claimed=False)
    counted = await kept.lasting.count_open()
    assert (counted.by_state, counted.late) == ({SagaState.STARTED: 1, SagaState.STOCK_TAKEN: 1}, 0)
    assert 0 < counted.oldest_s < 30


async def test_order_without_sagas_has_none(kept: Kept) -> None:
    assert await kept.lasting.of_order(9) == []
