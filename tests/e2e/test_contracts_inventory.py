"""The inventory service keeps its wire contract, whatever is sent to it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.support.problems import JSON, nothing_stored, refused
from tests.support.system import Answer, System

pytestmark = pytest.mark.asyncio(loop_scope="session")

MAX_STOCK = 2**31 - 1
ANY = {"If-Match": "*"}


def fresh() -> str:
    return uuid.uuid4().hex


def items(**quantities: int) -> list[dict[str, Any]]:
    return [{"productId": product, "quantity": quantity} for product, quantity in quantities.items()]


async def inside(system: System, path: str, body: object) -> Answer:
    """Ask an internal endpoint as a service does."""
    return await system.call(
        "inventory", "POST", path, json=body, headers={"Authorization": f"Bearer {system.stack.token}"}
    )


@pytest_asyncio.fixture(loop_scope="session")
async def shelf(system: System) -> str:
    """A product of this test alone, ten of it."""
    return await system.product(fresh(), 10)


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
        ({"productId": "a" * 65, "stock": 1}, "/productId"),
        ({"productId": "a\0", "stock": 1}, "/productId"),
        ({"productId": "a/b", "stock": 1}, "/productId"),
        ({"productId": 1, "stock": 1}, "/productId"),
        ({"productId": "a", "stock": 1, "version": 7}, "/version"),
    ],
)
async def test_product_that_can_not_be_is_refused(system: System, body: object, pointer: str) -> None:
    async with nothing_stored(system):
        problem = refused(await system.call("inventory", "POST", "/inventory", json=body), 422, "invalid")
    assert pointer in {error["pointer"] for error in problem["errors"]}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/inventory"),
        ("PUT", "/inventory/123"),
        ("POST", "/inventory/decrement"),
        ("POST", "/inventory/decrement/123"),
        ("POST", "/inventory/release"),
    ],
)
async def test_body_is_a_json_object_that_says_so(system: System, method: str, path: str) -> None:
    headers = {**ANY, "Authorization": f"Bearer {system.stack.token}"}
    async with nothing_stored(system):
        for body, content_type, status in (
            (b"{", "application/json", 400),
            (b"[]", "application/json", 400),
            (b"{}", "text/plain", 415),
            (b'{"a":"' + b"x" * 2**18 + b'"}', "application/json", 413),
            (b"{}", "application/json", 422),
            (rb'{"operationId":"\ud800"}', "application/json", 400),
        ):
            answer = await system.call(
                "inventory", method, path, data=body, headers={**headers, "Content-Type": content_type}
            )
            refused(answer, status)


async def test_product_is_put_in_once(system: System) -> None:
    product = fresh()
    added = await system.call("inventory", "POST", "/inventory", json={"productId": product, "stock": 0})
    assert (added.status, added.headers["ETag"]) == (201, '"1"')
    assert added.headers["Location"] == f"/inventory/{product}"
    assert (added.json["productId"], added.json["stock"], added.json["version"]) == (product, 0, 1)
    async with nothing_stored(system):
        again = await system.call("inventory", "POST", "/inventory", json={"productId": product, "stock": 5})
        refused(again, 409, "product-exists")
    assert await system.stock(product) == 0


async def test_of_writers_at_the_same_version_one_wins(system: System, shelf: str) -> None:
    path, tag = f"/inventory/{shelf}", {"If-Match": '"1"'}
    answers = await asyncio.gather(
        *(system.call("inventory", "PUT", path, json={"stock": 100 + n}, headers=tag) for n in range(10))
    )
    assert sorted(answer.status for answer in answers) == [200, *[412] * 9]
    (winner,) = [answer for answer in answers if answer.status == 200]
    assert winner.headers["ETag"] == '"2"'
    found = await system.call("inventory", "GET", path)
    assert (found.json, found.headers["ETag"]) == (winner.json, '"2"')
    for answer in answers:
        if answer is not winner:
            refused(answer, 412, "version-lost")


@pytest.mark.parametrize("tag", ['"7"', 'W/"1"', "1", '"abc"', '""', '"-1"', '"' + "9" * 30 + '"'])
async def test_change_at_a_version_that_is_not_there_has_lost(system: System, shelf: str, tag: str) -> None:
    path = f"/inventory/{shelf}"
    changed = await system.call("inventory", "PUT", path, json={"stock": 1}, headers={"If-Match": tag})
    refused(changed, 412, "version-lost")
    refused(await system.call("inventory", "DELETE", path, headers={"If-Match": tag}), 412, "version-lost")
    assert await system.stock(shelf) == 10


@pytest.mark.parametrize("headers", [{}, {"If-Match": ""}], ids=["none", "empty"])
async def test_change_without_a_version_is_refused(system: System, shelf: str, headers: dict[str, str]) -> None:
    path = f"/inventory/{shelf}"
    answer = await system.call("inventory", "PUT", path, json={"stock": 1}, headers=headers)
    refused(answer, 428, "version-required")
    assert await system.stock(shelf) == 10


async def test_product_that_was_taken_out_is_gone_and_its_versions_do_not_return(system: System, shelf: str) -> None:
    path = f"/inventory/{shelf}"
    removed = await system.call("inventory", "DELETE", path)
    assert (removed.status, removed.json) == (204, None)
    for method in ("GET", "DELETE", "PUT"):
        answer = await system.call("inventory", method, path, json={"stock": 1}, headers=ANY)
        refused(answer, 404, "unknown-product")
    back = await system.call("inventory", "POST", "/inventory", json={"productId": shelf, "stock": 3})
    assert back.json["version"] == 2


@pytest.mark.parametrize("product", ["nobody-has", "a" * 65, "%00", "a%2Fb", "%F0%9F%98%80", "%ff", "1%0a"])
async def test_product_that_is_not_there_is_not_found(system: System, product: str) -> None:
    from yarl import URL

    url = URL(f"{system.stack.url('inventory')}/inventory/{product}", encoded=True)
    for method in ("GET", "DELETE", "PUT"):
        async with system.session.request(method, url, json={"stock": 1}, headers=ANY) as response:
            refused(Answer(response.status, response.headers, await response.json(content_type=None)), 404)


async def test_pages_hold_every_product_once(system: System) -> None:
    seen: list[str] = []
    query = ""
    while True:
        page = (await system.call("inventory", "GET", f"/inventory?limit=3{query}")).json
        seen += [product["productId"] for product in page["items"]]
        if page["next"] is None:
            break
        query = f"&after={page['next']}"
    assert seen == sorted(set(seen))
    assert len(seen) == system.rows("inventory", "SELECT count(*) FROM inventory")[0][0]


async def test_named_products_are_those_that_exist(system: System, shelf: str) -> None:
    query = f"/inventory?productId=nobody-has&productId={shelf}&productId=123&productId={shelf}"
    found = (await system.call("inventory", "GET", query)).json["items"]
    assert sorted(product["productId"] for product in found) == sorted([shelf, "123"])


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=1.5",
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
async def test_page_that_can_not_be_is_refused(system: System, query: str) -> None:
    refused(await system.call("inventory", "GET", f"/inventory?{query}"), 422, "invalid")


async def test_all_items_are_taken_or_none(system: System, shelf: str) -> None:
    other = await system.product(fresh(), 1)
    body = {"operationId": fresh(), "items": items(**{shelf: 4, other: 2, "sold-out": 1})}
    for _ in range(2):  # the refusal is stored, too
        problem = refused(await inside(system, "/inventory/decrement", body), 409, "short-stock")
        told = {(each["productId"], each["requested"], each["stock"]) for each in problem["errors"]}
        assert told == {(other, 2, 1), ("sold-out", 1, 0)}
        await system.call("inventory", "PUT", f"/inventory/{other}", json={"stock": 1}, headers=ANY)
    assert (await system.stock(shelf), await system.stock(other)) == (10, 1)


async def test_unknown_products_are_all_named(system: System, shelf: str) -> None:
    body = {"operationId": fresh(), "items": items(**{"nobody-has-1": 1, shelf: 1, "nobody-has-2": 1})}
    problem = refused(await inside(system, "/inventory/decrement", body), 404, "unknown-product")
    assert {error["pointer"] for error in problem["errors"]} == {"/items/0/productId", "/items/2/productId"}
    assert await system.stock(shelf) == 10


async def test_operation_takes_its_stock_once(system: System, shelf: str) -> None:
    body = {"operationId": fresh(), "items": items(**{shelf: 4})}
    answers = await asyncio.gather(*(inside(system, "/inventory/decrement", body) for _ in range(20)))
    assert {answer.status for answer in answers} == {200}
    assert all(answer.json == {"items": [{"productId": shelf, "stock": 6}]} for answer in answers)
    single = {"operationId": body["operationId"], "quantity": 4}
    assert (await inside(system, f"/inventory/decrement/{shelf}", single)).json == answers[0].json
    assert await system.stock(shelf) == 6


async def test_operation_is_the_same_in_any_order_of_its_items(system: System, shelf: str) -> None:
    operation, other = fresh(), await system.product(fresh(), 10)
    there = await inside(
        system, "/inventory/decrement", {"operationId": operation, "items": items(**{shelf: 1, other: 2})}
    )
    back = await inside(
        system, "/inventory/decrement", {"operationId": operation, "items": items(**{other: 2, shelf: 1})}
    )
    assert (there.status, back.status, back.json) == (200, 200, there.json)


async def test_operation_id_of_other_items_is_refused(system: System, shelf: str) -> None:
    operation = fresh()
    await inside(system, f"/inventory/decrement/{shelf}", {"operationId": operation, "quantity": 1})
    for quantity in (2, 11):
        answer = await inside(
            system, "/inventory/decrement", {"operationId": operation, "items": items(**{shelf: quantity})}
        )
        refused(answer, 422, "operation-reused")
    assert await system.stock(shelf) == 9


async def test_release_gives_back_once(system: System, shelf: str) -> None:
    operation = {"operationId": fresh()}
    taken = {**operation, "items": items(**{shelf: 4})}
    await inside(system, "/inventory/decrement", taken)
    answers = await asyncio.gather(*(inside(system, "/inventory/release", operation) for _ in range(10)))
    assert {answer.status for answer in answers} == {200}
    assert await system.stock(shelf) == 10
    refused(await inside(system, "/inventory/decrement", taken), 409, "operation-released")
    assert await system.stock(shelf) == 10


async def test_operation_that_was_released_before_it_came_takes_nothing(system: System, shelf: str) -> None:
    operation = {"operationId": fresh()}
    assert (await inside(system, "/inventory/release", operation)).status == 200
    answer = await inside(system, f"/inventory/decrement/{shelf}", {**operation, "quantity": 1})
    refused(answer, 409, "operation-released")
    assert await system.stock(shelf) == 10


async def test_stock_is_never_negative_however_many_want_it(system: System, shelf: str) -> None:
    def take() -> Any:
        return inside(system, f"/inventory/decrement/{shelf}", {"operationId": fresh(), "quantity": 3})

    answers = await asyncio.gather(*(take() for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [*[200] * 3, *[409] * 17]
    assert await system.stock(shelf) == 1


async def test_stock_can_be_given_back_on_top_of_the_greatest(system: System, shelf: str) -> None:
    operation = {"operationId": fresh()}
    await inside(system, f"/inventory/decrement/{shelf}", {**operation, "quantity": 10})
    await system.call("inventory", "PUT", f"/inventory/{shelf}", json={"stock": MAX_STOCK}, headers=ANY)
    assert (await inside(system, "/inventory/release", operation)).status == 200
    assert await system.stock(shelf) == MAX_STOCK + 10


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
        lambda body: body.update(items=body["items"] * 2),
        lambda body: body.update(items=[{}] * 50_000),
        lambda body: body["items"][0].update(quantity=0),
        lambda body: body["items"][0].update(quantity=1_000_001),
        lambda body: body["items"][0].update(quantity=1.0),
        lambda body: body["items"][0].update(price=1),
        lambda body: body.update(force=True),
    ],
)
async def test_operation_that_can_not_be_is_refused(system: System, change: Callable[[dict[str, Any]], object]) -> None:
    body = {"operationId": fresh(), "items": items(**{"123": 1})}
    change(body)
    async with nothing_stored(system):
        refused(await inside(system, "/inventory/decrement", body), 422, "invalid")


@pytest.mark.parametrize("path", ["/inventory/decrement", "/inventory/decrement/123", "/inventory/release"])
async def test_internal_endpoint_does_nothing_for_strangers(system: System, path: str) -> None:
    body = {"operationId": fresh(), "items": items(**{"123": 1}), "quantity": 1}
    async with nothing_stored(system):
        for authorization, status in ((None, 401), ("Bearer", 401), ("Basic eDp5", 401), ("Bearer other", 403)):
            headers = {} if authorization is None else {"Authorization": authorization}
            answer = await system.call("inventory", "POST", path, json=body, headers=headers)
            refused(answer, status)
            assert answer.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
        # who may not come in learns nothing of what is inside
        refused(await system.call("inventory", "POST", path, data=b"{", headers=JSON), 401)
