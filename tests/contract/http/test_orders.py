"""The order service keeps its wire contract, whatever is sent to it: in memory, on PostgreSQL, and as it runs."""

from __future__ import annotations

import asyncio
import gzip
import re
import uuid
from collections.abc import AsyncIterator
from time import perf_counter
from typing import Any

import pytest
import pytest_asyncio

from tests.support.http_service import Answer, HttpService
from tests.support.problems import JSON, nothing_stored, refused
from tests.support.waiting import eventually

from .conftest import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAX_BODY_BYTES = 256 * 1024
LINE = {"productId": "123", "quantity": 1}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")

MALFORMED = {
    "half": b"{",
    "empty": b"",
    "array": b"[]",
    "string": b'"x"',
    "null": b"null",
    "number": b"1",
    "not-a-number": b'{"orderItems":[{"productId":"123","quantity":NaN}]}',
    "infinity": b'{"orderItems":[{"productId":"123","quantity":Infinity}]}',
    "beyond-double": b'{"orderItems":[{"productId":"123","quantity":1e400}]}',
    "five-thousand-digits": b'{"orderItems":[{"productId":"123","quantity":' + b"9" * 5000 + b"}]}",
    "lone-surrogate": rb'{"orderItems":[{"productId":"\ud800","quantity":1}]}',
    "lone-surrogate-as-name": rb'{"\ud800":1}',
    "not-utf-8": b'{"orderItems":[{"productId":"\xff","quantity":1}]}',
    "utf-16": '{"orderItems":[]}'.encode("utf-16"),
    "byte-order-mark": b"\xef\xbb\xbf{}",
    "deep": b'{"orderItems":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep-objects": b'{"a":' * 25_000 + b"1" + b"}" * 25_000,
    "trailing": b'{"orderItems":[]} {}',
    "comment": b'{"orderItems":[] /* none */}',
}

INVALID: dict[str, tuple[object, str]] = {
    "nothing": ({}, "/orderItems"),
    "null": ({"orderItems": None}, "/orderItems"),
    "no-items": ({"orderItems": []}, "/orderItems"),
    "text-for-items": ({"orderItems": "x"}, "/orderItems"),
    "object-for-items": ({"orderItems": {"productId": "123"}}, "/orderItems"),
    "null-for-item": ({"orderItems": [None]}, "/orderItems/0"),
    "list-for-item": ({"orderItems": [[]]}, "/orderItems/0"),
    "101-items": ({"orderItems": [{"productId": f"p{n}", "quantity": 1} for n in range(101)]}, "/orderItems"),
    "same-product-twice": ({"orderItems": [LINE, LINE]}, "/orderItems/1/productId"),
    "no-product": ({"orderItems": [{"quantity": 1}]}, "/orderItems/0/productId"),
    "no-quantity": ({"orderItems": [{"productId": "123"}]}, "/orderItems/0/quantity"),
    "unknown-field": ({"orderItems": [LINE], "status": "CLOSED"}, "/status"),
    "unknown-field-of-item": ({"orderItems": [{**LINE, "price": 1}]}, "/orderItems/0/price"),
    "name-to-escape": ({"orderItems": [LINE], "a/b~\0": 1}, "/a~1b~0\0"),
    **{
        f"quantity-{name}": ({"orderItems": [{"productId": "123", "quantity": quantity}]}, "/orderItems/0/quantity")
        for name, quantity in {
            "zero": 0,
            "negative": -1,
            "too-many": 1_000_001,
            "beyond-64-bits": 2**64,
            "float": 1.0,
            "fraction": 1.5,
            "exponent": 1e3,
            "text": "1",
            "true": True,
            "null": None,
            "list": [1],
        }.items()
    },
    **{
        f"product-{name}": ({"orderItems": [{"productId": product, "quantity": 1}]}, "/orderItems/0/productId")
        for name, product in {
            "empty": "",
            "65-characters": "a" * 65,
            "slash": "a/b",
            "nul": "a\0b",
            "newline": "123\n",
            "other-digits": "\u0661\u0662",
            "space": "a b",
            "number": 123,
            "null": None,
            "list": ["123"],
        }.items()
    },
}


def body_of(**quantities: int) -> dict[str, Any]:
    return {"orderItems": [{"productId": product, "quantity": number} for product, number in quantities.items()]}


async def post(orders: HttpService, body: bytes | object, **headers: str) -> Answer:
    if isinstance(body, bytes):
        return await orders.call("POST", "/orders", data=body, headers={**JSON, **headers})
    return await orders.call("POST", "/orders", json=body, headers=headers)


async def place(orders: HttpService, items: dict[str, int], **headers: str) -> Answer:
    return await post(orders, body_of(**items), **headers)


@pytest_asyncio.fixture(loop_scope="session")
async def shelf(shop: Shop) -> str:
    """A product of this test alone, ten of it."""
    product = f"p-{uuid.uuid4().hex}"
    await shop.put_in(product, 10)
    return product


@pytest_asyncio.fixture(loop_scope="session")
async def created(shop: Shop, orders: HttpService, shelf: str) -> AsyncIterator[dict[str, Any]]:
    """An order of two that is CREATED for as long as the test likes."""
    with shop.unprocessed():
        yield (await place(orders, {shelf: 2})).json


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in MALFORMED.items()])
async def test_body_that_is_no_json_object_is_malformed(orders: HttpService, body: bytes) -> None:
    async with nothing_stored(orders):
        refused(await post(orders, body), 400, "malformed")


