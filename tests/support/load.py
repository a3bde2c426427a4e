"""Customers: orders at a steady rate whatever becomes of the earlier ones, and a ledger of what they were told."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.support.http_service import Answer
from tests.support.system import System

__all__ = ["Customers", "Ledger"]

PATIENCE_S = 10.0
# from the last order to the end of asking for answers
INSIST_S = 60.0
MAX_PAUSE_S = 8.0
PLENTY, FEW = 1_000_000, 40
_AWAY = Answer(0, {}, None, b"")


@dataclass(slots=True)
class Ledger:
    """What the customers know.

    Attributes:
        stocked: what was put on each shelf; the first product is in half of the orders.
        wanted: Idempotency-Key to items, of every order that was ever asked for.
        accepted: Idempotency-Key to order id.
        refused: Idempotency-Keys that were answered with a refusal of the order itself.
        cancelled: orders whose cancellation was answered with 200.
        conflicts: keys that were answered with two orders: the key, and both ids.
        calls: of each key, and of each order, what was asked and answered, with the time.
        statuses: how often which status was answered; 0 is none.
    """

    stocked: dict[str, int] = field(default_factory=dict)
    wanted: dict[str, Mapping[str, int]] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    cancelled: set[int] = field(default_factory=set)
    conflicts: list[tuple[str, int, int]] = field(default_factory=list)
    calls: dict[str | int, list[tuple[float, str]]] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def unanswered(self) -> list[str]:
        """The keys of orders of which nobody said whether they were taken."""
        return [key for key in self.wanted if key not in self.accepted and key not in self.refused]


class Customers:
    """Place orders, change some and cancel some; write all of it into the ledger.

    Args:
        system: where they order, at any replica.
        ledger: what they write into.
        seed: makes what they want repeatable.
    """

    def __init__(self, system: System, ledger: Ledger, seed: int) -> None:
        self._system = system
        self._ledger = ledger
        self._chance = random.Random(seed)

    async def stock_up(self) -> None:
        """Put products on the shelves: plenty of most, too few of one."""
        for stock in (PLENTY, PLENTY, PLENTY, PLENTY, FEW):
            product = await self._system.product(uuid.uuid4().hex, stock)
            self._ledger.stocked[product] = stock

    async def order(self, rate_per_s: float, seconds: float) -> None:
        """Place orders for so long at that rate, and wait until each has an answer, or for a minute."""
        begin = time.monotonic()
        deadline = begin + seconds + INSIST_S
        async with asyncio.TaskGroup() as customers:
            for number in range(round(rate_per_s * seconds)):
                await asyncio.sleep(begin + number / rate_per_s - time.monotonic())
                customers.create_task(self._customer(deadline))

    async def ask(self, key: str) -> Answer:
        """Ask for the order with a key, maybe once more, at any replica."""
        answer = await self._call(key, "POST", "/orders", self._ledger.wanted[key], {"Idempotency-Key": key})
        if answer.status == 201:
            order_id = answer.json["id"]
            before = self._ledger.accepted.setdefault(key, order_id)
            self._ledger.calls.setdefault(order_id, self._ledger.calls[key])
            if before != order_id:
                self._ledger.conflicts.append((key, before, order_id))
        elif 400 <= answer.status < 500:
            self._ledger.refused.add(key)
        return answer

    async def _customer(self, deadline: float) -> None:
        key = uuid.uuid4().hex
        self._ledger.wanted[key] = self._basket()
        change, repeat = self._chance.random(), self._chance.random()
        other = [asyncio.create_task(self.ask(key))] if repeat < 0.1 else []
        await self.ask(key)
        pause_s = 0.5
        while key in self._ledger.unanswered and time.monotonic() < deadline:
            await asyncio.sleep(self._chance.uniform(pause_s / 2, pause_s))
            pause_s = min(2 * pause_s, MAX_PAUSE_S)
            await self.ask(key)
        await asyncio.gather(*other)
        order_id = self._ledger.accepted.get(key)
        if order_id is None:
            return
        if change < 0.15:
            await self._call(order_id, "PUT", f"/orders/{order_id}", self._basket())
        if 0.1 < change < 0.25 and (await self._call(order_id, "DELETE", f"/orders/{order_id}")).status == 200:
            self._ledger.cancelled.add(order_id)
        if repeat > 0.9:
            await self.ask(key)

    def _basket(self) -> dict[str, int]:
        *plenty, few = self._ledger.stocked
        chosen = set(self._chance.sample(plenty, self._chance.randint(1, 3)))
        if self._chance.random() < 0.5:
            chosen.add(plenty[0])
        if self._chance.random() < 0.1:
            chosen.add(few)
        return {product: self._chance.randint(1, 3) for product in sorted(chosen)}

    async def _call(
        self, subject: str | int, method: str, path: str, items: Mapping[str, int] | None = None, headers: Any = None
    ) -> Answer:
        body: Any = items and {
            "orderItems": [{"productId": each, "quantity": number} for each, number in items.items()]
        }
        replica = self._chance.randrange(self._system.stack.replicas("order"))
        began = time.time()
        try:
            answer = await self._system.call(
                "order",
                method,
                path,
                replica=replica,
                json=body,
                headers=headers or {},
                timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
            )
        except (aiohttp.ClientError, TimeoutError):
            answer = _AWAY
        self._ledger.statuses[answer.status] += 1
        told = f"{method} {path} at replica {replica + 1} for {dict(items or {})}: {answer.status or 'no answer'}"
        self._ledger.calls.setdefault(subject, []).append((began, told))
        return answer
