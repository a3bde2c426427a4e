"""Every endpoint of the order service: its answers, its headers, its refusals."""

from __future__ import annotations

import asyncio
import re
from time import perf_counter
from typing import Any, TypeAlias

from aiohttp import ClientResponse, ClientSession, web
from aiohttp.test_utils import TestClient

Api: TypeAlias = TestClient[web.Request, web.Application]

ORIGIN = "http://localhost:4200"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def body(*items: tuple[str, int]) -> dict[str, Any]:
    return {"orderItems": [{"productId": product_id, "quantity": quantity} for product_id, quantity in items]}


TWO = body(("123", 2))
INVALID = [
    ({}, "/orderItems"),
    (body(), "/orderItems"),
    (body(("123", 1), ("123", 2)), "/orderItems/1/productId"),
    (body(("1 3", 1)), "/orderItems/0/productId"),
    (body(("123", 0)), "/orderItems/0/quantity"),
    ({"orderItems": [{"productId": "123", "quantity": "2"}]}, "/orderItems/0/quantity"),
    ({"orderItems": [{"productId": "123", "quantity": True}]}, "/orderItems/0/quantity"),
    ({"orderItems": [{"productId": "123", "quantity": 2.0}]}, "/orderItems/0/quantity"),
    (TWO | {"status": "CLOSED"}, "/status"),
]
NO_ORDER = ["1", str(2**63 - 1), str(2**63), "9" * 40, "0", "-1", "abc", "1.0", "٣"]


async def place(api: Api, document: object = TWO, **headers: str) -> dict[str, Any]:
    response = await api.post("/orders", json=document, headers=headers)
    assert response.status == 201
    return dict(await response.json())


async def problem(response: ClientResponse, status: int, slug: str | None = None) -> dict[str, Any]:
    assert response.status == status
    assert response.content_type == "application/problem+json"
    document: dict[str, Any] = await response.json()
    assert document["status"] == status
    assert re.fullmatch(r"[0-9a-f]{32}", document["traceId"])
    if slug is not None:
        assert document["type"] == f"urn:orderstream:problem:{slug}"
    return document


async def stored(api: Api) -> int:
    return len((await (await api.get("/orders")).json())["orders"])


async def test_order_is_taken(api: Api, asked: list[str]) -> None:
    response = await api.post("/orders", json=TWO)
    order = await response.json()
    assert response.status == 201
    assert response.headers["Location"] == f"/orders/{order['id']}"
    assert response.headers["ETag"] == '"1"'
    assert "Idempotent-Replayed" not in response.headers
    assert MOMENT.fullmatch(order["createdAt"])
    assert order == {
        "id": order["id"],
        "version": 1,
        "status": "CREATED",
        "createdAt": order["createdAt"],
        "updatedAt": order["createdAt"],
        "failureReason": None,
        "orderItems": [{"id": order["orderItems"][0]["id"], "productId": "123", "quantity": 2}],
    }
    assert asked == ["/inventory/123"]
    again = await api.get(response.headers["Location"])
    assert (again.status, await again.json(), again.headers["ETag"]) == (200, order, '"1"')


async def test_answer_to_a_new_order_says_what_took_how_long(api: Api) -> None:
    began = perf_counter()
    for replayed in (None, "true"):
        response = await api.post("/orders", json=TWO, headers={"Idempotency-Key": "key", "Origin": ORIGIN})
        assert response.headers.get("Idempotent-Replayed") == replayed
        timing = re.fullmatch(r"stock;dur=(\d+\.\d{3}), save;dur=(\d+\.\d{3})", response.headers["Server-Timing"])
        assert timing is not None
        stock_ms, save_ms = (float(each) for each in timing.groups())
        assert 0 < stock_ms < 1000 * (perf_counter() - began)
        assert 0 < save_ms < 1000 * (perf_counter() - began)
        assert "Server-Timing" in response.headers["Access-Control-Expose-Headers"]