@pytest.mark.parametrize(("body", "pointer"), [pytest.param(*case, id=name) for name, case in INVALID.items()])
async def test_body_that_means_nothing_allowed_is_invalid(orders: HttpService, body: object, pointer: str) -> None:
    async with nothing_stored(orders):
        problem = refused(await post(orders, body), 422, "invalid")
    assert pointer in {error["pointer"] for error in problem["errors"]}


async def test_every_mistake_is_named_at_once(orders: HttpService) -> None:
    body = {"orderItems": [{"productId": "a b", "quantity": 0}, {"productId": "123"}], "x": 1}
    problem = refused(await post(orders, body), 422, "invalid")
    assert {error["pointer"] for error in problem["errors"]} == {
        "/orderItems/0/productId",
        "/orderItems/0/quantity",
        "/orderItems/1/quantity",
        "/x",
    }


async def test_answer_to_a_body_of_nothing_but_mistakes_is_bounded(orders: HttpService) -> None:
    problem = refused(await post(orders, {"orderItems": [{"productId": "!", "quantity": "x"}] * 100}), 422, "invalid")
    assert (len(problem["errors"]), problem["detail"]) == (100, "200 things are not valid.")


async def test_list_that_is_too_long_is_refused_for_its_length(orders: HttpService) -> None:
    problem = refused(await post(orders, {"orderItems": [{}] * 60_000}), 422, "invalid")
    assert [error["pointer"] for error in problem["errors"]] == ["/orderItems"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json", "application/", ""],
)
async def test_body_that_does_not_say_it_is_json_is_refused(orders: HttpService, content_type: str) -> None:
    async with nothing_stored(orders):
        answer = await orders.call("POST", "/orders", data=b'{"orderItems":[]}', headers={"Content-Type": content_type})
        refused(answer, 415)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"])
async def test_json_by_any_of_its_names_is_read(orders: HttpService, content_type: str) -> None:
    answer = await orders.call("POST", "/orders", data=b"{}", headers={"Content-Type": content_type})
    refused(answer, 422)


async def test_body_of_the_greatest_size_is_read(orders: HttpService) -> None:
    body = b'{"a":"%s"}' % (b"x" * (MAX_BODY_BYTES - 8))
    refused(await post(orders, body), 422)


@pytest.mark.parametrize("method", ["whole", "chunked"])
async def test_body_that_is_too_large_is_refused(orders: HttpService, method: str) -> None:
    body = b'{"a":"%s"}' % (b"x" * 2 * MAX_BODY_BYTES)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, 2 * MAX_BODY_BYTES, 2**16):
            yield body[start : start + 2**16]

    sent: dict[str, dict[str, Any]] = {
        "whole": {"data": body[: MAX_BODY_BYTES + 1], "headers": JSON},
        "chunked": {"data": chunks(), "headers": JSON},
    }
    async with nothing_stored(orders):
        refused(await orders.call("POST", "/orders", **sent[method]), 413)


