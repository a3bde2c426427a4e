"""What customers do in a simulation: place, amend and cancel orders, repeat keys; and what they were told."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

from tests.simulation.deployment import QUEUES, Deployment
from tests.simulation.http import SimulatedSession

__all__ = ["NAMES", "PRODUCTS", "Customers"]

NAMES = ("alice", "bob")
PRODUCTS = {"hot": 12, "rare": 3, "many": 1000}
ANSWER_LIMIT_S = 8.0
PAUSE_S = 1.0
POISON = ('{"not": "an event"}', "not JSON", '{"specversion": "1.0", "type": "order-created"}')


@dataclass
class Customers:
    """The customers of one run.

    Attributes:
        accepted: the order of each idempotency key whose request was answered with 201.
        cancelled: orders whose cancellation was answered with 200.
        amended: the greatest version of each order that an amendment was answered with.
        refused: keys that were answered finally by another status.
        poison: bodies of messages that no consumer can read.
        problems: answers that must not be.
    """

    deployment: Deployment
    accepted: dict[str, int] = field(default_factory=dict)
    cancelled: set[int] = field(default_factory=set)
    amended: dict[int, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    poison: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    async def act(self, within_s: float) -> None:
        """Do everything, spread over *within_s* seconds; requests without an answer are repeated until there is one."""
        decisions = self.deployment.world.decisions
        count = 2 + decisions.below("orders", 7)
        acts = [
            self._order(f"key-{number}", NAMES[number % len(NAMES)], decisions.uniform("begin", 0.0, within_s))
            for number in range(count)
            if decisions.happens(f"order {number}", 1.0)
        ]
        acts += [
            self._poison(queue, decisions.uniform("poison", 0.0, within_s))
            for queue in QUEUES
            if decisions.happens(f"poison {queue}", 0.15)
        ]
        await asyncio.gather(*acts)

    async def _order(self, key: str, name: str, begin_s: float) -> None:
        decisions = self.deployment.world.decisions
        await asyncio.sleep(begin_s)
        items = self._items(key)
        copies = 1 + decisions.happens(f"{key} twice", 0.15)
        answers = await asyncio.gather(*(self._place(key, name, items) for _ in range(copies)))
        order_ids = {order_id for order_id in answers if order_id is not None}
        if len(order_ids) > 1:
            self.problems.append(f"I2: {key} was answered with the orders {sorted(order_ids)}")
        for order_id in order_ids:
            if decisions.happens(f"{key} amended", 0.45):
                await asyncio.sleep(decisions.uniform("consider", 0.0, 0.6))
                await self._amend(order_id, name, self._items(key))
            if decisions.happens(f"{key} cancelled", 0.35):
                await asyncio.sleep(decisions.uniform("consider", 0.0, 0.6))
                await self._cancel(order_id, name)

    def _items(self, key: str) -> list[dict[str, Any]]:
        decisions = self.deployment.world.decisions
        products = [product for product in PRODUCTS if decisions.below(f"{key} buys {product}", 2)] or ["hot"]
        return [{"productId": product, "quantity": 1 + decisions.below("quantity", 4)} for product in products]

    async def _place(self, key: str, name: str, items: list[dict[str, Any]]) -> int | None:
        headers = {"Idempotency-Key": key, "X-Customer": name}
        status, order = await self._until_answered("POST", "/orders", {"orderItems": items}, headers)
        if status == 201:
            self.accepted.setdefault(key, order["id"])
            if self.accepted[key] != order["id"]:
                self.problems.append(f"I2: {key} was answered with the orders {self.accepted[key]} and {order['id']}")
            return int(order["id"])
        if status not in {409, 422}:
            self.problems.append(f"{key} was answered {status}")
        self.refused.add(key)
        return None

    async def _amend(self, order_id: int, name: str, items: list[dict[str, Any]]) -> None:
        status, order = await self._once("PUT", f"/orders/{order_id}", {"orderItems": items}, {"X-Customer": name})
        if status == 200:
            self.amended[order_id] = order["version"]

    async def _cancel(self, order_id: int, name: str) -> None:
        status, _ = await self._until_answered("DELETE", f"/orders/{order_id}", None, {"X-Customer": name})
        if status == 200:
            self.cancelled.add(order_id)

    async def _poison(self, queue: str, begin_s: float) -> None:
        await asyncio.sleep(begin_s)
        body = self.deployment.world.decisions.choice("which poison", POISON)
        queues = self.deployment.queues
        if not queues.queues[queue].missing_until > self.deployment.world.loop.time():
            queues.put(queues.queues[queue], body, {})
            self.poison.append(queue)

    async def _until_answered(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        while True:
            status, document = await self._once(method, path, body, headers)
            if status and status < 500 and "unreadable" not in document:
                return status, document
            await asyncio.sleep(PAUSE_S)

    async def _once(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        """Send a request to a replica of the order service; status 0 when no answer of the service came."""
        world = self.deployment.world
        base = world.decisions.choice("replica", self.deployment.urls("order").split(","))
        data = None if body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": "application/json"}
        try:
            async with asyncio.timeout(ANSWER_LIMIT_S):
                session = SimulatedSession(world, {})
                answer = await session.request(method, URL(base) / path[1:], data=data, headers={**headers, **kind})
                document = json.loads(await answer.read())
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            world.note("customer", f"{method} {path} {headers.get('Idempotency-Key', '')}: {type(error).__name__}")
            return 0, {}
        world.note(
            "customer", f"{method} {path} {headers.get('Idempotency-Key', '')}: {answer.status} {_gist(document)}"
        )
        if answer.status == 500 and not world.has("database error unforeseen"):
            self.problems.append(f"{method} {path} was answered 500")
        own = "traceId" in document or ("id" in document and "status" in document)
        return (answer.status, document) if own else (0, {})


def _gist(document: Any) -> str:
    if not isinstance(document, dict):
        return ""
    return " ".join(str(document[name]) for name in ("id", "version", "status", "title", "detail") if name in document)
