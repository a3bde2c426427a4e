"""The order service keeps its wire contract, whatever is sent to it."""

from __future__ import annotations

import asyncio
import gzip
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.support.problems import JSON, nothing_stored, refused
from tests.support.processes import frozen
from tests.support.system import Answer, System

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAX_BODY_BYTES = 256 * 1024
LINE = {"productId": "123", "quantity": 1}

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


async def post(system: System, body: bytes | object, **headers: str) -> Answer:
    if isinstance(body, bytes):
        return await system.call("order", "POST", "/orders", data=body, headers={**JSON, **headers})
    return await system.call("order", "POST", "/orders", json=body, headers=headers)


@pytest_asyncio.fixture(loop_scope="session")
async def shelf(system: System) -> str:
    """A product of this test alone, ten of it."""
    return await system.product(f"p-{uuid.uuid4().hex}", 10)


@pytest_asyncio.fixture(loop_scope="session")
async def created(system: System, shelf: str) -> AsyncIterator[dict[str, Any]]:
    """An order of two that is CREATED for as long as the test likes: nobody processes it."""
    with frozen(system, "processing-service"):
        yield (await system.place({shelf: 2})).json


@pytest.mark.parametrize("body", [pytest.param(body, id=name) for name, body in MALFORMED.items()])
async def test_body_that_is_no_json_object_is_malformed(system: System, body: bytes) -> None:
    async with nothing_stored(system):
        refused(await post(system, body), 400, "malformed")


@pytest.mark.parametrize(("body", "pointer"), [pytest.param(*case, id=name) for name, case in INVALID.items()])
async def test_body_that_means_nothing_allowed_is_invalid(system: System, body: object, pointer: str) -> None:
    async with nothing_stored(system):
        problem = refused(await post(system, body), 422, "invalid")
    assert pointer in {error["pointer"] for error in problem["errors"]}


async def test_every_mistake_is_named_at_once(system: System) -> None:
    body = {"orderItems": [{"productId": "a b", "quantity": 0}, {"productId": "123"}], "x": 1}
    problem = refused(await post(system, body), 422, "invalid")
    assert {error["pointer"] for error in problem["errors"]} == {
        "/orderItems/0/productId",
        "/orderItems/0/quantity",
        "/orderItems/1/quantity",
        "/x",
    }


async def test_answer_to_a_body_of_nothing_but_mistakes_is_bounded(system: System) -> None:
    problem = refused(await post(system, {"orderItems": [{"productId": "!", "quantity": "x"}] * 100}), 422, "invalid")
    assert (len(problem["errors"]), problem["detail"]) == (100, "200 things are not valid.")


async def test_list_that_is_too_long_is_refused_for_its_length(system: System) -> None:
    problem = refused(await post(system, {"orderItems": [{}] * 60_000}), 422, "invalid")
    assert [error["pointer"] for error in problem["errors"]] == ["/orderItems"]


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "json", "application/", ""],
)
async def test_body_that_does_not_say_it_is_json_is_refused(system: System, content_type: str) -> None:
    async with nothing_stored(system):
        answer = await system.call(
            "order", "POST", "/orders", data=b'{"orderItems":[]}', headers={"Content-Type": content_type}
        )
        refused(answer, 415)


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/x+json"])
async def test_json_by_any_of_its_names_is_read(system: System, content_type: str) -> None:
    answer = await system.call("order", "POST", "/orders", data=b"{}", headers={"Content-Type": content_type})
    refused(answer, 422)


async def test_body_of_the_greatest_size_is_read(system: System) -> None:
    body = b'{"a":"%s"}' % (b"x" * (MAX_BODY_BYTES - 8))
    refused(await post(system, body), 422)


@pytest.mark.parametrize("method", ["whole", "chunked", "compressed"])
async def test_body_that_is_too_large_is_refused(system: System, method: str) -> None:
    body = b'{"a":"%s"}' % (b"x" * 40 * MAX_BODY_BYTES)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, 2 * MAX_BODY_BYTES, 2**16):
            yield body[start : start + 2**16]

    sent: dict[str, dict[str, Any]] = {
        "whole": {"data": body[: MAX_BODY_BYTES + 1], "headers": JSON},
        "chunked": {"data": chunks(), "headers": JSON},
        "compressed": {"data": gzip.compress(body), "headers": {**JSON, "Content-Encoding": "gzip"}},
    }
    async with nothing_stored(system):
        refused(await system.call("order", "POST", "/orders", **sent[method]), 413)


