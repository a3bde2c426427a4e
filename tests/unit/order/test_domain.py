"""Status changes of orders, and the stock check."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_contracts import Item
from order_service.domain import (
    Order,
    OrderItem,
    OrderStateError,
    OrderStatus,
    OrderVersionError,
    PlaceOrder,
    ShortStockError,
    StaleOrderError,
    UnknownProductError,
    require_stock,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ITEM = OrderItem(1, "123", 2)
SETTLED = [OrderStatus.CLOSED, OrderStatus.FAILED]


def order(status: OrderStatus = OrderStatus.CREATED, version: int = 1) -> Order:
    reason = "gone" if status is OrderStatus.FAILED else None
    return Order(7, version, status, NOW, NOW, (ITEM,), reason)


def test_amending_raises_the_version() -> None:
    amended = order().amend([OrderItem(2, "456", 1)])
    assert (amended.version, amended.status, amended.items) == (2, OrderStatus.CREATED, (OrderItem(2, "456", 1),))


@pytest.mark.parametrize("status", [OrderStatus.CLOSED, OrderStatus.FAILED, OrderStatus.CANCELLED])
def test_order_with_a_final_status_is_not_amended(status: OrderStatus) -> None:
    with pytest.raises(OrderStateError):
        order(status).amend([ITEM])


def test_unexpected_version_is_neither_amended_nor_cancelled() -> None:
    with pytest.raises(StaleOrderError):
        order(version=2).amend([ITEM], expected_version=1)
    with pytest.raises(StaleOrderError):
        order(version=2).cancel(expected_version=1)


def test_cancelling_again_changes_nothing() -> None:
    cancelled = order().cancel()
    assert cancelled.status is OrderStatus.CANCELLED
    assert cancelled.cancel() is cancelled


@pytest.mark.parametrize("status", SETTLED)
def test_a_settled_order_is_not_cancelled(status: OrderStatus) -> None:
    with pytest.raises(OrderStateError) as raised:
        order(status).cancel()
    assert raised.value.violations[0].facts == {"status": status.value, "version": 1}


@pytest.mark.parametrize("status", SETTLED)
def test_settling_again_changes_nothing(status: OrderStatus) -> None:
    settled = order().settle(1, status, "gone")
    assert settled.settle(1, status, "gone for another reason") is settled


@pytest.mark.parametrize(
    ("before", "then"),
    [
        (OrderStatus.CANCELLED, OrderStatus.CLOSED),
        (OrderStatus.CANCELLED, OrderStatus.FAILED),
        (OrderStatus.CLOSED, OrderStatus.FAILED),
        (OrderStatus.FAILED, OrderStatus.CLOSED),
    ],
)
def test_final_status_never_changes(before: OrderStatus, then: OrderStatus) -> None:
    with pytest.raises(OrderStateError):
        order(before).settle(1, then)


@pytest.mark.parametrize("version", [1, 3])
@pytest.mark.parametrize("status", SETTLED)
@pytest.mark.parametrize("before", ["CREATED", "same"])
def test_another_version_is_not_settled(before: str, status: OrderStatus, version: int) -> None:
    with pytest.raises(OrderVersionError):
        order(OrderStatus.CREATED if before == "CREATED" else status, version=2).settle(version, status)


def test_failure_reason_is_stored() -> None:
    assert order().settle(1, OrderStatus.FAILED, "out of stock").failure_reason == "out of stock"


def test_unknown_products_are_reported_with_pointers() -> None:
    with pytest.raises(UnknownProductError) as raised:
        require_stock([Item("a", 1), Item("b", 1), Item("c", 9)], {"a": 5, "c": 1})
    assert [(each.pointer, each.facts) for each in raised.value.violations] == [
        ("/orderItems/1/productId", {"productId": "b"})
    ]


def test_every_short_item_is_reported_with_its_stock() -> None:
    with pytest.raises(ShortStockError) as raised:
        require_stock([Item("a", 6), Item("b", 1), Item("c", 9)], {"a": 5, "b": 1, "c": 0})
    assert [(each.pointer, each.facts) for each in raised.value.violations] == [
        ("/orderItems/0/quantity", {"productId": "a", "requested": 6, "stock": 5}),
        ("/orderItems/2/quantity", {"productId": "c", "requested": 9, "stock": 0}),
    ]


def test_the_whole_stock_can_be_ordered() -> None:
    require_stock([Item("a", 5)], {"a": 5})


LINES = st.lists(
    st.builds(Item, st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True), st.integers(1, 1_000_000)),
    min_size=1,
    max_size=5,
).map(tuple)


@given(LINES, LINES)
def test_request_hashes_are_equal_when_the_requests_are(one: tuple[Item, ...], two: tuple[Item, ...]) -> None:
    assert (PlaceOrder(one, "k").request_hash == PlaceOrder(two).request_hash) == (one == two)
