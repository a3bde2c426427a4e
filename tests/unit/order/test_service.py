"""The use cases of the order service on in-memory adapters."""

from __future__ import annotations

import logging

import pytest

from order_contracts import Item
from order_service.domain import (
    KeyReusedError,
    OrderNotFoundError,
    OrderStateError,
    OrderStatus,
    OrderVersionError,
    PlaceOrder,
    ShortStockError,
    StaleOrderError,
    UnknownProductError,
)
from order_service.service import OrderService
from service_common.errors import UnavailableError
from service_common.paging import PageRequest
from service_common.scope import ALL_CUSTOMERS
from tests.support.in_memory.order import InMemoryOrders, InMemoryStockReader

TWO = (Item("123", 2),)


class Shop:
    """The use cases, their adapters, and the number of wake-ups of the relay."""

    def __init__(self) -> None:
        self.orders = InMemoryOrders()
        self.stock = InMemoryStockReader({"123": 5, "456": 0})
        self.wakes = 0
        self.service = OrderService(self.orders, self.stock, self.wake)

    def wake(self) -> None:
        self.wakes += 1

    @property
    def events(self) -> list[tuple[str, int, int]]:
        rows = self.orders.outbox.rows.values()
        return list({row.event_key: (row.type, row.data["orderId"], row.data["version"]) for row in rows}.values())


@pytest.fixture
def shop() -> Shop:
    return Shop()