@pytest.mark.parametrize("body", [gzip.compress(b'{"orderItems":[]}'), b'{"orderItems":[]}'], ids=["gzip", "not gzip"])
async def test_encoded_body_is_refused_whatever_it_holds(orders: HttpService, body: bytes) -> None:
    refused(await post(orders, body, **{"Content-Encoding": "gzip"}), 415)


async def test_unknown_products_are_all_named(orders: HttpService, shelf: str) -> None:
    async with nothing_stored(orders):
        problem = refused(await place(orders, {"nobody-has-1": 1, shelf: 1, "nobody-has-2": 1}), 422, "unknown-product")
    assert [(error["pointer"], error["productId"]) for error in problem["errors"]] == [
        ("/orderItems/0/productId", "nobody-has-1"),
        ("/orderItems/2/productId", "nobody-has-2"),
    ]
    problem = refused(await place(orders, {"nobody-has-1": 1}), 422, "unknown-product")
    assert [error["pointer"] for error in problem["errors"]] == ["/orderItems/0/productId"]


@pytest.mark.parametrize("product", [".", "..", "." * 64])
async def test_product_id_of_dots_alone_is_refused(orders: HttpService, product: str) -> None:
    refused(await place(orders, {product: 1}), 422, "invalid")


async def test_short_stock_tells_what_is_there_of_every_short_item(orders: HttpService, shelf: str) -> None:
    async with nothing_stored(orders):
        problem = refused(await place(orders, {"sold-out": 3, "123": 1, shelf: 11}), 409, "short-stock")
    told = [(each["pointer"], each["productId"], each["requested"], each["stock"]) for each in problem["errors"]]
    assert told == [("/orderItems/0/quantity", "sold-out", 3, 0), ("/orderItems/2/quantity", shelf, 11, 10)]


async def test_accepted_order_says_where_it_is(orders: HttpService, shop: Shop, shelf: str) -> None:
    placed = await place(orders, {shelf: 2, "123": 1})
    order = placed.json
    assert (placed.status, placed.headers["ETag"]) == (201, '"1"')
    assert placed.headers["Location"] == f"/orders/{order['id']}"
    assert MOMENT.fullmatch(order["createdAt"])
    assert order == {
        "id": order["id"],
        "version": 1,
        "status": "CREATED",
        "createdAt": order["createdAt"],
        "updatedAt": order["createdAt"],
        "failureReason": None,
        "customerId": "anonymous",
        "orderItems": [
            {"id": order["orderItems"][0]["id"], "productId": shelf, "quantity": 2},
            {"id": order["orderItems"][1]["id"], "productId": "123", "quantity": 1},
        ],
    }
    found = await orders.call("GET", placed.headers["Location"])
    assert (found.status, found.headers["ETag"]) == (200, '"1"')
    assert found.json["orderItems"] == order["orderItems"]
    await shop.fulfil(order["id"])


async def test_stored_order_is_answered_as_it_was_taken(orders: HttpService, created: dict[str, Any]) -> None:
    found = await orders.call("GET", f"/orders/{created['id']}")
    assert (found.status, found.headers["ETag"], found.json) == (200, '"1"', created)


async def test_answer_to_a_new_order_says_what_took_how_long(orders: HttpService, shelf: str) -> None:
    began = perf_counter()
    headers = {"Idempotency-Key": uuid.uuid4().hex, "Origin": orders.origin}
    for replayed in (None, "true"):
        answer = await place(orders, {shelf: 1}, **headers)
        assert answer.headers.get("Idempotent-Replayed") == replayed
        timing = re.fullmatch(r"stock;dur=(\d+\.\d{3}), save;dur=(\d+\.\d{3})", answer.headers["Server-Timing"])
        assert timing is not None
        assert sum(float(each) for each in timing.groups()) < 1000 * (perf_counter() - began)
        assert "Server-Timing" in answer.headers["Access-Control-Expose-Headers"]