async def test_many_items_are_asked_for_in_one_call(api: Api, asked: list[str]) -> None:
    order = await place(api, body(("456", 9), ("123", 1)))
    assert [item["productId"] for item in order["orderItems"]] == ["456", "123"]
    assert asked == ["/inventory?productId=456&productId=123"]


async def test_unknown_product_is_pointed_at(api: Api) -> None:
    document = body(("123", 1), ("999", 1))
    refusal = await problem(await api.post("/orders", json=document), 422, "unknown-product")
    assert [(each["pointer"], each["productId"]) for each in refusal["errors"]] == [("/orderItems/1/productId", "999")]
    refusal = await problem(await api.post("/orders", json=body(("999", 1))), 422, "unknown-product")
    assert refusal["errors"][0]["pointer"] == "/orderItems/0/productId"
    assert await stored(api) == 0


async def test_every_short_item_is_named(api: Api) -> None:
    document = body(("123", 6), ("456", 1), ("empty", 1))
    refusal = await problem(await api.post("/orders", json=document), 409, "short-stock")
    assert [(each["productId"], each["requested"], each["stock"]) for each in refusal["errors"]] == [
        ("123", 6, 5),
        ("empty", 1, 0),
    ]
    assert await stored(api) == 0


async def test_nothing_is_stored_while_the_inventory_is_away(api: Api, outage: asyncio.Event) -> None:
    outage.set()
    response = await api.post("/orders", json=TWO)
    await problem(response, 503)
    assert int(response.headers["Retry-After"]) >= 1
    assert await stored(api) == 0


async def test_invalid_order_is_refused_before_anybody_is_asked(api: Api, asked: list[str]) -> None:
    for document, pointer in INVALID:
        refusal = await problem(await api.post("/orders", json=document), 422, "invalid")
        assert [each["pointer"] for each in refusal["errors"]] == [pointer]
    assert asked == []


async def test_body_that_is_no_json_object_is_refused(api: Api) -> None:
    json = {"Content-Type": "application/json"}
    for malformed in (b"{", b"[]", b"", b"\xff", b"null"):
        await problem(await api.post("/orders", data=malformed, headers=json), 400)
    await problem(await api.post("/orders", data=b"{}", headers={"Content-Type": "text/plain"}), 415)
    await problem(await api.post("/orders", data=b" " * (256 * 1024 + 1), headers=json), 413)


async def test_same_key_gets_the_first_answer_again(api: Api, internal: ClientSession) -> None:
    first = await api.post("/orders", json=TWO, headers={"Idempotency-Key": "a key"})
    order = await first.json()
    assert (await internal.post(f"/order/close/{order['id']}", json={"version": 1})).status == 200
    again = await api.post(
        "/orders",
        data=' { "orderItems": [{"quantity": 2, "productId": "123"}]}',
        headers={"Idempotency-Key": "a key", "Content-Type": "application/json"},
    )
    assert (again.status, await again.json()) == (201, order)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await stored(api) == 1


async def test_same_key_gets_the_first_answer_when_nothing_could_be_ordered(
    api: Api, stock: dict[str, int], outage: asyncio.Event
) -> None:
    order = await place(api, **{"Idempotency-Key": "key"})
    stock["123"] = 0
    assert await place(api, **{"Idempotency-Key": "key"}) == order
    outage.set()
    assert await place(api, **{"Idempotency-Key": "key"}) == order


async def test_same_key_at_once_is_one_order(api: Api) -> None:
    responses = await asyncio.gather(
        *(api.post("/orders", json=TWO, headers={"Idempotency-Key": "key"}) for _ in range(10))
    )
    assert {response.status for response in responses} == {201}
    assert len({(await response.json())["id"] for response in responses}) == 1
    assert sum("Idempotent-Replayed" in response.headers for response in responses) == 9
    assert await stored(api) == 1