async def test_body_that_is_not_compressed_as_it_says_is_malformed(system: System) -> None:
    refused(await post(system, b'{"orderItems":[]}', **{"Content-Encoding": "gzip"}), 400)


async def test_unknown_products_are_all_named(system: System, shelf: str) -> None:
    async with nothing_stored(system):
        problem = refused(await system.place({"nobody-has-1": 1, shelf: 1, "nobody-has-2": 1}), 422, "unknown-product")
    assert [error["pointer"] for error in problem["errors"]] == ["/orderItems/0/productId", "/orderItems/2/productId"]


@pytest.mark.parametrize("product", [".", ".."])
async def test_product_id_that_looks_like_a_path_is_an_id(system: System, product: str) -> None:
    refused(await system.place({product: 1}), 422, "unknown-product")


async def test_short_stock_tells_what_is_there_of_every_short_item(system: System, shelf: str) -> None:
    async with nothing_stored(system):
        problem = refused(await system.place({"sold-out": 3, "123": 1, shelf: 11}), 409, "short-stock")
    told = [(each["pointer"], each["productId"], each["requested"], each["stock"]) for each in problem["errors"]]
    assert told == [("/orderItems/0/quantity", "sold-out", 3, 0), ("/orderItems/2/quantity", shelf, 11, 10)]


async def test_accepted_order_says_where_it_is(system: System, shelf: str) -> None:
    placed = await system.place({shelf: 2, "123": 1})
    assert (placed.status, placed.headers["ETag"]) == (201, '"1"')
    assert placed.headers["Location"] == f"/orders/{placed.json['id']}"
    assert [(item["productId"], item["quantity"]) for item in placed.json["orderItems"]] == [(shelf, 2), ("123", 1)]
    assert (placed.json["status"], placed.json["version"], placed.json["failureReason"]) == ("CREATED", 1, None)
    found = await system.call("order", "GET", placed.headers["Location"])
    assert found.headers["ETag"] == '"1"'
    assert found.json["orderItems"] == placed.json["orderItems"]
    await system.ended(placed.json["id"])


