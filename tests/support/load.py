"""Customers: orders at a steady rate whatever becomes of the earlier ones, and a ledger of what they were told."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import aiohttp

from tests.support.http_service import Answer
from tests.support.system import System
from tests.support.waiting import eventually

__all__ = ["Customers", "Ledger"]

PATIENCE_S = 10.0
ANSWERED_WITHIN_S = 60.0
_AWAY = Answer(0, {}, None, b"")


@dataclass(slots=True)
class Ledger:
    """What the customers know.

    Attributes:
        stocked: what was put on each shelf.
        wanted: Idempotency-Key to items, of every order that was ever asked for.
        accepted: Idempotency-Key to order id.
        refused: Idempotency-Keys that were answered with a refusal of the order itself.
        cancelled: orders whose cancellation was answered with 200.
        statuses: how often which status was answered to a new order; 0 is none.
    """

    stocked: dict[str, int] = field(default_factory=dict)
    wanted: dict[str, Mapping[str, int]] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    cancelled: set[int] = field(default_factory=set)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def unanswered(self) -> list[str]:
        """The keys of orders of which nobody said whether they were taken."""
        return [key for key in self.wanted if key not in self.accepted and key not in self.refused]


class Customers:
    """Place orders, change some and cancel some; write all of it into the ledger.

    Args:
        system: where they order.
        ledger: what they write into.
        seed: makes what they want repeatable.
    """

    def __init__(self, system: System, ledger: Ledger, seed: int = 1) -> None:
        self._system = system
        self._ledger = ledger
        self._chance = random.Random(seed)
        self._products: list[str] = []

    async def stock_up(self) -> None:
        """Put products on the shelves: plenty of some, too little of one."""
        for stock in (1_000_000, 1_000_000, 1_000_000, 25):
            product = await self._system.product(uuid.uuid4().hex, stock)
            self._ledger.stocked[product] = stock
            self._products.append(product)

    async def order(self, rate_per_s: float, seconds: float) -> None:
        """Place orders for so long at that rate and wait for the last answer."""
        begin = time.monotonic()
        async with asyncio.TaskGroup() as customers:
            for number in range(int(rate_per_s * seconds)):
                await asyncio.sleep(begin + number / rate_per_s - time.monotonic())
                customers.create_task(self._customer())

    async def insist(self) -> None:
        """Ask again, with the same key, for every order that has no answer, until it has one."""
        for key in self._ledger.unanswered:

            async def ask(key: str = key) -> bool | None:
                await self._ask(key)
                return key not in self._ledger.unanswered or None

            await eventually(ask, f"an answer to the order with the key {key}", ANSWERED_WITHIN_S)

    async def _customer(self) -> None:
        key = uuid.uuid4().hex
        self._ledger.wanted[key] = self._basket()
        change = self._chance.random()
        await self._ask(key)
        order_id = self._ledger.accepted.get(key)
        if order_id is not None and change < 0.1:
            if (await self._call("DELETE", f"/orders/{order_id}")).status == 200:
                self._ledger.cancelled.add(order_id)
        elif order_id is not None and change < 0.2:
            body = {"orderItems": [{"productId": self._products[0], "quantity": 7}]}
            await self._call("PUT", f"/orders/{order_id}", json=body)

    def _basket(self) -> dict[str, int]:
        chosen = self._chance.sample(self._products, self._chance.randint(1, 2))
        return {product: self._chance.randint(1, 3) for product in chosen}

    async def _ask(self, key: str) -> None:
        basket = self._ledger.wanted[key]
        body = {"orderItems": [{"productId": product, "quantity": number} for product, number in basket.items()]}
        answer = await self._call("POST", "/orders", json=body, headers={"Idempotency-Key": key})
        self._ledger.statuses[answer.status] += 1
        if answer.status == 201:
            self._ledger.accepted[key] = answer.json["id"]
        elif 400 <= answer.status < 500:
            self._ledger.refused.add(key)

    async def _call(self, method: str, path: str, **options: object) -> Answer:
        try:
            timeout = aiohttp.ClientTimeout(total=PATIENCE_S)
            return await self._system.call("order", method, path, timeout=timeout, **options)  # type: ignore[arg-type]
        except (aiohttp.ClientError, TimeoutError):
            return _AWAY
