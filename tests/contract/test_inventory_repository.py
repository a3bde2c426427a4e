"""The contract of `StockRepository`, on the in-memory and the PostgreSQL adapter."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import cast

import pytest

from inventory_service.domain import (
    MAX_STOCK,
    Description,
    ProductExistsError,
    ProductNotFoundError,
    Released,
    Reused,
    Short,
    Shortage,
    StaleProductError,
    StockLevel,
    Taken,
    Unknown,
)
from inventory_service.ports import StockRepository
from inventory_service.postgres import SqlStock
from order_contracts import Item
from service_common.postgres import Database, migrate
from tests.support.in_memory.database import InMemoryDatabase, stock_statements
from tests.support.in_memory.inventory import InMemoryStock


@pytest.fixture(params=["in memory", "statements in memory", "postgres"])
async def stock(request: pytest.FixtureRequest) -> AsyncIterator[StockRepository]:
    if request.param == "in memory":
        yield InMemoryStock()
        return
    if request.param == "statements in memory":
        yield SqlStock(cast(Database, InMemoryDatabase(stock_statements(InMemoryStock()))))
        return
    database_url: str = request.getfixturevalue("database_url")
    await migrate(database_url, "inventory_service.migrations")
    async with Database.open(database_url) as database:
        repository = SqlStock(database)
        yield repository
        await repository.close()


async def test_added_product_has_version_one(stock: StockRepository) -> None:
    before = datetime.now(UTC)
    added = await stock.add("123", 40)
    assert (added.product_id, added.stock, added.version) == ("123", 40, 1)
    assert before.replace(microsecond=0) <= added.last_update <= datetime.now(UTC)
    assert await stock.get("123") == added


async def test_product_is_added_only_once(stock: StockRepository) -> None:
    await stock.add("123", 40)
    with pytest.raises(ProductExistsError):
        await stock.add("123", 1)
    assert (await stock.get("123")).stock == 40


async def test_forgotten_operation_is_a_new_one_when_it_is_asked_for_again(stock: StockRepository) -> None:
    await stock.add("123", 40)
    for operation_id in ("1:1", "2:1"):
        assert isinstance(await stock.take(operation_id, (Item("123", 2),)), Taken)
    assert await stock.forget(["1:1", "1:1", "nothing"]) == 1
    assert [operation.id for operation in await stock.operations("", 10)] == ["2:1"]
    assert await stock.release("1:1") == ()
    assert (await stock.get("123")).stock == 36


async def test_catalogue_describes_the_products_that_exist(stock: StockRepository) -> None:
    for product_id in ("b", "a", "c"):
        await stock.add(product_id, 1)
    described = [Description(each, f"name of {each}", "text", 1_290, "EUR", each) for each in ("d", "a", "b")]
    assert await stock.describe(described) == 3
    assert await stock.describe([replace(described[1], name="another"), replace(described[1], product_id="c")]) == 1
    assert [each.name for each in await stock.catalogue(after="", limit=9)] == ["name of a", "name of b", "name of a"]
    assert await stock.catalogue(after="a", limit=1) == [described[2]]
    await stock.remove("b", None)
    assert [each.product_id for each in await stock.catalogue(after="", limit=9)] == ["a", "c"]


async def test_unknown_product_is_an_error(stock: StockRepository) -> None:
    with pytest.raises(ProductNotFoundError):
        await stock.get("123")
    with pytest.raises(ProductNotFoundError):
        await stock.change("123", 1, 1)
    with pytest.raises(ProductNotFoundError):
        await stock.change("123", 1, None)
    with pytest.raises(ProductNotFoundError):
        await stock.remove("123", None)


async def test_products_are_ordered_by_the_bytes_of_their_ids(stock: StockRepository) -> None:
    for product_id in ("b", "a", "B", "10", "9", "a-1", "a.1", "a_1"):
        await stock.add(product_id, 1)
    found = await stock.get_many(["b", "nothing", "a", "B", "a"])
    assert [product.product_id for product in found] == ["B", "a", "b"]
    assert [product.product_id for product in await stock.page(after="", limit=5)] == ["10", "9", "B", "a", "a-1"]
    assert [product.product_id for product in await stock.page(after="a-1", limit=5)] == ["a.1", "a_1", "b"]


async def test_change_raises_the_version(stock: StockRepository) -> None:
    await stock.add("123", 40)
    changed = await stock.change("123", 7, 1)
    assert (changed.stock, changed.version) == (7, 2)
    with pytest.raises(StaleProductError):
        await stock.change("123", 8, 1)
    assert (await stock.change("123", MAX_STOCK, None)).version == 3
    assert (await stock.get("123")).stock == MAX_STOCK


async def test_product_added_again_has_a_new_version(stock: StockRepository) -> None:
    await stock.add("123", 40)
    await stock.change("123", 41, 1)
    with pytest.raises(StaleProductError):
        await stock.remove("123", 1)
    await stock.remove("123", 2)
    with pytest.raises(ProductNotFoundError):
        await stock.get("123")
    assert (await stock.add("123", 5)).version == 3
    await stock.remove("123", None)
    assert (await stock.add("123", 5)).version == 4


async def test_operation_takes_every_item(stock: StockRepository) -> None:
    await stock.add("a", 5)
    await stock.add("b", 2)
    outcome = await stock.take("1:1", [Item("b", 2), Item("a", 1)])
    assert outcome == Taken((StockLevel("a", 4), StockLevel("b", 0)))
    assert [(each.stock, each.version) for each in await stock.get_many(["a", "b"])] == [(4, 2), (0, 2)]


async def test_short_operation_takes_nothing_and_reports_every_short_item(stock: StockRepository) -> None:
    await stock.add("a", 5)
    await stock.add("b", 2)
    await stock.add("c", 0)
    outcome = await stock.take("1:1", [Item("c", 1), Item("b", 3), Item("a", 1)])
    assert outcome == Short((Shortage("b", 3, 2), Shortage("c", 1, 0)))
    assert [each.stock for each in await stock.get_many(["a", "b", "c"])] == [5, 2, 0]


async def test_operation_on_unknown_products_takes_nothing(stock: StockRepository) -> None:
    await stock.add("a", 5)
    outcome = await stock.take("1:1", [Item("y", 1), Item("a", 9), Item("x", 1)])
    assert outcome == Unknown(("x", "y"))
    assert (await stock.get("a")).stock == 5


async def test_repeated_operation_gets_the_first_outcome(stock: StockRepository) -> None:
    await stock.add("a", 5)
    first = await stock.take("1:1", [Item("a", 3)])
    short = await stock.take("2:1", [Item("a", 3)])
    unknown = await stock.take("3:1", [Item("b", 3)])
    await stock.change("a", 100, None)
    await stock.add("b", 100)
    assert await stock.take("1:1", [Item("a", 3)]) == first == Taken((StockLevel("a", 2),))
    assert await stock.take("2:1", [Item("a", 3)]) == short == Short((Shortage("a", 3, 2),))
    assert await stock.take("3:1", [Item("b", 3)]) == unknown == Unknown(("b",))
    assert [each.stock for each in await stock.get_many(["a", "b"])] == [100, 100]


async def test_order_of_items_makes_no_other_operation(stock: StockRepository) -> None:
    await stock.add("a", 5)
    await stock.add("b", 5)
    first = await stock.take("1:1", [Item("b", 1), Item("a", 2)])
    assert await stock.take("1:1", [Item("a", 2), Item("b", 1)]) == first


async def test_operation_id_with_other_items_takes_nothing(stock: StockRepository) -> None:
    await stock.add("a", 5)
    await stock.take("1:1", [Item("a", 1)])
    assert await stock.take("1:1", [Item("a", 2)]) == Reused()
    assert await stock.take("1:1", [Item("a", 1), Item("b", 1)]) == Reused()
    assert (await stock.get("a")).stock == 4


async def test_release_returns_the_stock_once(stock: StockRepository) -> None:
    await stock.add("a", 5)
    await stock.add("b", 5)
    await stock.take("1:1", [Item("b", 1), Item("a", 2)])
    given = (Item("a", 2), Item("b", 1))
    assert await stock.release("1:1") == given
    assert await stock.release("1:1") == given
    assert [(each.stock, each.version) for each in await stock.get_many(["a", "b"])] == [(5, 3), (5, 3)]
    assert await stock.take("1:1", [Item("b", 1), Item("a", 2)]) == Released()
    assert await stock.take("1:1", [Item("b", 1)]) == Reused()


async def test_operation_released_before_takes_nothing(stock: StockRepository) -> None:
    await stock.add("a", 5)
    assert await stock.release("1:1") == ()
    assert await stock.take("1:1", [Item("a", 2)]) == Released()
    assert await stock.release("1:1") == ()
    assert (await stock.get("a")).stock == 5


async def test_release_of_a_refused_operation_returns_nothing(stock: StockRepository) -> None:
    await stock.add("a", 1)
    await stock.take("1:1", [Item("a", 2)])
    assert await stock.release("1:1") == ()
    assert await stock.take("1:1", [Item("a", 2)]) == Released()
    assert (await stock.get("a")).stock == 1


async def test_release_skips_a_removed_product(stock: StockRepository) -> None:
    await stock.add("a", 5)
    await stock.add("b", 5)
    await stock.take("1:1", [Item("a", 2), Item("b", 2)])
    await stock.remove("a", None)
    await stock.release("1:1")
    assert [(each.product_id, each.stock) for each in await stock.get_many(["a", "b"])] == [("b", 5)]


async def test_release_gives_nothing_to_a_product_that_was_added_again(stock: StockRepository) -> None:
    await stock.add("a", 5)
    await stock.take("1:1", [Item("a", 2)])
    await stock.remove("a", None)
    await stock.add("a", 7)
    await stock.take("2:1", [Item("a", 3)])
    await stock.release("1:1")
    assert (await stock.get("a")).stock == 4
    await stock.release("2:1")
    assert (await stock.get("a")).stock == 7


async def test_release_fills_a_stock_to_the_maximum_at_most(stock: StockRepository) -> None:
    await stock.add("a", 5)
    await stock.take("1:1", [Item("a", 5)])
    await stock.change("a", MAX_STOCK, None)
    await stock.release("1:1")
    assert (await stock.get("a")).stock == MAX_STOCK


async def test_concurrent_operations_are_carried_out_in_order_of_arrival(stock: StockRepository) -> None:
    await stock.add("a", 3)
    outcomes = await asyncio.gather(
        stock.take("9:1", [Item("a", 2)]),
        stock.take("1:1", [Item("a", 2)]),
        stock.take("9:1", [Item("a", 2)]),
        stock.take("9:1", [Item("a", 1)]),
        stock.take("5:1", [Item("a", 1)]),
    )
    assert list(outcomes) == [
        Taken((StockLevel("a", 1),)),
        Short((Shortage("a", 2, 1),)),
        Taken((StockLevel("a", 1),)),
        Reused(),
        Taken((StockLevel("a", 0),)),
    ]


async def test_products_are_seeded_once(stock: StockRepository) -> None:
    await stock.add("a", 5)
    assert await stock.seed("demo", [("a", 1), ("b", 2)]) == 1
    await stock.remove("b", None)
    assert await stock.seed("demo", [("a", 1), ("b", 2)]) == 0
    assert [(each.product_id, each.stock) for each in await stock.page(after="", limit=9)] == [("a", 5)]
