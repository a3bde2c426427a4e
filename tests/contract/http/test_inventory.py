"""The inventory service keeps its wire contract, whatever is sent to it: in memory, and as it runs."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from inventory_service.seed import DEMO_PRODUCTS
from tests.support.http_service import HttpService
from tests.support.problems import JSON, nothing_stored, refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAX_STOCK = 2**31 - 1
ANY = {"If-Match": "*"}
UNROUTED = {"%ff", "a%2Fb"}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def fresh() -> str:
    return uuid.uuid4().hex


def items(**quantities: int) -> list[dict[str, Any]]:
    return [{"productId": product, "quantity": quantity} for product, quantity in quantities.items()]


async def added(inventory: HttpService, product: str, stock: int) -> str:
    answer = await inventory.call("POST", "/inventory", json={"productId": product, "stock": stock})
    assert answer.status == 201, answer
    return product


async def level(inventory: HttpService, product: str) -> int:
    return int((await inventory.call("GET", f"/inventory/{product}")).json["stock"])


@pytest_asyncio.fixture(loop_scope="session")
async def shelf(inventory: HttpService) -> str:
    """A product of this test alone, ten of it."""
    return await added(inventory, fresh(), 10)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/productId"),
        ({"productId": "a"}, "/stock"),
        ({"productId": "a", "stock": -1}, "/stock"),
        ({"productId": "a", "stock": MAX_STOCK + 1}, "/stock"),
        ({"productId": "a", "stock": 2**64}, "/stock"),
        ({"productId": "a", "stock": 1.0}, "/stock"),
        ({"productId": "a", "stock": "1"}, "/stock"),
        ({"productId": "a", "stock": True}, "/stock"),
        ({"productId": "a", "stock": None}, "/stock"),
        ({"productId": "", "stock": 1}, "/productId"),
        ({"productId": ".", "stock": 1}, "/productId"),
        ({"productId": "..", "stock": 1}, "/productId"),
        ({"productId": "a" * 65, "stock": 1}, "/productId"),
        ({"productId": "a\0", "stock": 1}, "/productId"),
        ({"productId": "a/b", "stock": 1}, "/productId"),
        ({"productId": "a\n", "stock": 1}, "/productId"),
        ({"stock": 1}, "/productId"),
        ({"productId": 1, "stock": 1}, "/productId"),
        ({"productId": "a", "stock": 1, "version": 7}, "/version"),
    ],
)
async def test_product_that_can_not_be_is_refused(inventory: HttpService, body: object, pointer: str) -> None:
    async with nothing_stored(inventory):
        problem = refused(await inventory.call("POST", "/inventory", json=body), 422, "invalid")
    assert pointer in {error["pointer"] for error in problem["errors"]}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/inventory"),
        ("PUT", "/inventory/123"),
        ("POST", "/inventory/decrement"),
        ("POST", "/inventory/decrement/123"),
        ("POST", "/inventory/release"),
        ("POST", "/inventory/forget"),
    ],
)
async def test_body_is_a_json_object_that_says_so(inventory: HttpService, method: str, path: str) -> None:
    headers = {**ANY, **inventory.credentials(path)}
    async with nothing_stored(inventory):
        for body, content_type, status in (
            (b"{", "application/json", 400),
            (b"[]", "application/json", 400),
            (b"{}", "text/plain", 415),
            (b'{"a":"' + b"x" * 2**18 + b'"}', "application/json", 413),
            (b"{}", "application/json", 422),
            (rb'{"operationId":"\ud800"}', "application/json", 400),
        ):
            answer = await inventory.call(method, path, data=body, headers={**headers, "Content-Type": content_type})
            refused(answer, status)


async def test_list_of_stock_is_answered_again_when_it_has_changed(inventory: HttpService, shelf: str) -> None:
    path = f"/inventory?productId={shelf}"
    first = await inventory.call("GET", path)
    tag = first.headers["ETag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await inventory.call("GET", path, headers={"If-None-Match": given})
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", tag)
    assert (await inventory.call("GET", path, headers={"If-None-Match": '"other"'})).json == first.json
    await inventory.call("PUT", f"/inventory/{shelf}", json={"stock": 77}, headers=ANY)
    changed = await inventory.call("GET", path, headers={"If-None-Match": tag})
    assert (changed.status, changed.json["items"][0]["stock"]) == (200, 77)
    assert changed.headers["ETag"] != tag


async def test_each_demo_product_has_a_description(inventory: HttpService) -> None:
    catalogue = (await inventory.call("GET", "/products?limit=200")).json["products"]
    described = {each["productId"]: each for each in catalogue}
    assert described.keys() == {product_id for product_id, _ in DEMO_PRODUCTS}
    assert described["coffee-mug"]["price"] == {"minorUnits": 1290, "currency": "EUR"}
    page = (await inventory.call("GET", "/products?limit=1&after=124")).json
    assert ([each["productId"] for each in page["products"]], page["next"]) == (["125"], "125")


async def test_product_is_put_in_once(inventory: HttpService) -> None:
    product = fresh()
    new = await inventory.call("POST", "/inventory", json={"productId": product, "stock": 0})
    assert (new.status, new.headers["ETag"]) == (201, '"1"')
    assert new.headers["Location"] == f"/inventory/{product}"
    assert (new.json["productId"], new.json["stock"], new.json["version"]) == (product, 0, 1)
    async with nothing_stored(inventory):
        again = await inventory.call("POST", "/inventory", json={"productId": product, "stock": 5})
        refused(again, 409, "product-exists")
    found = await inventory.call("GET", f"/inventory/{product}")
    assert (found.status, found.headers["ETag"], found.json) == (200, '"1"', new.json)
    assert found.json.keys() == {"productId", "stock", "version", "lastUpdate"}
    assert MOMENT.fullmatch(found.json["lastUpdate"])


async def test_stock_goes_up_to_the_greatest(inventory: HttpService, shelf: str) -> None:
    path = f"/inventory/{shelf}"
    changed = await inventory.call("PUT", path, json={"stock": MAX_STOCK}, headers=ANY)
    assert (changed.status, changed.json["stock"]) == (200, MAX_STOCK)
    for stock in (MAX_STOCK + 1, -8):
        refused(await inventory.call("PUT", path, json={"stock": stock}, headers=ANY), 422, "invalid")
    assert (await inventory.call("POST", "/inventory", json={"productId": fresh(), "stock": MAX_STOCK})).status == 201


async def test_of_writers_at_the_same_version_one_wins(inventory: HttpService, shelf: str) -> None:
    path, tag = f"/inventory/{shelf}", {"If-Match": '"1"'}
    answers = await asyncio.gather(
        *(inventory.call("PUT", path, json={"stock": 100 + n}, headers=tag) for n in range(10))
    )
    assert sorted(answer.status for answer in answers) == [200, *[412] * 9]
    (winner,) = [answer for answer in answers if answer.status == 200]
    assert winner.headers["ETag"] == '"2"'
    found = await inventory.call("GET", path)
    assert (found.json, found.headers["ETag"]) == (winner.json, '"2"')
    for answer in answers:
        if answer is not winner:
            refused(answer, 412, "version-lost")


@pytest.mark.parametrize("tag", ['"7"', 'W/"1"', "1", '"abc"', '""', '"-1"', '"' + "9" * 30 + '"'])
async def test_change_at_a_version_that_is_not_there_has_lost(inventory: HttpService, shelf: str, tag: str) -> None:
    path = f"/inventory/{shelf}"
    changed = await inventory.call("PUT", path, json={"stock": 1}, headers={"If-Match": tag})
    refused(changed, 412, "version-lost")
    refused(await inventory.call("DELETE", path, headers={"If-Match": tag}), 412, "version-lost")
    assert await level(inventory, shelf) == 10


@pytest.mark.parametrize("headers", [{}, {"If-Match": ""}], ids=["none", "empty"])
async def test_change_without_a_version_is_refused(inventory: HttpService, shelf: str, headers: dict[str, str]) -> None:
    path = f"/inventory/{shelf}"
    answer = await inventory.call("PUT", path, json={"stock": 1}, headers=headers)
    refused(answer, 428, "version-required")
    assert await level(inventory, shelf) == 10


async def test_product_that_was_taken_out_is_gone_and_its_versions_do_not_return(
    inventory: HttpService, shelf: str
) -> None:
    path = f"/inventory/{shelf}"
    removed = await inventory.call("DELETE", path)
    assert (removed.status, removed.json, removed.body) == (204, None, b"")
    for method in ("GET", "DELETE", "PUT"):
        answer = await inventory.call(method, path, json={"stock": 1}, headers=ANY)
        refused(answer, 404, "product-not-found")
    back = await inventory.call("POST", "/inventory", json={"productId": shelf, "stock": 3})
    assert back.json["version"] == 2


@pytest.mark.parametrize(
    "product", ["nobody-has", "a" * 65, "%00", "a%2Fb", "%F0%9F%98%80", "%ff", "1%0a", "no%20id", "%E2%82%AC"]
)
async def test_product_that_is_not_there_is_not_found(inventory: HttpService, product: str) -> None:
    for method in ("GET", "DELETE", "PUT"):
        for headers in (ANY, {"If-Match": '"1"'}):
            answer = await inventory.call(method, f"/inventory/{product}", json={"stock": 1}, headers=headers)
            refused(answer, 404, None if product in UNROUTED else "product-not-found")


async def test_pages_hold_every_product_once(inventory: HttpService) -> None:
    new = {await added(inventory, fresh(), number) for number in range(7)}
    seen: list[str] = []
    query = ""
    while True:
        page = (await inventory.call("GET", f"/inventory?limit=3{query}")).json
        assert len(page["items"]) <= 3
        seen += [product["productId"] for product in page["items"]]
        if page["next"] is None:
            break
        query = f"&after={page['next']}"
    assert seen == sorted(set(seen))
    assert new | {"123", "sold-out"} <= set(seen)


async def test_last_full_page_says_that_it_is_the_last(inventory: HttpService) -> None:
    prefix = f"zzz-{fresh()}"
    last = [await added(inventory, f"{prefix}-{number}", 1) for number in range(3)]
    page = (await inventory.call("GET", f"/inventory?limit=3&after={prefix}")).json
    assert ([product["productId"] for product in page["items"]], page["next"]) == (last, None)


async def test_named_products_are_those_that_exist(inventory: HttpService, shelf: str) -> None:
    query = f"/inventory?productId=nobody-has&productId={shelf}&productId=123&productId={shelf}"
    found = (await inventory.call("GET", query)).json
    assert [product["productId"] for product in found["items"]] == sorted([shelf, "123"])
    assert found["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=1.5",
        "limit=x",
        "limmit=3",
        "after=%20",
        "productId=%20",
        "limit=" + "9" * 5000,
        "after=%00",
        "after=" + "a" * 65,
        "offset=3",
        "productId=",
        "productId=%00",
        "productId=123&limit=5",
        "&".join(f"productId=p{n}" for n in range(101)),
    ],
    ids=lambda query: query[:20],
)
async def test_page_that_can_not_be_is_refused(inventory: HttpService, query: str) -> None:
    refused(await inventory.call("GET", f"/inventory?{query}"), 422, "invalid")


async def test_all_items_are_taken(inventory: HttpService, shelf: str) -> None:
    other = await added(inventory, fresh(), 5)
    body = {"operationId": fresh(), "items": items(**{shelf: 4, other: 2})}
    taken = [{"productId": shelf, "stock": 6}, {"productId": other, "stock": 3}]
    answer = await inventory.internal("/inventory/decrement", body)
    assert (answer.status, answer.json) == (200, {"items": sorted(taken, key=lambda each: str(each["productId"]))})


async def test_all_items_are_taken_or_none(inventory: HttpService, shelf: str) -> None:
    other = await added(inventory, fresh(), 1)
    body = {"operationId": fresh(), "items": items(**{shelf: 4, other: 2, "sold-out": 1})}
    for _ in range(2):  # the refusal is stored, too
        problem = refused(await inventory.internal("/inventory/decrement", body), 409, "short-stock")
        told = {(each["pointer"], each["productId"], each["requested"], each["stock"]) for each in problem["errors"]}
        assert told == {("/items/1/quantity", other, 2, 1), ("/items/2/quantity", "sold-out", 1, 0)}
        await inventory.call("PUT", f"/inventory/{other}", json={"stock": 100}, headers=ANY)
    assert (await level(inventory, shelf), await level(inventory, other)) == (10, 100)


async def test_unknown_products_are_all_named(inventory: HttpService, shelf: str) -> None:
    body = {"operationId": fresh(), "items": items(**{"nobody-has-1": 1, shelf: 11, "nobody-has-2": 1})}
    problem = refused(await inventory.internal("/inventory/decrement", body), 404, "product-not-found")
    assert [(error["pointer"], error["productId"]) for error in problem["errors"]] == [
        ("/items/0/productId", "nobody-has-1"),
        ("/items/2/productId", "nobody-has-2"),
    ]
    assert await level(inventory, shelf) == 10


async def test_operation_takes_its_stock_once(inventory: HttpService, shelf: str) -> None:
    body = {"operationId": fresh(), "items": items(**{shelf: 4})}
    answers = await asyncio.gather(*(inventory.internal("/inventory/decrement", body) for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert all(answer.json == {"items": [{"productId": shelf, "stock": 6}]} for answer in answers)
    single = {"operationId": body["operationId"], "quantity": 4}
    assert (await inventory.internal(f"/inventory/decrement/{shelf}", single)).json == answers[0].json
    assert await level(inventory, shelf) == 6


async def test_decrement_of_one_product_is_refused_as_that_of_many(inventory: HttpService, shelf: str) -> None:
    short = {"operationId": fresh(), "quantity": 11}
    refused(await inventory.internal(f"/inventory/decrement/{shelf}", short), 409, "short-stock")
    unknown = {"operationId": fresh(), "quantity": 1}
    refused(await inventory.internal("/inventory/decrement/nobody-has", unknown), 404, "product-not-found")


async def test_each_operation_of_a_batch_is_answered_as_if_it_were_alone(inventory: HttpService, shelf: str) -> None:
    used = fresh()
    await inventory.internal(f"/inventory/decrement/{shelf}", {"operationId": used, "quantity": 1})
    wanted = (
        (fresh(), shelf, 4),
        (fresh(), shelf, 11),
        (fresh(), "nobody-has", 1),
        (used, shelf, 2),
        (fresh(), shelf, 5),
    )
    operations = [{"operationId": number, "items": items(**{of: many})} for number, of, many in wanted]
    answer = await inventory.internal("/inventory/decrements", {"operations": operations})
    assert answer.status == 200, answer
    assert await level(inventory, shelf) == 0
    for operation, outcome in zip(operations, answer.json["outcomes"], strict=True):
        alone = await inventory.internal("/inventory/decrement", operation)
        told = {"instance": "/inventory/decrement", "traceId": alone.json.get("traceId")}
        assert alone.json == ({**outcome["problem"], **told} if "problem" in outcome else outcome)
        assert alone.status == outcome.get("problem", {"status": 200})["status"]
    slugs = [str(each.get("problem", {}).get("type")).rpartition(":")[2] for each in answer.json["outcomes"]]
    assert slugs == ["None", "short-stock", "product-not-found", "operation-reused", "None"]


async def test_batch_of_operations_is_valid_as_a_whole(inventory: HttpService, shelf: str) -> None:
    taken = [{"operationId": fresh(), "items": items(**{shelf: 1})} for _ in range(101)]
    async with nothing_stored(inventory):
        for operations, pointer in (
            ([], "/operations"),
            (taken, "/operations"),
            ([taken[0], {**taken[1], "operationId": ""}], "/operations/1/operationId"),
            ([taken[0], {**taken[1], "items": []}], "/operations/1/items"),
        ):
            problem = refused(await inventory.internal("/inventory/decrements", {"operations": operations}), 422)
            assert [each["pointer"] for each in problem["errors"]] == [pointer]
    assert await level(inventory, shelf) == 10


async def test_operation_is_the_same_in_any_order_of_its_items(inventory: HttpService, shelf: str) -> None:
    operation, other = fresh(), await added(inventory, fresh(), 10)
    there = await inventory.internal(
        "/inventory/decrement", {"operationId": operation, "items": items(**{shelf: 1, other: 2})}
    )
    back = await inventory.internal(
        "/inventory/decrement", {"operationId": operation, "items": items(**{other: 2, shelf: 1})}
    )
    assert (there.status, back.status, back.json) == (200, 200, there.json)


async def test_operation_id_of_other_items_is_refused(inventory: HttpService, shelf: str) -> None:
    operation = fresh()
    await inventory.internal(f"/inventory/decrement/{shelf}", {"operationId": operation, "quantity": 1})
    for quantity in (2, 11):
        answer = await inventory.internal(
            "/inventory/decrement", {"operationId": operation, "items": items(**{shelf: quantity})}
        )
        refused(answer, 422, "operation-reused")
    assert await level(inventory, shelf) == 9


async def test_release_gives_back_once(inventory: HttpService, shelf: str) -> None:
    operation = {"operationId": fresh()}
    taken = {**operation, "items": items(**{shelf: 4})}
    await inventory.internal("/inventory/decrement", taken)
    answers = await asyncio.gather(*(inventory.internal("/inventory/release", operation) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert all(answer.json == {"items": [{"productId": shelf, "quantity": 4}]} for answer in answers)
    assert await level(inventory, shelf) == 10
    refused(await inventory.internal("/inventory/decrement", taken), 409, "operation-released")
    assert await level(inventory, shelf) == 10


async def test_operation_that_was_released_before_it_came_takes_nothing(inventory: HttpService, shelf: str) -> None:
    operation = {"operationId": fresh()}
    for _ in range(2):
        answer = await inventory.internal("/inventory/release", operation)
        assert (answer.status, answer.json) == (200, {"items": []})
    answer = await inventory.internal(f"/inventory/decrement/{shelf}", {**operation, "quantity": 1})
    refused(answer, 409, "operation-released")
    assert await level(inventory, shelf) == 10


async def test_stock_is_never_negative_however_many_want_it(inventory: HttpService, shelf: str) -> None:
    def take() -> Any:
        return inventory.internal(f"/inventory/decrement/{shelf}", {"operationId": fresh(), "quantity": 3})

    answers = await asyncio.gather(*(take() for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [*[200] * 3, *[409] * 17]
    assert await level(inventory, shelf) == 1


async def test_stock_given_back_ends_at_the_greatest(inventory: HttpService, shelf: str) -> None:
    operation = {"operationId": fresh()}
    await inventory.internal(f"/inventory/decrement/{shelf}", {**operation, "quantity": 10})
    await inventory.call("PUT", f"/inventory/{shelf}", json={"stock": MAX_STOCK}, headers=ANY)
    assert (await inventory.internal("/inventory/release", operation)).status == 200
    assert await level(inventory, shelf) == MAX_STOCK


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.pop("operationId"),
        lambda body: body.update(operationId=""),
        lambda body: body.update(operationId="a" * 256),
        lambda body: body.update(operationId="a\0b"),
        lambda body: body.update(operationId="\u00e9"),
        lambda body: body.update(operationId=1),
        lambda body: body.pop("items"),
        lambda body: body.update(items=[]),
        lambda body: body.update(items=None),
        lambda body: body.update(items=[None]),
        lambda body: body.update(items=["a"]),
        lambda body: body.update(items=[{"productId": f"p{number}", "quantity": 1} for number in range(101)]),
        lambda body: body.update(items=body["items"] * 2),
        lambda body: body.update(items=[{}] * 50_000),
        lambda body: body["items"][0].update(quantity=0),
        lambda body: body["items"][0].update(quantity=1_000_001),
        lambda body: body["items"][0].update(quantity=1.0),
        lambda body: body["items"][0].update(price=1),
        lambda body: body.update(force=True),
    ],
)
async def test_operation_that_can_not_be_is_refused(
    inventory: HttpService, change: Callable[[dict[str, Any]], object]
) -> None:
    body = {"operationId": fresh(), "items": items(**{"123": 1})}
    change(body)
    async with nothing_stored(inventory):
        refused(await inventory.internal("/inventory/decrement", body), 422, "invalid")


@pytest.mark.parametrize(
    "path", ["/inventory/decrement", "/inventory/decrement/123", "/inventory/release", "/inventory/forget"]
)
async def test_internal_endpoint_does_nothing_for_strangers(inventory: HttpService, path: str) -> None:
    body = {"operationId": fresh(), "items": items(**{"123": 1}), "quantity": 1}
    async with nothing_stored(inventory):
        for authorization, status in ((None, 401), ("Bearer", 401), ("Basic eDp5", 401), ("Bearer other", 403)):
            headers = {} if authorization is None else {"Authorization": authorization}
            answer = await inventory.call("POST", path, json=body, headers=headers)
            refused(answer, status)
            assert answer.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
        # who may not come in learns nothing of what is inside
        refused(await inventory.call("POST", path, data=b"{", headers=JSON), 401)