async def test_repeat_with_the_same_key_gets_the_first_answer(orders: HttpService, shop: Shop, shelf: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = await place(orders, {shelf: 10}, **key)
    assert "Idempotent-Replayed" not in first.headers
    await shop.fulfil(first.json["id"])  # by now there is no stock for another, and the order is not CREATED any more
    async with nothing_stored(orders):
        spelled_otherwise = b'{ "orderItems" : [ {"quantity":10, "productId":"%s"} ] }' % shelf.encode()
        again = await post(orders, spelled_otherwise, **key)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert (again.json, again.headers["Location"]) == (first.json, first.headers["Location"])


async def test_repeat_gets_the_first_answer_when_nothing_can_be_ordered(
    orders: HttpService, shop: Shop, shelf: str
) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = await place(orders, {shelf: 1}, **key)
    await shop.fulfil(first.json["id"])
    await shop.put_in(shelf, 0)
    assert (await place(orders, {shelf: 1}, **key)).json == first.json
    async with shop.inventory_away():
        assert (await place(orders, {shelf: 1}, **key)).json == first.json


async def test_same_key_for_another_body_is_refused(orders: HttpService, shop: Shop, shelf: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    placed = await place(orders, {shelf: 1}, **key)
    async with nothing_stored(orders):
        refused(await place(orders, {shelf: 2}, **key), 422, "idempotency-key-reused")
    await shop.fulfil(placed.json["id"])


async def test_requests_at_once_with_one_key_are_one_order(orders: HttpService, shop: Shop, shelf: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    answers = await asyncio.gather(*(place(orders, {shelf: 1}, **key) for _ in range(20)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    await shop.fulfil(answers[0].json["id"])
    assert await shop.stock(shelf) == 9


async def test_refusal_uses_up_no_key(orders: HttpService, shop: Shop, shelf: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    refused(await place(orders, {shelf: 11}, **key), 409, "short-stock")
    await shop.put_in(shelf, 11)
    placed = await place(orders, {shelf: 11}, **key)
    assert placed.status == 201
    await shop.fulfil(placed.json["id"])


@pytest.mark.parametrize("key", ["", " ", "a" * 256, "a\tb", "\u202e"], ids=["none", "space", "256", "tab", "control"])
async def test_key_that_can_not_be_one_is_refused(orders: HttpService, key: str) -> None:
    async with nothing_stored(orders):
        refused(await place(orders, {"123": 1}, **{"Idempotency-Key": key}), 422, "invalid")


async def test_two_keys_are_refused(orders: HttpService) -> None:
    async with nothing_stored(orders):
        headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
        refused(await orders.call("POST", "/orders", json={"orderItems": [LINE]}, headers=headers), 422, "invalid")


@pytest.mark.parametrize(
    "order_id",
    ["0", "-1", "01", "1.0", "1e3", "abc", "9" * 400, str(2**63 - 1), str(2**63), "%00", "%ff", "1%20", "%D9%A3"],
)
async def test_order_that_is_not_there_is_not_found(orders: HttpService, order_id: str) -> None:
    slug = None if order_id == "%ff" else "order-not-found"
    for method, body in (("GET", None), ("DELETE", None), ("PUT", {"orderItems": [LINE]})):
        refused(await orders.call(method, f"/orders/{order_id}", json=body), 404, slug)
    for path, end in (("close", {"version": 1}), ("fail", {"version": 1, "reason": "gone"})):
        refused(await orders.internal(f"/order/{path}/{order_id}", end), 404, slug)


async def test_pages_go_from_the_newest_to_the_oldest(orders: HttpService, shop: Shop, shelf: str) -> None:
    placed = [(await place(orders, {shelf: 1})).json["id"] for _ in range(5)]
    seen: list[int] = []
    page = (await orders.call("GET", f"/orders?limit=2&after={placed[-1] + 1}")).json
    while len(seen) < 5:
        assert len(page["orders"]) <= 2
        seen += [order["id"] for order in page["orders"]]
        page = (await orders.call("GET", f"/orders?limit=2&after={page['next']}")).json
    assert seen[:5] == sorted(placed, reverse=True)
    for order_id in placed:
        await shop.fulfil(order_id)
    closed = (await orders.call("GET", f"/orders?status=CLOSED&limit=5&after={placed[-1] + 1}")).json
    assert [order["id"] for order in closed["orders"]] == sorted(placed, reverse=True)
    assert (await orders.call("GET", "/orders?limit=200&after=1")).json == {"orders": [], "next": None}


async def test_order_is_found_by_what_is_known_of_it(orders: HttpService, created: dict[str, Any], shelf: str) -> None:
    answer = await orders.call("POST", "/orders", json={"orderItems": [LINE]})
    trace_id, number = answer.headers["traceparent"].split("-")[1], created["id"]
    for query in (
        f"product={shelf}",
        f"product={shelf}&status=CREATED&number={number}&from={created['createdAt']}",
        f"number={number}&limit=1",
        f"product={shelf}&from=2026-01-01T00:00:00Z&to=9999-12-31T23:59:59.999999Z",
    ):
        found = (await orders.call("GET", f"/orders?{query}")).json["orders"]
        assert [each["id"] for each in found][-1:] == [number], query
    for query in (f"product={shelf}&status=CANCELLED", f"product={shelf}&to={created['createdAt']}"):
        assert (await orders.call("GET", f"/orders?{query}")).json == {"orders": [], "next": None}
    assert (await orders.call("GET", f"/orders?traceId={trace_id}")).json["orders"] == [answer.json]
    assert (await orders.call("GET", f"/orders?traceId={trace_id}&number={number}")).json["orders"] == []


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("status=OPEN", "/status"),
        ("page=2", "/page"),
        ("limit=0", "/limit"),
        ("limit=-1", "/limit"),
        ("limit=201", "/limit"),
        ("limit=1.0", "/limit"),
        ("limit=x", "/limit"),
        ("limit=" + "9" * 5000, "/limit"),
        ("limit=%00", "/limit"),
        ("after=-1", "/after"),
        ("after=9223372036854775808", "/after"),
        ("after=x", "/after"),
        ("status=created", "/status"),
        ("status=%00", "/status"),
        ("status=", "/status"),
        ("after=1&after=2", "/after"),
        ("offset=1", "/offset"),
        ("product=", "/product"),
        ("product=..", "/product"),
        ("product=a%20b", "/product"),
        ("from=", "/from"),
        ("from=2026-11-22", "/from"),
        ("from=2026-11-22T10:13:18", "/from"),
        ("from=2026-11-22T10:13:18%2B01:00", "/from"),
        ("from=2026-02-30T10:13:18Z", "/from"),
        ("from=0000-01-01T00:00:00Z", "/from"),
        ("to=now", "/to"),
        ("from=2026-11-22T10:13:18Z&to=2026-11-22T10:13:18Z", "/to"),
        ("traceId=", "/traceId"),
        ("traceId=" + "A" * 32, "/traceId"),
        ("number=", "/number"),
        ("number=0", "/number"),
        ("number=01", "/number"),
        ("number=9223372036854775808", "/number"),
    ],
)
async def test_page_that_can_not_be_is_refused(orders: HttpService, query: str, pointer: str) -> None:
    problem = refused(await orders.call("GET", f"/orders?{query}"), 422, "invalid")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_changed_order_has_a_new_version(orders: HttpService, created: dict[str, Any], shelf: str) -> None:
    path = f"/orders/{created['id']}"
    body = {"orderItems": [{"productId": shelf, "quantity": 3}]}
    changed = await orders.call("PUT", path, json=body, headers={"If-Match": '"1"'})
    assert (changed.status, changed.headers["ETag"], changed.json["version"]) == (200, '"2"', 2)
    assert [(item["productId"], item["quantity"]) for item in changed.json["orderItems"]] == [(shelf, 3)]
    assert (changed.json["status"], changed.json["createdAt"]) == ("CREATED", created["createdAt"])
    assert (await orders.call("GET", path)).json == changed.json
    async with nothing_stored(orders):
        refused(await orders.call("PUT", path, json=body, headers={"If-Match": '"1"'}), 412, "version-lost")
    again = await orders.call("PUT", path, json=body)
    assert again.headers["ETag"] == '"3"'


@pytest.mark.parametrize("tag", ['W/"1"', "1", '"abc"', '""', '"-1"', '" 1"', '"' + "9" * 30 + '"'])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_tag_of_no_version_has_lost(orders: HttpService, method: str, tag: str, last_order: str) -> None:
    async with nothing_stored(orders):
        answer = await orders.call(method, last_order, json={"orderItems": [LINE]}, headers={"If-Match": tag})
        refused(answer, 412, "version-lost")


async def test_open_order_stays_as_it_is_when_the_version_is_lost(orders: HttpService, created: dict[str, Any]) -> None:
    path = f"/orders/{created['id']}"
    for tag in ('"2"', 'W/"1"', '"x"', "1"):
        for method in ("PUT", "DELETE"):
            answer = await orders.call(method, path, json={"orderItems": [LINE]}, headers={"If-Match": tag})
            refused(answer, 412, "version-lost")
    assert (await orders.call("GET", path)).json == created


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b'{"orderItems":[]}', 422)])
async def test_change_is_held_to_the_same_rules(orders: HttpService, body: bytes, status: int, last_order: str) -> None:
    async with nothing_stored(orders):
        refused(await orders.call("PUT", last_order, data=body, headers=JSON), status)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def last_order(shop: Shop, orders: HttpService) -> str:
    """The path of an order that is CLOSED."""
    placed = await place(orders, {"123": 1})
    await shop.fulfil(placed.json["id"])
    return str(placed.headers["Location"])


async def test_closed_order_can_not_be_changed(orders: HttpService, last_order: str) -> None:
    async with nothing_stored(orders):
        for method in ("PUT", "DELETE"):
            answer = await orders.call(method, last_order, json={"orderItems": [LINE]})
            problem = refused(answer, 409, "order-state")
            assert problem["errors"][0]["status"] == "CLOSED"


async def test_change_to_what_can_not_be_ordered_is_refused(
    orders: HttpService, shop: Shop, created: dict[str, Any], shelf: str
) -> None:
    path = f"/orders/{created['id']}"
    async with nothing_stored(orders):
        short = {"orderItems": [{"productId": shelf, "quantity": 11}]}
        refused(await orders.call("PUT", path, json=short), 409, "short-stock")
        refused(await orders.call("PUT", path, json={"orderItems": []}), 422, "invalid")
        async with shop.inventory_away():
            refused(await orders.call("PUT", path, json=short), 503)
        unknown = {"orderItems": [{"productId": "nobody-has", "quantity": 1}]}
        refused(await orders.call("PUT", path, json=unknown), 422, "unknown-product")


async def test_cancelled_order_stays_cancelled(orders: HttpService, created: dict[str, Any]) -> None:
    path = f"/orders/{created['id']}"
    cancelled = await orders.call("DELETE", path)
    assert (cancelled.status, cancelled.json) == (
        200,
        created | {"status": "CANCELLED", "updatedAt": cancelled.json["updatedAt"]},
    )
    async with nothing_stored(orders):
        again = await orders.call("DELETE", path)
        assert (again.status, again.json) == (200, cancelled.json)
        refused(await orders.call("PUT", path, json={"orderItems": [LINE]}), 409, "order-state")
        for end, body in (("close", {"version": 1}), ("fail", {"version": 1, "reason": "x"})):
            problem = refused(await orders.internal(f"/order/{end}/{created['id']}", body), 409, "order-state")
            assert problem["errors"][0]["status"] == "CANCELLED"


async def test_order_is_closed_in_its_own_version_only(
    orders: HttpService, created: dict[str, Any], shelf: str
) -> None:
    path = f"/orders/{created['id']}"
    await orders.call("PUT", path, json=body_of(**{shelf: 1}))

    async def end(how: str, **body: object) -> Answer:
        return await orders.internal(f"/order/{how}/{created['id']}", body)

    problem = refused(await end("close", version=1), 409, "order-version")
    assert (problem["errors"][0]["version"], problem["errors"][0]["status"]) == (2, "CREATED")
    refused(await end("fail", version=1, reason="x"), 409, "order-version")
    refused(await end("close", version=3), 409, "order-version")
    for _ in range(2):
        closed = await end("close", version=2)
        assert (closed.status, closed.json) == (200, {"id": created["id"], "status": "CLOSED"})
    refused(await end("close", version=3), 409, "order-version")
    refused(await end("fail", version=2, reason="x"), 409, "order-state")
    refused(await orders.call("DELETE", path), 409, "order-state")
    refused(await orders.call("PUT", path, json=body_of(**{shelf: 1})), 409, "order-state")


async def test_each_order_of_a_batch_is_closed_as_if_it_were_alone(shop: Shop, shelf: str) -> None:
    orders = shop.orders
    with shop.unprocessed():
        numbers = [(await orders.call("POST", "/orders", json=body_of(**{shelf: 1}))).json["id"] for _ in range(4)]
        await orders.call("DELETE", f"/orders/{numbers[1]}")
        wanted = ((numbers[0], 1), (numbers[1], 1), (numbers[2], 9), (2**62, 1), (numbers[3], 1), (numbers[0], 1))
        closings = [{"orderId": number, "version": version} for number, version in wanted]
        # one that is there twice, and busy with itself, is asked again
        answers = [await orders.internal("/order/close", {"orders": closings}) for _ in range(2)]
        assert [answer.status for answer in answers] == [200, 200]
        outcomes = answers[1].json["outcomes"]
        slugs = [str(each.get("problem", {}).get("type")).rpartition(":")[2] for each in outcomes[:5]]
        assert slugs == ["None", "order-state", "order-version", "order-not-found", "None"]
        for (number, version), outcome in zip(wanted[:5], outcomes, strict=False):
            alone = await orders.internal(f"/order/close/{number}", {"version": version})
            told = {"instance": f"/order/close/{number}", "traceId": alone.json.get("traceId")}
            assert alone.json == ({**outcome["problem"], **told} if "problem" in outcome else outcome)
    for number, status in zip(numbers, ("CLOSED", "CANCELLED", "CREATED", "CLOSED"), strict=True):
        if status != "CREATED":  # which is processed by now
            assert (await orders.call("GET", f"/orders/{number}")).json["status"] == status


async def test_batch_of_closings_is_valid_as_a_whole(orders: HttpService, created: dict[str, Any]) -> None:
    closing = {"orderId": created["id"], "version": 1}
    async with nothing_stored(orders):
        for closings, pointer in (
            ([], "/orders"),
            ([closing] * 101, "/orders"),
            ([closing, {**closing, "version": 0}], "/orders/1/version"),
            ([closing, {**closing, "orderId": "1"}], "/orders/1/orderId"),
        ):
            problem = refused(await orders.internal("/order/close", {"orders": closings}), 422)
            assert [each["pointer"] for each in problem["errors"]] == [pointer]
    assert (await orders.call("GET", f"/orders/{created['id']}")).json["status"] == "CREATED"


async def test_order_fails_once_and_for_one_reason(orders: HttpService, created: dict[str, Any]) -> None:
    for reason in ("sold out", "another"):
        failed = await orders.internal(f"/order/fail/{created['id']}", {"version": 1, "reason": reason})
        assert (failed.status, failed.json) == (200, {"id": created["id"], "status": "FAILED"})
    order = (await orders.call("GET", f"/orders/{created['id']}")).json
    assert (order["status"], order["failureReason"]) == ("FAILED", "sold out")
    refused(await orders.internal(f"/order/close/{created['id']}", {"version": 1}), 409, "order-state")


@pytest.mark.parametrize(("end", "body"), [("close", {"version": 1}), ("fail", {"version": 1, "reason": "x"})])
async def test_only_the_services_themselves_end_orders(
    orders: HttpService, created: dict[str, Any], end: str, body: object
) -> None:
    path = f"/order/{end}/{created['id']}"
    refused(await orders.call("POST", path, json=body), 401)
    refused(await orders.call("POST", path, json=body, headers={"Authorization": "Bearer wrong"}), 403)
    assert (await orders.call("GET", f"/orders/{created['id']}")).json["status"] == "CREATED"


@pytest.mark.parametrize(
    ("end", "body", "status"),
    [
        ("close", {}, 422),
        ("close", {"version": 0}, 422),
        ("close", {"version": "1"}, 422),
        ("fail", {"reason": "gone"}, 422),
        ("close", {"version": 2**31}, 422),
        ("close", {"version": 1.0}, 422),
        ("close", {"version": 1, "reason": "x"}, 422),
        ("fail", {"version": 1}, 422),
        ("fail", {"version": 1, "reason": ""}, 422),
        ("fail", {"version": 1, "reason": "a\0"}, 422),
        ("fail", {"version": 1, "reason": "a" * 1001}, 422),
        ("fail", {"version": 1, "reason": 7}, 422),
    ],
)
async def test_end_that_is_not_valid_is_refused(
    orders: HttpService, end: str, body: object, status: int, last_order: str
) -> None:
    path = last_order.replace("orders", f"order/{end}")
    async with nothing_stored(orders):
        refused(await orders.internal(path, body), status)


async def test_without_inventory_no_order_is_taken(orders: HttpService, shop: Shop) -> None:
    async with shop.inventory_away(), nothing_stored(orders):
        refused(await post(orders, {"orderItems": []}), 422, "invalid")  # for that nobody has to be asked
        answer = await place(orders, {"123": 1})
        refused(answer, 503)
        assert int(answer.headers["Retry-After"]) >= 1
    placed = await place(orders, {"123": 1})
    assert placed.status == 201
    await shop.fulfil(placed.json["id"])


LONG_AGO = "2000-01-01T00:00:00.000000Z_0"


async def changes(orders: HttpService, query: str) -> Answer:
    return await orders.call("GET", f"/order/changes{query}", headers=orders.credentials("/order/changes"))


async def test_changes_begin_at_the_present_and_continue_at_the_position(
    orders: HttpService, created: dict[str, Any]
) -> None:
    present = await changes(orders, "")
    assert (present.status, present.json["changes"]) == (200, [])
    await orders.call("DELETE", f"/orders/{created['id']}")
    order = (await orders.call("GET", f"/orders/{created['id']}")).json

    async def look() -> dict[str, Any] | None:
        page: dict[str, Any] = (await changes(orders, f"?after={present.json['next']}")).json
        return page if order["id"] in {each["id"] for each in page["changes"]} else None

    # a change is listed when no transaction is open that began before it: the relay has some
    following: dict[str, Any] = await eventually(look, "the change of the order")
    listed = [each for each in following["changes"] if each["id"] == order["id"]]
    assert listed == [{name: value for name, value in order.items() if name != "orderItems"}]
    last = following["changes"][-1]
    assert following["next"] == f"{last['updatedAt']}_{last['id']}"
    rest = (await changes(orders, f"?after={order['updatedAt']}_{order['id']}")).json["changes"]
    assert order["id"] not in {each["id"] for each in rest}


async def test_changes_younger_than_requested_are_not_listed(orders: HttpService, created: dict[str, Any]) -> None:
    listed = (await changes(orders, f"?after={LONG_AGO}&minAgeS=86400")).json["changes"]
    assert created["id"] not in {each["id"] for each in listed}


async def test_changes_are_listed_up_to_the_limit(orders: HttpService, shelf: str) -> None:
    placed = [(await place(orders, {shelf: 1})).json["id"] for _ in range(2)]
    listed = (await changes(orders, f"?after={LONG_AGO}&limit=1")).json
    assert len(listed["changes"]) == 1
    assert listed["changes"][0]["id"] <= placed[0]


@pytest.mark.parametrize(
    "query",
    [
        "after=",
        "after=1",
        "after=2000-13-01T00:00:00.000000Z_0",
        "after=2000-01-01T00:00:00.000000Z_-1",
        "minAgeS=86401",
    ],
)
async def test_changes_after_no_position_are_refused(orders: HttpService, query: str) -> None:
    refused(await changes(orders, f"?{query}"), 422, "invalid")


async def test_only_the_services_themselves_read_the_changes(orders: HttpService) -> None:
    refused(await orders.call("GET", "/order/changes"), 401)