async def test_same_key_with_another_body_is_refused(api: Api) -> None:
    await place(api, **{"Idempotency-Key": "key"})
    other = await api.post("/orders", json=body(("123", 1)), headers={"Idempotency-Key": "key"})
    await problem(other, 422, "idempotency-key-reused")
    assert await stored(api) == 1


async def test_refused_order_leaves_its_key_free(api: Api, stock: dict[str, int]) -> None:
    stock["123"] = 1
    await problem(await api.post("/orders", json=TWO, headers={"Idempotency-Key": "key"}), 409)
    stock["123"] = 2
    await place(api, **{"Idempotency-Key": "key"})


async def test_key_that_is_no_key_is_refused(api: Api) -> None:
    for key in ("", "x" * 256, "a\tb"):
        await problem(await api.post("/orders", json=TWO, headers={"Idempotency-Key": key}), 422)
    assert await stored(api) == 0


async def test_order_that_is_not_there_is_not_found(api: Api, internal: ClientSession) -> None:
    failure = {"version": 1, "reason": "gone"}
    for order_id in NO_ORDER:
        await problem(await api.get(f"/orders/{order_id}"), 404, "order-not-found")
        await problem(await api.put(f"/orders/{order_id}", json=TWO), 404, "order-not-found")
        await problem(await api.delete(f"/orders/{order_id}"), 404, "order-not-found")
        await problem(await internal.post(f"/order/close/{order_id}", json={"version": 1}), 404, "order-not-found")
        await problem(await internal.post(f"/order/fail/{order_id}", json=failure), 404, "order-not-found")


async def test_orders_are_listed_newest_first_page_by_page(api: Api) -> None:
    ids = [(await place(api, body(("123", 1))))["id"] for _ in range(5)]
    await api.delete(f"/orders/{ids[1]}")
    first = await (await api.get("/orders", params={"limit": "2"})).json()
    second = await (await api.get("/orders", params={"limit": "2", "after": first["next"]})).json()
    third = await (await api.get("/orders", params={"limit": "2", "after": second["next"], "status": ""})).json()
    pages = (first, second, third)
    assert [order["id"] for page in pages for order in page["orders"]] == ids[::-1]
    assert third["next"] is None
    cancelled = await (await api.get("/orders?status=CANCELLED&limit=&after=")).json()
    assert [order["id"] for order in cancelled["orders"]] == [ids[1]]


async def test_wrong_query_is_refused(api: Api) -> None:
    for query in ("limit=0", "limit=201", "limit=x", "status=OPEN", f"after={2**63}", "page=2"):
        refusal = await problem(await api.get(f"/orders?{query}"), 422)
        assert refusal["errors"][0]["pointer"] == f"/{query.partition('=')[0]}"


async def test_order_gets_other_items(api: Api) -> None:
    order = await place(api)
    response = await api.put(f"/orders/{order['id']}", json=body(("456", 3)), headers={"If-Match": '"1"'})
    amended = await response.json()
    assert (response.status, response.headers["ETag"]) == (200, '"2"')
    assert (amended["version"], amended["status"], amended["createdAt"]) == (2, "CREATED", order["createdAt"])
    assert [(item["productId"], item["quantity"]) for item in amended["orderItems"]] == [("456", 3)]
    assert await (await api.get(f"/orders/{order['id']}")).json() == amended


async def test_lost_version_is_neither_amended_nor_cancelled(api: Api) -> None:
    order = await place(api)
    for tag in ('"2"', 'W/"1"', '"x"', "1"):
        await problem(await api.put(f"/orders/{order['id']}", json=TWO, headers={"If-Match": tag}), 412, "version-lost")
        await problem(await api.delete(f"/orders/{order['id']}", headers={"If-Match": tag}), 412, "version-lost")
    assert await (await api.get(f"/orders/{order['id']}")).json() == order


