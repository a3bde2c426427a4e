"""The ways that an order can go, each walked by a customer who insists on an answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
import orjson

from tests.support.events import Queues, event
from tests.support.http_service import Answer
from tests.support.load import Ledger
from tests.support.system import System
from tests.support.waiting import eventually

__all__ = ["WAYS", "Customer", "Way"]

ANSWERED_WITHIN_S = 300.0
ANSWER_LIMIT_S = 10.0
QUEUES = ("processing-queue", "notification-queue")
PLENTY = 1_000_000
# more than a batch of SQS
MANY = 12


class Customer:
    """Asks the order service until it answers, and writes what it is told into the ledger."""

    def __init__(self, system: System, ledger: Ledger, queues: Queues) -> None:
        self._system = system
        self._ledger = ledger
        self._queues = queues

    async def product(self, stock: int) -> str:
        """Return a new product; the inventory service may be away for a while."""
        product = uuid.uuid4().hex
        await self._insist("inventory", "POST", "/inventory", {"productId": product, "stock": stock})
        self._ledger.stocked[product] = stock
        return product

    async def place(self, items: Mapping[str, int], key: str | None = None) -> dict[str, Any] | None:
        """Place an order and return the answer; None when it was refused."""
        key = key or uuid.uuid4().hex
        self._ledger.wanted[key] = items
        answer = await self._insist("order", "POST", "/orders", _order(items), {"Idempotency-Key": key})
        if answer.status != 201:
            self._ledger.refused.add(key)
            return None
        order: dict[str, Any] = answer.json
        assert self._ledger.accepted.setdefault(key, order["id"]) == order["id"]
        return order

    async def amend(self, order_id: int, items: Mapping[str, int]) -> None:
        """Change the items of an order, unless it is too late."""
        await self._insist("order", "PUT", f"/orders/{order_id}", _order(items))

    async def cancel(self, order_id: int) -> None:
        """Cancel an order, unless it is too late."""
        if (await self._insist("order", "DELETE", f"/orders/{order_id}")).status == 200:
            self._ledger.cancelled.add(order_id)

    async def deliver_again(self, order: Mapping[str, Any]) -> None:
        """Have SQS deliver the creation of an order a second time, after its saga has ended."""

        async def ended() -> bool | None:
            sql = "SELECT count(*) FROM saga WHERE order_id = %s AND next_run_at IS NULL"
            return (await asyncio.to_thread(self._system.rows, "processing", sql, (order["id"],))) == [(1,)] or None

        await eventually(ended, f"the end of the saga of order {order['id']}", ANSWERED_WITHIN_S, every_s=0.5)
        items = [(item["productId"], item["quantity"]) for item in order["orderItems"]]
        again = orjson.dumps(event("order-created", order["id"], time=order["createdAt"], items=items)).decode()
        for queue in QUEUES:
            await self._queues.send(queue, again)

    async def follow(self, order: Mapping[str, Any]) -> None:
        """Connect for pushes about an order, over SSE and over WebSocket, until each has begun."""
        url = self._system.stack.url("notification")
        query = f"?orderId={order['id']}"

        async def connect() -> bool | None:
            try:
                async with asyncio.timeout(ANSWER_LIMIT_S), self._system.session.get(f"{url}/stream{query}") as stream:
                    await stream.content.readexactly(1)
                async with asyncio.timeout(ANSWER_LIMIT_S), self._system.session.ws_connect(f"{url}/ws{query}") as peer:
                    return (await peer.receive()).type is aiohttp.WSMsgType.TEXT or None
            except (aiohttp.ClientError, asyncio.IncompleteReadError, TimeoutError):
                return None

        await eventually(connect, f"pushes about order {order['id']}", ANSWERED_WITHIN_S)

    async def _insist(
        self, service: str, method: str, path: str, json: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        async def ask() -> Answer | None:
            try:
                timeout = aiohttp.ClientTimeout(total=ANSWER_LIMIT_S)
                answer = await self._system.call(service, method, path, json=json, headers=headers, timeout=timeout)
            except (aiohttp.ClientError, TimeoutError):
                return None
            assert answer.status < 500 or answer.status == 503, answer
            return answer if answer.status < 500 else None

        return await eventually(ask, f"an answer to {method} {path}", ANSWERED_WITHIN_S)


def _order(items: Mapping[str, int]) -> object:
    return {"orderItems": [{"productId": product, "quantity": number} for product, number in items.items()]}


async def _one_product(customer: Customer) -> None:
    await customer.place({await customer.product(PLENTY): 2})


async def _two_products(customer: Customer) -> None:
    await customer.place({await customer.product(PLENTY): 1, await customer.product(PLENTY): 3})


async def _sold_out(customer: Customer) -> None:
    """Two want the last one at the same time; both find it on the shelf, the slower one's order fails."""
    items = {await customer.product(1): 1}
    await asyncio.gather(customer.place(items), customer.place(items))


async def _amended(customer: Customer) -> None:
    items = {await customer.product(PLENTY): 1}
    if (order := await customer.place(items)) is not None:
        await customer.amend(order["id"], dict.fromkeys(items, 2))


async def _cancelled(customer: Customer) -> None:
    """The creation comes a second time to processing, where its saga had released the stock."""
    if (order := await customer.place({await customer.product(PLENTY): 1})) is not None:
        await customer.cancel(order["id"])
        await customer.deliver_again(order)


async def _repeated(customer: Customer) -> None:
    """The same key twice at once, and again when there is no stock left; the event comes again, too."""
    items, key = {await customer.product(1): 1}, uuid.uuid4().hex
    placed = await asyncio.gather(customer.place(items, key), customer.place(items, key))
    if (order := placed[0]) is not None:
        await customer.deliver_again(order)
        await customer.place(items, key)


async def _followed(customer: Customer) -> None:
    if (order := await customer.place({await customer.product(PLENTY): 1})) is not None:
        await customer.follow(order)


async def _many_at_once(customer: Customer) -> None:
    items = {await customer.product(PLENTY): 1}
    await asyncio.gather(*(customer.place(items) for _ in range(MANY)))


Way = Callable[[Customer], Awaitable[None]]
WAYS: Mapping[str, Way] = {
    "one product": _one_product,
    "two products": _two_products,
    "sold out": _sold_out,
    "amended": _amended,
    "cancelled": _cancelled,
    "repeated": _repeated,
    "followed": _followed,
    "many at once": _many_at_once,
}