async def test_a_placed_order_is_stored_announced_and_logged(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    placed = await shop.service.place(PlaceOrder(TWO))
    assert await shop.service.get(placed.order.id, ALL_CUSTOMERS) == placed.order
    assert shop.events == [("order-created", placed.order.id, 1)]
    assert shop.wakes == 1
    assert [(each.message, each.__dict__["orderId"]) for each in caplog.records] == [
        ("order accepted", placed.order.id)
    ]


async def test_nothing_is_stored_without_stock(shop: Shop) -> None:
    with pytest.raises(ShortStockError):
        await shop.service.place(PlaceOrder((Item("123", 6),)))
    with pytest.raises(UnknownProductError):
        await shop.service.place(PlaceOrder((Item("999", 1),), "key"))
    shop.stock.failure = UnavailableError("away")
    with pytest.raises(UnavailableError):
        await shop.service.place(PlaceOrder(TWO, "key"))
    assert ((await shop.service.page(PageRequest(None, 9), ALL_CUSTOMERS)).items, shop.events, shop.wakes) == (
        [],
        [],
        0,
    )


async def test_repeated_key_gets_the_first_answer(shop: Shop) -> None:
    first = await shop.service.place(PlaceOrder(TWO, "key"))
    await shop.service.close(first.order.id, 1)
    again = await shop.service.place(PlaceOrder(TWO, "key"))
    assert (again.order, first.replayed, again.replayed) == (first.order, False, True)
    assert len(shop.events) == shop.wakes == 1


async def test_repeated_key_needs_no_stock(shop: Shop) -> None:
    first = await shop.service.place(PlaceOrder(TWO, "key"))
    shop.stock.stock["123"] = 0
    assert (await shop.service.place(PlaceOrder(TWO, "key"))).order == first.order
    shop.stock.failure = UnavailableError("away")
    assert (await shop.service.place(PlaceOrder(TWO, "key"))).order == first.order


async def test_repeated_key_with_another_body_is_refused_with_and_without_stock(shop: Shop) -> None:
    await shop.service.place(PlaceOrder(TWO, "key"))
    with pytest.raises(KeyReusedError):
        await shop.service.place(PlaceOrder((Item("123", 1),), "key"))
    with pytest.raises(KeyReusedError):
        await shop.service.place(PlaceOrder((Item("456", 1),), "key"))
    assert len(shop.events) == 1


async def test_an_amended_order_is_announced_with_its_new_version(shop: Shop) -> None:
    order = (await shop.service.place(PlaceOrder(TWO))).order
    amended = await shop.service.amend(order.id, ALL_CUSTOMERS, (Item("123", 1),), expected_version=1)
    assert (amended.version, [item.quantity for item in amended.items]) == (2, [1])
    assert shop.events[1:] == [("order-updated", order.id, 2)]
    assert shop.wakes == 2


async def test_amending_checks_the_stock(shop: Shop) -> None:
    order = (await shop.service.place(PlaceOrder(TWO))).order
    with pytest.raises(ShortStockError):
        await shop.service.amend(order.id, ALL_CUSTOMERS, (Item("456", 1),))
    assert (await shop.service.get(order.id, ALL_CUSTOMERS)) == order


@pytest.mark.parametrize("left", [0, 1, 5])
async def test_order_is_reduced_while_its_own_stock_is_taken(shop: Shop, left: int) -> None:
    order = (await shop.service.place(PlaceOrder((Item("123", 5),)))).order
    shop.stock.stock["123"] = left
    with pytest.raises(ShortStockError) as caught:
        await shop.service.amend(order.id, ALL_CUSTOMERS, (Item("123", 6),))
    assert caught.value.violations[0].facts == {"productId": "123", "requested": 6, "stock": 5}
    with pytest.raises(ShortStockError):
        await shop.service.amend(order.id, ALL_CUSTOMERS, (Item("123", 1), Item("456", 1)))
    for version, quantity in ((2, 5), (3, 3), (4, 1)):
        amended = await shop.service.amend(order.id, ALL_CUSTOMERS, (Item("123", quantity),))
        assert (amended.version, [item.quantity for item in amended.items]) == (version, [quantity])


async def test_product_that_was_removed_is_unknown_though_the_order_holds_it(shop: Shop) -> None:
    order = (await shop.service.place(PlaceOrder(TWO))).order
    del shop.stock.stock["123"]
    with pytest.raises(UnknownProductError):
        await shop.service.amend(order.id, ALL_CUSTOMERS, (Item("123", 1),))


async def test_refused_change_is_reported_before_the_stock_is_checked(shop: Shop) -> None:
    order = (await shop.service.place(PlaceOrder(TWO))).order
    shop.stock.failure = UnavailableError("away")
    with pytest.raises(OrderNotFoundError):
        await shop.service.amend(order.id + 1, ALL_CUSTOMERS, TWO)
    with pytest.raises(StaleOrderError):
        await shop.service.amend(order.id, ALL_CUSTOMERS, TWO, expected_version=2)
    await shop.service.cancel(order.id, ALL_CUSTOMERS)
    with pytest.raises(OrderStateError):
        await shop.service.amend(order.id, ALL_CUSTOMERS, TWO)


async def test_a_cancellation_is_announced_once(shop: Shop) -> None:
    order = (await shop.service.place(PlaceOrder(TWO))).order
    cancelled = await shop.service.cancel(order.id, ALL_CUSTOMERS)
    assert cancelled.status is OrderStatus.CANCELLED
    assert await shop.service.cancel(order.id, ALL_CUSTOMERS) == cancelled
    assert shop.events[1:] == [("order-cancelled", order.id, 1)]
    assert [row.destination for row in shop.orders.outbox.rows.values()][2:] == ["notification"]


async def test_an_order_is_closed_once_and_logged(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    order = (await shop.service.place(PlaceOrder(TWO))).order
    caplog.set_level(logging.INFO)
    closed = await shop.service.close(order.id, 1)
    assert closed.status is OrderStatus.CLOSED
    assert await shop.service.close(order.id, 1) == closed
    assert [each.message for each in caplog.records] == ["order closed"]


async def test_a_failed_order_keeps_its_reason(shop: Shop) -> None:
    order = (await shop.service.place(PlaceOrder(TWO))).order
    await shop.service.fail(order.id, 1, "out of stock")
    assert (await shop.service.fail(order.id, 1, "something else")).failure_reason == "out of stock"
    with pytest.raises(OrderStateError):
        await shop.service.close(order.id, 1)


async def test_only_the_current_version_is_closed(shop: Shop) -> None:
    order = (await shop.service.place(PlaceOrder(TWO))).order
    await shop.service.amend(order.id, ALL_CUSTOMERS, TWO)
    with pytest.raises(OrderVersionError):
        await shop.service.close(order.id, 1)
    assert (await shop.service.close(order.id, 2)).status is OrderStatus.CLOSED


async def test_unknown_order_is_not_found_by_any_use_case(shop: Shop) -> None:
    for attempt in (
        shop.service.get(1, ALL_CUSTOMERS),
        shop.service.cancel(1, ALL_CUSTOMERS),
        shop.service.close(1, 1),
        shop.service.fail(1, 1, "gone"),
    ):
        with pytest.raises(OrderNotFoundError):
            await attempt


async def test_pages_follow_each_other_to_the_end(shop: Shop) -> None:
    shop.stock.stock["123"] = 100
    placed = [(await shop.service.place(PlaceOrder(TWO))).order.id for _ in range(5)]
    first = await shop.service.page(PageRequest(None, 3), ALL_CUSTOMERS)
    second = await shop.service.page(PageRequest(first.next, 3), ALL_CUSTOMERS)
    assert [order.id for order in (*first.items, *second.items)] == placed[::-1]
    assert (first.next, second.next) == (placed[2], None)


async def test_a_page_that_ends_exactly_has_no_next(shop: Shop) -> None:
    await shop.service.place(PlaceOrder(TWO))
    assert (await shop.service.page(PageRequest(None, 1), ALL_CUSTOMERS)).next is None
