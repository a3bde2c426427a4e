"""The invariants I1 to I5 of the system, checked on every row that there is, over HTTP and in the databases."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from tests.support.events import Queues
from tests.support.load import Ledger
from tests.support.system import TERMINAL, System

__all__ = ["Books"]

QUEUES = ("processing-queue", "notification-queue")
ENDS = {"CLOSED": "order-processed", "FAILED": "order-failed", "CANCELLED": "order-cancelled"}
UNFINISHED = {
    "orders that are CREATED": ("orders", "SELECT count(*) FROM orders WHERE status = 'CREATED'"),
    "events that the order service did not send": ("orders", "SELECT count(*) FROM outbox_event WHERE sent_at IS NULL"),
    "sagas that are open": ("processing", "SELECT count(*) FROM saga WHERE next_run_at IS NOT NULL"),
    "events that processing did not send": ("processing", "SELECT count(*) FROM outbox_event WHERE sent_at IS NULL"),
}
ENDED = ("orders", "SELECT count(*) FROM orders WHERE status <> 'CREATED'")
TOLD = ("notifications", "SELECT count(*) FROM notification WHERE slot = -1")


@dataclass(frozen=True, slots=True)
class Order:
    """An order as its database has it."""

    id: int
    version: int
    status: str


class Books:
    """Holds what the customers were told against what the services have.

    Args:
        system: all of it; nothing else may have placed orders in it.
        ledger: what the customers were told.
    """

    def __init__(self, system: System, ledger: Ledger) -> None:
        self._system = system
        self._ledger = ledger

    async def settle(self, within_s: float) -> float:
        """Wait until nothing is under way any more and return how long that took, in seconds.

        Raises:
            AssertionError: not in time; it says what is left.
        """
        began = time.monotonic()
        while left := await self._left():
            if time.monotonic() - began > within_s:
                raise AssertionError(f"not settled within {within_s:g} s: {left}")
            await asyncio.sleep(0.1)
        return time.monotonic() - began

    async def check(self) -> None:
        """Check every invariant."""
        orders = self._orders()
        await self._check_accepted(orders)
        await self._check_stock()
        self._check_sagas(orders)
        self._check_events(orders)
        await self._check_told(orders)
        await self._check_dead_letters()

    async def _left(self) -> dict[str, int]:
        counts = {what: int(self._system.rows(*where)[0][0]) for what, where in UNFINISHED.items()}
        [[ended], [told]] = (self._system.rows(*where)[0] for where in (ENDED, TOLD))
        counts["ended orders without a terminal notification"] = ended - told
        client = self._system.sqs()
        try:
            counts |= {f"messages on {queue}": await Queues(client).waiting(queue) for queue in QUEUES}
        finally:
            client.close()
        return {what: count for what, count in counts.items() if count}

    def _orders(self) -> list[Order]:
        return [
            Order(*row) for row in self._system.rows("orders", "SELECT id, version, status FROM orders ORDER BY id")
        ]

    async def _check_accepted(self, orders: list[Order]) -> None:
        """I1 and I2: each key has one order, each order has one key, each has ended."""
        assert not self._ledger.unanswered
        by_key = dict(self._system.rows("orders", "SELECT key, order_id FROM idempotency"))
        assert by_key == self._ledger.accepted
        assert sorted(by_key.values()) == [order.id for order in orders]
        assert {order.status for order in orders} <= TERMINAL
        cancelled = {order.id for order in orders if order.status == "CANCELLED"}
        assert cancelled >= self._ledger.cancelled
        assert await self._answered() == {order.id: (order.version, order.status) for order in orders}

    async def _answered(self) -> dict[int, tuple[int, str]]:
        """Return all orders as they are answered over HTTP."""
        found: dict[int, tuple[int, str]] = {}
        query = ""
        while True:
            page = (await self._system.call("order", "GET", f"/orders?limit=200{query}")).json
            found |= {each["id"]: (each["version"], each["status"]) for each in page["orders"]}
            if page["next"] is None:
                return found
            query = f"&after={page['next']}"

    async def _check_stock(self) -> None:
        """I3: what is on the shelf and what closed orders hold is what was put in."""
        sold: Counter[str] = Counter()
        sql = "SELECT product_id, quantity FROM order_items JOIN orders ON orders.id = order_id WHERE status = 'CLOSED'"
        for product, quantity in self._system.rows("orders", sql):
            sold[product] += quantity
        shelves = dict(self._system.rows("inventory", "SELECT product_id, stock FROM inventory"))
        for product, stocked in self._ledger.stocked.items():
            assert shelves[product] >= 0
            assert shelves[product] + sold[product] == stocked, product
            assert await self._system.stock(product) == shelves[product]

    def _check_sagas(self, orders: list[Order]) -> None:
        """Each version that was processed has come to the end that the order has, or gave back what it took."""
        sagas: dict[int, dict[int, str]] = defaultdict(dict)
        for order_id, version, state in self._system.rows("processing", "SELECT order_id, version, state FROM saga"):
            sagas[order_id][version] = state
        kept = {
            operation
            for (operation,) in self._system.rows(
                "inventory", "SELECT id FROM stock_operation WHERE outcome = 'taken' AND released_at IS NULL"
            )
        }
        assert kept == {f"{order.id}:{order.version}" for order in orders if order.status == "CLOSED"}
        for order in orders:
            states = dict(sagas.pop(order.id, {}))
            last = {"CLOSED": "DONE", "FAILED": "FAILED"}.get(order.status)
            if last is not None:
                assert states.pop(order.version) == last, (order, states)
            assert set(states.values()) <= {"RELEASED"}, (order, states)
        assert not sagas

    def _check_events(self, orders: list[Order]) -> None:
        """I4: each change is in the outbox, once for each queue, and nothing else is."""
        sql = "SELECT destination, type, subject::bigint, (data->>'version')::int FROM outbox_event"
        expected = {
            (queue, "order-created" if version == 1 else "order-updated", order.id, version)
            for order in orders
            for version in range(1, order.version + 1)
            for queue in QUEUES
        } | {
            ("notification-queue", "order-cancelled", order.id, order.version)
            for order in orders
            if order.status == "CANCELLED"
        }
        assert set(self._system.rows("orders", sql)) == expected
        ended = {
            ("notification-queue", ENDS[order.status], order.id, order.version)
            for order in orders
            if order.status in {"CLOSED", "FAILED"}
        }
        assert set(self._system.rows("processing", sql)) == ended

    async def _check_told(self, orders: list[Order]) -> None:
        """I5: of each order the creation was told first and once, and its end last and once."""
        told: dict[int, list[dict[str, Any]]] = defaultdict(list)
        places: list[int] = []
        for notification in await self._history():
            told[notification["orderId"]].append(notification)
            places.append(int(notification["id"].rpartition("-")[2]))
        assert places == list(range(1, len(places) + 1))
        for order in orders:
            story = [each["type"] for each in told.pop(order.id, [])]
            changes = story.count("order-updated")
            whole = ["order-created", *["order-updated"] * changes, ENDS[order.status]]
            assert changes < order.version, (order, story)
            assert story == whole, (order, story)
        assert not told

    async def _history(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        query = ""
        while True:
            page = (await self._system.call("notification", "GET", f"/notifications?limit=200{query}")).json
            found += page["notifications"]
            if page["next"] is None:
                return found
            query = f"&after={page['next']}"

    async def _check_dead_letters(self) -> None:
        client = self._system.sqs()
        try:
            for queue in QUEUES:
                assert await Queues(client).waiting(f"{queue}-dlq") == 0, queue
        finally:
            client.close()