async def test_repeat_with_the_same_key_gets_the_first_answer(system: System, shelf: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    first = await system.place({shelf: 10}, **key)
    assert "Idempotent-Replayed" not in first.headers
    await system.ended(first.json["id"])  # by now there is no stock for another, and the order is not CREATED any more
    async with nothing_stored(system):
        spelled_otherwise = b'{ "orderItems" : [ {"quantity":10, "productId":"%s"} ] }' % shelf.encode()
        again = await post(system, spelled_otherwise, **key)
    assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert (again.json, again.headers["Location"]) == (first.json, first.headers["Location"])


async def test_same_key_for_another_body_is_refused(system: System, shelf: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    placed = await system.place({shelf: 1}, **key)
    async with nothing_stored(system):
        refused(await system.place({shelf: 2}, **key), 422, "idempotency-key-reused")
    await system.ended(placed.json["id"])


async def test_requests_at_once_with_one_key_are_one_order(system: System, shelf: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    answers = await asyncio.gather(*(system.place({shelf: 1}, **key) for _ in range(20)))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.json["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
    await system.ended(answers[0].json["id"])
    assert await system.stock(shelf) == 9


async def test_refusal_uses_up_no_key(system: System, shelf: str) -> None:
    key = {"Idempotency-Key": uuid.uuid4().hex}
    refused(await system.place({shelf: 11}, **key), 409, "short-stock")
    await system.call("inventory", "PUT", f"/inventory/{shelf}", json={"stock": 11}, headers={"If-Match": "*"})
    placed = await system.place({shelf: 11}, **key)
    assert placed.status == 201
    await system.ended(placed.json["id"])


@pytest.mark.parametrize("key", ["", " ", "a" * 256, "a\tb", "\u202e"], ids=["none", "space", "256", "tab", "control"])
async def test_key_that_can_not_be_one_is_refused(system: System, key: str) -> None:
    async with nothing_stored(system):
        refused(await system.place({"123": 1}, **{"Idempotency-Key": key}), 422, "invalid")


async def test_two_keys_are_refused(system: System) -> None:
    async with nothing_stored(system):
        headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
        refused(
            await system.call("order", "POST", "/orders", json={"orderItems": [LINE]}, headers=headers), 422, "invalid"
        )


@pytest.mark.parametrize(
    "order_id", ["0", "-1", "01", "1.0", "1e3", "abc", "9" * 400, str(2**63 - 1), str(2**63), "%00", "%ff", "1%20"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_order_that_is_not_there_is_not_found(system: System, method: str, order_id: str) -> None:
    from yarl import URL

    url = URL(f"{system.stack.url('order')}/orders/{order_id}", encoded=True)
    async with system.session.request(method, url) as response:
        refused(Answer(response.status, response.headers, await response.json(content_type=None)), 404)


async def test_pages_go_from_the_newest_to_the_oldest(system: System, shelf: str) -> None:
    placed = [(await system.place({shelf: 1})).json["id"] for _ in range(5)]
    seen: list[int] = []
    page = (await system.call("order", "GET", f"/orders?limit=2&after={placed[-1] + 1}")).json
    while len(seen) < 5:
        assert len(page["orders"]) <= 2
        seen += [order["id"] for order in page["orders"]]
        page = (await system.call("order", "GET", f"/orders?limit=2&after={page['next']}")).json
    assert seen[:5] == sorted(placed, reverse=True)
    for order_id in placed:
        await system.ended(order_id)
    closed = (await system.call("order", "GET", f"/orders?status=CLOSED&limit=5&after={placed[-1] + 1}")).json
    assert [order["id"] for order in closed["orders"]] == sorted(placed, reverse=True)
    assert (await system.call("order", "GET", "/orders?limit=200&after=1")).json == {"orders": [], "next": None}


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
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
        ("offset=1", "/offset"),
    ],
)
async def test_page_that_can_not_be_is_refused(system: System, query: str, pointer: str) -> None:
    problem = refused(await system.call("order", "GET", f"/orders?{query}"), 422, "invalid")
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


async def test_changed_order_has_a_new_version(system: System, created: dict[str, Any], shelf: str) -> None:
    path = f"/orders/{created['id']}"
    body = {"orderItems": [{"productId": shelf, "quantity": 3}]}
    changed = await system.call("order", "PUT", path, json=body, headers={"If-Match": '"1"'})
    assert (changed.status, changed.headers["ETag"], changed.json["version"]) == (200, '"2"', 2)
    assert [item["quantity"] for item in changed.json["orderItems"]] == [3]
    async with nothing_stored(system):
        refused(await system.call("order", "PUT", path, json=body, headers={"If-Match": '"1"'}), 412, "version-lost")
    again = await system.call("order", "PUT", path, json=body)
    assert again.headers["ETag"] == '"3"'


@pytest.mark.parametrize("tag", ['W/"1"', "1", '"abc"', '""', '"-1"', '" 1"', '"' + "9" * 30 + '"'])
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_tag_of_no_version_has_lost(system: System, method: str, tag: str, last_order: str) -> None:
    async with nothing_stored(system):
        answer = await system.call("order", method, last_order, json={"orderItems": [LINE]}, headers={"If-Match": tag})
        refused(answer, 412, "version-lost")


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b'{"orderItems":[]}', 422)])
async def test_change_is_held_to_the_same_rules(system: System, body: bytes, status: int, last_order: str) -> None:
    async with nothing_stored(system):
        refused(await system.call("order", "PUT", last_order, data=body, headers=JSON), status)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def last_order(system: System) -> str:
    """The path of an order that is CLOSED."""
    placed = await system.place({"123": 1})
    await system.ended(placed.json["id"])
    return str(placed.headers["Location"])


async def test_closed_order_can_not_be_changed(system: System, last_order: str) -> None:
    async with nothing_stored(system):
        for method in ("PUT", "DELETE"):
            answer = await system.call("order", method, last_order, json={"orderItems": [LINE]})
            problem = refused(answer, 409, "order-state")
            assert problem["errors"][0]["status"] == "CLOSED"


async def test_change_to_what_is_not_in_stock_is_refused(system: System, created: dict[str, Any], shelf: str) -> None:
    path = f"/orders/{created['id']}"
    async with nothing_stored(system):
        short = {"orderItems": [{"productId": shelf, "quantity": 11}]}
        refused(await system.call("order", "PUT", path, json=short), 409, "short-stock")
        unknown = {"orderItems": [{"productId": "nobody-has", "quantity": 1}]}
        refused(await system.call("order", "PUT", path, json=unknown), 422, "unknown-product")


async def test_cancelled_order_stays_cancelled(system: System, created: dict[str, Any]) -> None:
    path, internal = f"/orders/{created['id']}", {"Authorization": f"Bearer {system.stack.token}"}
    for _ in range(2):
        cancelled = await system.call("order", "DELETE", path)
        assert (cancelled.status, cancelled.json["status"]) == (200, "CANCELLED")
    async with nothing_stored(system):
        refused(await system.call("order", "PUT", path, json={"orderItems": [LINE]}), 409, "order-state")
        for end, body in (("close", {"version": 1}), ("fail", {"version": 1, "reason": "x"})):
            answer = await system.call("order", "POST", f"/order/{end}/{created['id']}", json=body, headers=internal)
            refused(answer, 409, "order-state")


async def test_order_is_closed_in_its_own_version_only(system: System, created: dict[str, Any], shelf: str) -> None:
    internal = {"Authorization": f"Bearer {system.stack.token}"}
    body = {"orderItems": [{"productId": shelf, "quantity": 1}]}
    await system.call("order", "PUT", f"/orders/{created['id']}", json=body)

    async def end(how: str, **body: object) -> Answer:
        return await system.call("order", "POST", f"/order/{how}/{created['id']}", json=body, headers=internal)

    refused(await end("close", version=1), 409, "order-version")
    refused(await end("fail", version=1, reason="x"), 409, "order-version")
    refused(await end("close", version=3), 409, "order-version")
    for _ in range(2):
        closed = await end("close", version=2)
        assert (closed.status, closed.json) == (200, {"id": created["id"], "status": "CLOSED"})
    refused(await end("fail", version=2, reason="x"), 409, "order-state")


async def test_order_fails_once_and_for_one_reason(system: System, created: dict[str, Any]) -> None:
    internal = {"Authorization": f"Bearer {system.stack.token}"}
    for reason in ("sold out", "another"):
        body = {"version": 1, "reason": reason}
        failed = await system.call("order", "POST", f"/order/fail/{created['id']}", json=body, headers=internal)
        assert (failed.status, failed.json) == (200, {"id": created["id"], "status": "FAILED"})
    order = (await system.call("order", "GET", f"/orders/{created['id']}")).json
    assert (order["status"], order["failureReason"]) == ("FAILED", "sold out")


@pytest.mark.parametrize(
    ("end", "body", "status"),
    [
        ("close", {}, 422),
        ("close", {"version": 0}, 422),
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
    system: System, end: str, body: object, status: int, last_order: str
) -> None:
    path = last_order.replace("orders", f"order/{end}")
    internal = {"Authorization": f"Bearer {system.stack.token}"}
    async with nothing_stored(system):
        refused(await system.call("order", "POST", path, json=body, headers=internal), status)


@pytest.mark.parametrize(("end", "body"), [("close", {"version": 1}), ("fail", {"version": 1, "reason": "x"})])
async def test_end_of_no_order_is_not_found(system: System, end: str, body: object) -> None:
    internal = {"Authorization": f"Bearer {system.stack.token}"}
    refused(await system.call("order", "POST", f"/order/{end}/{2**62}", json=body, headers=internal), 404)


async def test_without_inventory_no_order_is_taken(system: System) -> None:
    with frozen(system, "inventory-service"):
        async with nothing_stored(system):
            answer = await system.place({"123": 1})
            refused(answer, 503)
            assert int(answer.headers["Retry-After"]) >= 1
    await system.ready("inventory")
    placed = await system.place({"123": 1})
    while placed.status == 503:  # the circuit lets the next through after its pause
        await asyncio.sleep(int(placed.headers["Retry-After"]))
        placed = await system.place({"123": 1})
    assert (await system.ended(placed.json["id"]))["status"] == "CLOSED"
