"""Orders in PostgreSQL: every method is one statement, and one statement is one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service_common.observability import current_trace
from service_common.postgres import Database, Row, load_statements

from .domain import Order, OrderItem, OrderLine, OrderStatus, PlaceOrder
from .ports import Change, Placement

__all__ = ["MIGRATIONS", "Queues", "SqlOrders"]

MIGRATIONS = ("service_common.outbox.migrations", "order_contracts.migrations", "order_service.migrations")


@dataclass(frozen=True, slots=True)
class Queues:
    """Where events go, by the names of the queues."""

    processing: str
    notification: str


class SqlOrders:
    """An OrderRepository, and the LateOrders among them; what is announced goes into the outbox with the change."""

    def __init__(self, database: Database, queues: Queues) -> None:
        self._database = database
        self._sql = load_statements("order_service")
        self._queues = queues
        self._both = [queues.processing, queues.notification]

    async def place(self, command: PlaceOrder) -> Placement:
        """Store a new order, unless one is stored under the same idempotency key."""
        key = command.idempotency_key
        row = await self._database.fetch_one(
            self._sql["place_order"],
            {
                **_columns(command.lines),
                **self._announcement(self._both),
                "key": key,
                "request_hash": None if key is None else command.request_hash,
            },
        )
        if row is None:
            raise LookupError(f"the order under the key {key} is gone")
        return _placement(row)

    async def find_placement(self, idempotency_key: str) -> Placement | None:
        """Return what is known of the order that was placed under *idempotency_key*."""
        row = await self._database.fetch_one(self._sql["find_placement"], (idempotency_key,))
        return None if row is None else _placement(row)

    async def find(self, order_id: int) -> Order | None:
        """Return the order."""
        row = await self._database.fetch_one(self._sql["find_order"], (order_id,))
        return None if row is None else _order(row)

    async def page(self, *, status: OrderStatus | None, after: int | None, limit: int) -> Sequence[Order]:
        """Return at most *limit* orders, newest first, those with a lower id than *after*."""
        rows = await self._database.fetch(
            self._sql["page_of_orders"], {"status": status and status.value, "after": after, "limit": limit}
        )
        return [_order(row) for row in rows]

    async def amend(self, order_id: int, lines: Sequence[OrderLine], expected_version: int | None) -> Change | None:
        """Replace the items."""
        return await self._change(
            "amend_order",
            {
                "order_id": order_id,
                "expected_version": expected_version,
                **_columns(lines),
                **self._announcement(self._both),
            },
        )

    async def cancel(self, order_id: int, expected_version: int | None) -> Change | None:
        """Give the order up."""
        return await self._change(
            "cancel_order",
            {
                "order_id": order_id,
                "expected_version": expected_version,
                **self._announcement([self._queues.notification]),
            },
        )

    async def settle(self, order_id: int, version: int, status: OrderStatus, reason: str | None) -> Change | None:
        """End the order as CLOSED, or as FAILED for *reason*."""
        return await self._change(
            "settle_order", {"order_id": order_id, "version": version, "status": status.value, "reason": reason}
        )

    async def announce_late(self, *, after_s: float, limit: int) -> Sequence[int]:
        """Announce at most *limit* late orders to the processing queue again and return their ids."""
        rows = await self._database.fetch(
            self._sql["announce_late_orders"],
            {"destination": self._queues.processing, "after_s": after_s, "limit": limit},
        )
        return [order_id for (order_id,) in rows]

    async def _change(self, statement: str, parameters: Mapping[str, Any]) -> Change | None:
        row = await self._database.fetch_one(self._sql[statement], parameters)
        return None if row is None else Change(applied=row[0], order=_order(row[1:]))

    def _announcement(self, destinations: Sequence[str]) -> dict[str, Any]:
        trace = current_trace()
        return {"destinations": destinations, "traceparent": trace.traceparent if trace else None}


def _columns(lines: Sequence[OrderLine]) -> dict[str, Any]:
    return {
        "product_ids": [line.product_id for line in lines],
        "quantities": [line.quantity for line in lines],
    }


def _placement(row: Row) -> Placement:
    made, request_hash, order_id, item_ids, at = row
    return Placement(made, None if request_hash is None else bytes(request_hash), order_id, tuple(item_ids), at)


def _order(row: Row) -> Order:
    order_id, version, status, failure_reason, created_at, updated_at, item_ids, product_ids, quantities = row
    items = zip(item_ids, product_ids, quantities, strict=True)
    return Order(
        id=order_id,
        version=version,
        status=OrderStatus(status),
        created_at=created_at,
        updated_at=updated_at,
        items=tuple(OrderItem(*item) for item in items),
        failure_reason=failure_reason,
    )