async def test_other_items_are_refused_as_in_a_new_order(api: Api, outage: asyncio.Event) -> None:
    path = f"/orders/{(await place(api))['id']}"
    await problem(await api.put(path, json=body(("999", 1))), 422, "unknown-product")
    await problem(await api.put(path, json=body(("123", 6))), 409, "short-stock")
    await problem(await api.put(path, json=body()), 422, "invalid")
    outage.set()
    await problem(await api.put(path, json=TWO), 503)
    assert (await (await api.get(path)).json())["version"] == 1


async def test_order_is_cancelled_and_stays_so(api: Api, internal: ClientSession) -> None:
    order = await place(api)
    path = f"/orders/{order['id']}"
    response = await api.delete(path)
    cancelled = await response.json()
    assert response.status == 200
    assert cancelled == order | {"status": "CANCELLED", "updatedAt": cancelled["updatedAt"]}
    again = await api.delete(path)
    assert (again.status, await again.json()) == (200, cancelled)
    await problem(await api.put(path, json=TWO), 409, "order-state")
    refusal = await internal.post(f"/order/close/{order['id']}", json={"version": 1})
    assert (await problem(refusal, 409, "order-state"))["errors"][0]["status"] == "CANCELLED"


async def test_order_is_closed_once_for_ever(api: Api, internal: ClientSession) -> None:
    order_id = (await place(api))["id"]
    for _ in range(2):
        response = await internal.post(f"/order/close/{order_id}", json={"version": 1})
        assert (response.status, await response.json()) == (200, {"id": order_id, "status": "CLOSED"})
    await problem(await internal.post(f"/order/close/{order_id}", json={"version": 2}), 409, "order-version")
    failure = {"version": 1, "reason": "gone"}
    await problem(await internal.post(f"/order/fail/{order_id}", json=failure), 409, "order-state")
    await problem(await api.delete(f"/orders/{order_id}"), 409, "order-state")
    await problem(await api.put(f"/orders/{order_id}", json=TWO), 409, "order-state")


async def test_failed_order_says_why(api: Api, internal: ClientSession) -> None:
    order_id = (await place(api))["id"]
    for reason in ("123 is out of stock", "told again"):
        response = await internal.post(f"/order/fail/{order_id}", json={"version": 1, "reason": reason})
        assert (response.status, await response.json()) == (200, {"id": order_id, "status": "FAILED"})
    order = await (await api.get(f"/orders/{order_id}")).json()
    assert (order["status"], order["failureReason"]) == ("FAILED", "123 is out of stock")
    await problem(await internal.post(f"/order/close/{order_id}", json={"version": 1}), 409, "order-state")


async def test_older_version_is_not_closed(api: Api, internal: ClientSession) -> None:
    order_id = (await place(api))["id"]
    await api.put(f"/orders/{order_id}", json=TWO)
    refusal = await problem(await internal.post(f"/order/close/{order_id}", json={"version": 1}), 409, "order-version")
    assert (refusal["errors"][0]["version"], refusal["errors"][0]["status"]) == (2, "CREATED")
    assert (await internal.post(f"/order/close/{order_id}", json={"version": 2})).status == 200


async def test_only_the_services_themselves_end_orders(api: Api) -> None:
    order_id = (await place(api))["id"]
    for path in (f"/order/close/{order_id}", f"/order/fail/{order_id}"):
        await problem(await api.post(path, json={"version": 1}), 401)
        await problem(await api.post(path, json={"version": 1}, headers={"Authorization": "Bearer wrong"}), 403)
    assert (await (await api.get(f"/orders/{order_id}")).json())["status"] == "CREATED"


async def test_invalid_ends_are_refused(api: Api, internal: ClientSession) -> None:
    order_id = (await place(api))["id"]
    for document in ({}, {"version": "1"}, {"version": 0}, {"version": 1, "more": 1}):
        await problem(await internal.post(f"/order/close/{order_id}", json=document), 422)
    for failure in ({"version": 1}, {"reason": "gone"}, {"version": 1, "reason": ""}, {"version": 1, "reason": "\0"}):
        await problem(await internal.post(f"/order/fail/{order_id}", json=failure), 422)
