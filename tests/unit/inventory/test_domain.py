from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory_service.domain import (
    OperationReleasedError,
    OperationReusedError,
    ProductNotFoundError,
    Released,
    Reused,
    Short,
    Shortage,
    ShortStockError,
    StockLevel,
    Taken,
    Unknown,
    decide,
    require_taken,
)
from order_contracts import Item

products = st.sampled_from("abcde")
stocks = st.dictionaries(products, st.integers(0, 10))
lines = st.lists(st.builds(Item, products, st.integers(1, 10)), min_size=1, unique_by=lambda line: line.product_id)


@given(stocks, lines)
def test_all_items_are_taken_or_none(stock: dict[str, int], wanted: list[Item]) -> None:
    match decide(stock, wanted):
        case Taken(levels):
            assert {level.product_id: level.stock for level in levels} == {
                line.product_id: stock[line.product_id] - line.quantity for line in wanted
            }
            assert all(level.stock >= 0 for level in levels)
        case Short(shortages):
            assert shortages
            assert all(stock[short.product_id] == short.stock < short.requested for short in shortages)
        case Unknown(product_ids):
            assert set(product_ids) == {line.product_id for line in wanted} - set(stock)


def test_taken_operation_has_levels() -> None:
    levels = (StockLevel("a", 1),)
    assert require_taken("1:1", [Item("a", 1)], Taken(levels)) == levels


def test_violations_point_to_the_items_in_request_order() -> None:
    wanted = [Item("b", 3), Item("a", 2)]
    with pytest.raises(ShortStockError) as short:
        require_taken("1:1", wanted, Short((Shortage("a", 2, 1),)))
    (violation,) = short.value.violations
    assert violation.pointer == "/items/1/quantity"
    assert violation.facts == {"productId": "a", "requested": 2, "stock": 1}
    assert short.value.detail == "Not enough stock: a has 1 of 2."
    with pytest.raises(ProductNotFoundError) as unknown:
        require_taken("1:1", wanted, Unknown(("b",)))
    assert [violation.pointer for violation in unknown.value.violations] == ["/items/0/productId"]


def test_released_and_reused_operations_have_errors_of_their_own() -> None:
    with pytest.raises(OperationReleasedError, match="1:1 was released"):
        require_taken("1:1", [Item("a", 1)], Released())
    with pytest.raises(OperationReusedError, match="other items"):
        require_taken("1:1", [Item("a", 1)], Reused())
