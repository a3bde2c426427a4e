"""The validation of orders."""

from __future__ import annotations

from typing import Any

import pytest

from order_contracts import Item
from order_service import schemas
from order_service.handlers import idempotency_key
from service_common.errors import InvalidError
from service_common.http_server import load


def body(*members: object, **more: object) -> dict[str, Any]:
    return {"orderItems": list(members), **more}


def item(product_id: object = "123", quantity: object = 2, **more: object) -> dict[str, object]:
    return {"productId": product_id, "quantity": quantity, **more}


def items(document: dict[str, Any]) -> list[Item]:
    return list(load(schemas.ItemsSchema(), document)["items"])


def pointers(document: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidError) as raised:
        items(document)
    return [violation.pointer for violation in raised.value.violations]


def test_server_timing_is_in_milliseconds() -> None:
    assert schemas.server_timing(stock=0.0048712, save=1.5) == "stock;dur=4.871, save;dur=1500.000"


def test_an_order_is_read() -> None:
    read = items(body(item("a.b_c-D9", 1), item("x" * 64, 1_000_000)))
    assert read == [Item("a.b_c-D9", 1), Item("x" * 64, 1_000_000)]


@pytest.mark.parametrize("quantity", ["2", True, 2.0, 2.5, None, 0, -1, 1_000_001, 10**30, [2]])
def test_a_quantity_is_an_integer_within_limits(quantity: object) -> None:
    assert pointers(body(item(quantity=quantity))) == ["/orderItems/0/quantity"]


@pytest.mark.parametrize("product_id", ["", "x" * 65, ".", "..", "." * 64, "a b", "a/b", "a\n", "ä", 123, None, "a\0"])
def test_product_id_with_other_characters_is_refused(product_id: object) -> None:
    assert pointers(body(item(product_id))) == ["/orderItems/0/productId"]


@pytest.mark.parametrize("items", [[], [item(str(n)) for n in range(101)], {}, "123", None, 5])
def test_there_are_1_to_100_items(items: object) -> None:
    assert pointers({"orderItems": items}) == ["/orderItems"]


def test_100_items_are_taken() -> None:
    assert len(items(body(*(item(str(n)) for n in range(100))))) == 100


def test_each_repeated_product_is_reported() -> None:
    assert pointers(body(item("a"), item("b"), item("a"), item("a"))) == [
        "/orderItems/2/productId",
        "/orderItems/3/productId",
    ]


def test_unknown_fields_are_refused_everywhere() -> None:
    assert sorted(pointers(body(item(price=5), status="CLOSED"))) == ["/orderItems/0/price", "/status"]


@pytest.mark.parametrize(
    ("document", "pointer"), [({}, "/orderItems"), (body({"quantity": 1}), "/orderItems/0/productId")]
)
def test_missing_member_is_reported(document: dict[str, Any], pointer: str) -> None:
    assert pointers(document) == [pointer]


def test_item_other_than_an_object_is_refused() -> None:
    assert pointers(body("123")) == ["/orderItems/0"]


@pytest.mark.parametrize("value", [0, -1, "1", 1.0, True, None, 2**31])
def test_a_version_is_a_positive_integer(value: object) -> None:
    with pytest.raises(InvalidError):
        load(schemas.VersionSchema(), {"version": value})


@pytest.mark.parametrize("reason", ["", "x" * 1001, None, 5, "a\0b"])
def test_failure_reason_that_cannot_be_stored_is_refused(reason: object) -> None:
    with pytest.raises(InvalidError):
        load(schemas.FailureSchema(), {"version": 1, "reason": reason})


def test_a_failure_is_read() -> None:
    read = load(schemas.FailureSchema(), {"version": 3, "reason": "out of stock"})
    assert read == {"version": 3, "reason": "out of stock"}


def test_no_idempotency_key_is_none() -> None:
    assert idempotency_key(()) is None


@pytest.mark.parametrize("key", ["k", "x" * 255, "two words", "ä"])
def test_an_idempotency_key_is_printable(key: str) -> None:
    assert idempotency_key([key]) == key


@pytest.mark.parametrize("keys", [[""], ["x" * 256], ["a\tb"], ["a\udcff"], ["a", "b"]])
def test_invalid_idempotency_key_is_refused(keys: list[str]) -> None:
    with pytest.raises(InvalidError):
        idempotency_key(keys)
