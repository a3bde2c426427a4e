"""A product whose row another transaction holds: the others are sold as ever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from time import monotonic

import psycopg2
import pytest

from inventory_service.domain import StockLevel, Taken
from inventory_service.postgres import WAITING_STATEMENTS, SqlStock
from order_contracts import Item
from service_common.errors import BusyError
from service_common.postgres import Database, migrate

PROMPT_S = 0.45  # less than any wait for a lock


@pytest.fixture
async def stock(database_url: str) -> AsyncIterator[SqlStock]:
    await migrate(database_url, "inventory_service.migrations")
    async with Database.open(database_url, size=WAITING_STATEMENTS + 1) as database:
        stock = SqlStock(database)
        for product_id in ("locked", "locked-too", "free"):
            await stock.add(product_id, 1_000)
        yield stock
        await stock.close()


@contextmanager
def transaction(database_url: str, statement: str) -> Iterator[None]:
    """Leave a transaction with *statement* open for the block."""
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        yield
    connection.close()


@contextmanager
def locked(database_url: str, *product_ids: str) -> Iterator[None]:
    ids = ", ".join(f"'{product_id}'" for product_id in product_ids)
    with transaction(database_url, f"SELECT FROM inventory WHERE product_id IN ({ids}) FOR UPDATE"):
        yield


async def test_operations_on_other_products_do_not_wait(stock: SqlStock, database_url: str) -> None:
    with locked(database_url, "locked", "locked-too"):
        held = [
            asyncio.create_task(stock.take(f"{number}:1", [Item(product, 1)]))
            for number in range(20)
            for product in ("locked", "locked-too")
        ]
        for number in range(100, 150):
            began = monotonic()
            outcome = await stock.take(f"{number}:1", [Item("free", 1)])
            assert isinstance(outcome, Taken)
            assert monotonic() - began < PROMPT_S
        answers = await asyncio.gather(*held, return_exceptions=True)
        assert {type(answer) for answer in answers} == {BusyError}


async def test_batch_is_carried_out_but_for_the_locked_product(stock: SqlStock, database_url: str) -> None:
    with locked(database_url, "locked"):
        answers = await asyncio.gather(
            stock.take("1:1", [Item("free", 1)]),
            stock.take("2:1", [Item("free", 1), Item("locked", 1)]),
            stock.take("3:1", [Item("free", 1)]),
            return_exceptions=True,
        )
        assert (answers[0], answers[2]) == (Taken((StockLevel("free", 999),)), Taken((StockLevel("free", 998),)))
        assert isinstance(answers[1], BusyError)
    taken = await stock.take("2:1", [Item("free", 1), Item("locked", 1)])
    assert taken == Taken((StockLevel("free", 997), StockLevel("locked", 999)))


async def test_operation_that_does_not_wait_is_busy_at_once(stock: SqlStock, database_url: str) -> None:
    with locked(database_url, "locked"):
        busy, taken = await asyncio.gather(
            *(stock.take(f"at-once-{each}", (Item(each, 1),), waits=False) for each in ("locked", "free")),
            return_exceptions=True,
        )
        assert (type(busy), type(taken)) == (BusyError, Taken)
    assert isinstance(await stock.take("at-once-locked", (Item("locked", 1),), waits=False), Taken)


async def test_operation_succeeds_when_the_lock_is_short(stock: SqlStock, database_url: str) -> None:
    with locked(database_url, "locked"):
        operations = [asyncio.create_task(stock.take(f"{number}:1", [Item("locked", 1)])) for number in range(5)]
        release = asyncio.create_task(stock.release("9:1"))
        assert await release == ()
    outcomes = await asyncio.gather(*operations)
    assert {outcome.levels[0].stock for outcome in outcomes if isinstance(outcome, Taken)} == set(range(995, 1_000))


async def test_repeat_of_an_operation_on_a_locked_product_gets_its_outcome(stock: SqlStock, database_url: str) -> None:
    first = await stock.take("1:1", [Item("locked", 1)])
    with locked(database_url, "locked"):
        assert await stock.take("1:1", [Item("locked", 1)]) == first


async def test_stock_is_released_while_another_product_is_locked(stock: SqlStock, database_url: str) -> None:
    for number in range(10):
        await stock.take(f"{number}:1", [Item("locked", 1)])
    await stock.take("10:1", [Item("free", 1)])
    with locked(database_url, "locked"):
        held = [asyncio.create_task(stock.release(f"{number}:1")) for number in range(10)]
        began = monotonic()
        assert await stock.release("10:1") == (Item("free", 1),)
        assert monotonic() - began < PROMPT_S
        answers = await asyncio.gather(*held, return_exceptions=True)
        assert {type(answer) for answer in answers} == {BusyError}
    assert await stock.release("0:1") == (Item("locked", 1),)


async def test_stock_is_set_while_another_product_is_locked(stock: SqlStock, database_url: str) -> None:
    with locked(database_url, "locked"):
        changes = (stock.remove("locked", None), *(stock.change("locked", 5, None) for _ in range(5)))
        held = asyncio.gather(*changes, return_exceptions=True)
        began = monotonic()
        assert (await stock.change("free", 7, None)).stock == 7
        assert monotonic() - began < PROMPT_S
        assert {type(answer) for answer in await held} == {BusyError}


async def test_locked_table_makes_operations_fail_and_not_wait_for_long(stock: SqlStock, database_url: str) -> None:
    with transaction(database_url, "LOCK TABLE inventory"):
        began = monotonic()
        answers = await asyncio.gather(
            *(stock.take(f"{number}:1", [Item("free", 1)]) for number in range(30)), return_exceptions=True
        )
        assert {type(answer) for answer in answers} == {BusyError}
        assert monotonic() - began < 2
    assert isinstance(await stock.take("1:1", [Item("free", 1)]), Taken)
