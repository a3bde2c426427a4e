"""Concurrent stock operations on real PostgreSQL."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial

import pytest

from inventory_service.domain import Released, Taken, TakeOutcome
from inventory_service.postgres import SqlStock
from order_contracts import Item
from service_common.postgres import Database, migrate
from tests.support.insisting import insist
from tests.support.waiting import PATIENCE_S

PRODUCTS = ("hot", "warm", "cold", "last-one")
STOCK = {"hot": 300, "warm": 120, "cold": 10_000, "last-one": 1}


@pytest.fixture
async def replicas(database_url: str) -> AsyncIterator[list[SqlStock]]:
    await migrate(database_url, "inventory_service.migrations")
    async with AsyncExitStack() as stack:
        yield [SqlStock(await stack.enter_async_context(Database.open(database_url, size=4))) for _ in range(8)]


def wanted(dice: random.Random) -> tuple[Item, ...]:
    products = dice.sample(PRODUCTS, dice.randint(1, len(PRODUCTS)))
    return tuple(Item(product_id, dice.randint(1, 5)) for product_id in products)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_remaining_and_taken_stock_add_up_to_the_initial_stock(replicas: list[SqlStock], seed: int) -> None:
    dice = random.Random(seed)
    for product_id, stock in STOCK.items():
        await replicas[0].add(product_id, stock)
    operations = {f"{number}:1": wanted(dice) for number in range(80)}
    answers: dict[str, list[TakeOutcome]] = {operation_id: [] for operation_id in operations}
    released: set[str] = set()

    async def take(replica: SqlStock, operation_id: str) -> None:
        answers[operation_id].append(await insist(lambda: replica.take(operation_id, operations[operation_id])))

    async def release(replica: SqlStock, operation_id: str) -> None:
        released.add(operation_id)
        await insist(lambda: replica.release(operation_id))

    names = list(operations)
    work = [(take if dice.random() < 0.75 else release, dice.choice(replicas), dice.choice(names)) for _ in range(200)]
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(step(replica, operation_id) for step, replica, operation_id in work))

    held = Counter[str]()
    for operation_id, outcomes in answers.items():
        firm = {outcome for outcome in outcomes if not isinstance(outcome, Released)}
        assert len(firm) <= 1, "a repeat was answered otherwise"
        if operation_id not in released and any(isinstance(outcome, Taken) for outcome in firm):
            held.update({line.product_id: line.quantity for line in operations[operation_id]})
    now = {product.product_id: product.stock for product in await replicas[0].get_many(PRODUCTS)}
    assert all(stock >= 0 for stock in now.values())
    assert {product_id: now[product_id] + held[product_id] for product_id in PRODUCTS} == STOCK


async def test_hot_product_is_sold_out_exactly(replicas: list[SqlStock]) -> None:
    await replicas[0].add("hot", 100)
    outcomes = await asyncio.gather(
        *(insist(partial(replicas[number % 8].take, f"{number}:1", [Item("hot", 1)])) for number in range(200))
    )
    assert sum(isinstance(outcome, Taken) for outcome in outcomes) == 100
    product = await replicas[0].get("hot")
    assert (product.stock, product.version) == (0, 101)


async def test_one_of_many_writers_of_the_same_version_wins(replicas: list[SqlStock]) -> None:
    await replicas[0].add("hot", 1)
    results = await asyncio.gather(
        *(insist(partial(replicas[number % 8].change, "hot", number, 1)) for number in range(20)),
        return_exceptions=True,
    )
    assert sum(not isinstance(result, BaseException) for result in results) == 1
    assert (await replicas[0].get("hot")).version == 2
