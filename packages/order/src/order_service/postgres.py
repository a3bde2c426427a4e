"""Orders in PostgreSQL: each method is one statement, which is one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from order_contracts import Item
from service_common.call_batcher import CallBatcher
from service_common.errors import BusyError
from service_common.observability import current_trace, span
from service_common.paging import ListPage, PageRequest
from service_common.postgres import STATEMENT_SPAN, Database, Row, load_statements
from service_common.scope import ANONYMOUS, Scope

from .domain import ChangedOrder, ChangePosition, Order, OrderFilter, OrderItem, OrderStatus, PlaceOrder
from .ports import Change, Placement

__all__ = ["MIGRATIONS", "SqlOrders", "page_parameters"]

_Settlement: TypeAlias = Mapping[str, Any]

MIGRATIONS = ("service_common.outbox.migrations", "order_contracts.migrations", "order_service.migrations")


# the most ids that a read looks up: further filters may match few of them
IDS_PER_READ = 2_000


class _LockedError(Exception):
    """Another transaction holds the order."""


class SqlOrders:
    """An `OrderRepository` and `LateOrders` on PostgreSQL; each change writes its events to the outbox.

    One statement settles orders that are settled at the same time. It waits for no order that another transaction
    holds: those have a statement each.
    """

    def __init__(
        self,
        database: Database,
        *,
        processing_queue: str,
        notification_queue: str,
        subscriber_queues: Sequence[str] = (),
    ) -> None:
        self._database = database
        self._sql = load_statements(__package__)
        self._processing_queue = processing_queue
        self._to_all = (notification_queue, *subscriber_queues)
        self._settlements = CallBatcher[_Settlement, Change | None](
            self._settle_free, name="settle_free_orders", **STATEMENT_SPAN
        )

    async def place(self, command: PlaceOrder) -> Placement:
        """Store a new order, or return the placement under the same idempotency key."""
        key = command.stored_key
        with span("place_order", **STATEMENT_SPAN):
            row = await self._database.fetch_one(
                self._sql["place_order"],
                {
                    **_columns(command.items),
                    **self._announcement(self._processing_queue, *self._to_all),
                    "key": key,
                    "request_hash": None if key is None else command.request_hash,
                    "customer_id": command.customer_id,
                },
            )
        if row is None:
            raise LookupError(f"the order under the key {command.idempotency_key} was deleted")
        return _placement(row)

    async def find_placement(self, stored_key: str) -> Placement | None:
        """Return the placement under *stored_key*."""
        row = await self._database.fetch_one(self._sql["find_placement"], (stored_key,))
        return None if row is None else _placement(row)

    async def find(self, order_id: int, scope: Scope) -> Order | None:
        """Return the order."""
        row = await self._database.fetch_one(
            self._sql["find_order"], {"order_id": order_id, "customer_id": scope.customer_id}
        )
        return None if row is None else _order(row)

    async def page(self, wanted: OrderFilter, request: PageRequest[int], scope: Scope) -> ListPage[Order, int]:
        """Return a page of orders; see :class:`~order_service.ports.OrderRepository`."""
        rows = await self._database.fetch(self._sql["page_of_orders"], page_parameters(wanted, request, scope))
        orders = [_order(row[1:]) for row in rows if row[2] is not None]
        page = ListPage.cut(orders, request.limit, lambda order: order.id)
        return page if page.next is not None else ListPage(orders, rows[0][0])

    async def settled_before(self, min_age_s: int) -> datetime:
        """Return a time at least *min_age_s* ago before which no later commit changes an order."""
        [(settled,)] = await self._database.fetch(self._sql["settled_before"], {"min_age_s": min_age_s})
        settled_at: datetime = settled
        return settled_at

    async def changed(self, *, after: ChangePosition, before: datetime, limit: int) -> Sequence[ChangedOrder]:
        """Return at most *limit* orders whose last change follows *after* and precedes *before*, the oldest first."""
        rows = await self._database.fetch(
            self._sql["changed_orders"], {"at": after.at, "id": after.order_id, "before": before, "limit": limit}
        )
        return [
            ChangedOrder(order_id, version, OrderStatus(status), *rest) for order_id, version, status, *rest in rows
        ]

    async def amend(
        self, order_id: int, items: Sequence[Item], expected_version: int | None, scope: Scope
    ) -> Change | None:
        """Replace the items."""
        announcement = self._announcement(self._processing_queue, *self._to_all)
        return await self._change(
            "amend_order",
            {
                "order_id": order_id,
                "customer_id": scope.customer_id,
                "expected_version": expected_version,
                **_columns(items),
                **announcement,
            },
        )

    async def cancel(self, order_id: int, expected_version: int | None, scope: Scope) -> Change | None:
        """Cancel the order."""
        return await self._change(
            "cancel_order",
            {
                "order_id": order_id,
                "customer_id": scope.customer_id,
                "expected_version": expected_version,
                **self._announcement(*self._to_all),
            },
        )

    async def settle(
        self, order_id: int, version: int, status: OrderStatus, reason: str | None, *, waits: bool = True
    ) -> Change | None:
        """Set the status to CLOSED, or to FAILED for *reason*."""
        settlement = {"order_id": order_id, "version": version, "status": status.value, "reason": reason}
        try:
            return await self._settlements.submit(settlement)
        except _LockedError:
            if not waits:
                raise BusyError("The order is locked by another transaction; try again later.") from None
        return await self._change("settle_order", settlement)

    async def announce_late(self, *, after_s: float, limit: int) -> Sequence[int]:
        """Announce at most *limit* late orders to the processing queue again and return their ids."""
        rows = await self._database.fetch(
            self._sql["announce_late_orders"],
            {"destination": self._processing_queue, "after_s": after_s, "limit": limit},
        )
        return [order_id for (order_id,) in rows]

    async def close(self) -> None:
        """Wait for the settlements in flight."""
        await self._settlements.close()

    async def _settle_free(self, settlements: Sequence[_Settlement]) -> list[Change | Exception | None]:
        # of an order that is there twice, the first alone
        first = {each["order_id"]: each for each in reversed(settlements)}
        columns = zip(*(each.values() for each in first.values()), strict=True)
        parameters = dict(zip(("order_ids", "versions", "statuses", "reasons"), map(list, columns), strict=True))
        rows = await self._database.fetch(self._sql["settle_free_orders"], parameters)
        found = {
            order_id: Change(applied=applied, order=_order(tuple(order))) if held else _LockedError()
            for order_id, held, applied, *order in rows
        }
        return [
            found.get(each["order_id"]) if first[each["order_id"]] is each else _LockedError() for each in settlements
        ]

    async def _change(self, statement: str, parameters: Mapping[str, Any]) -> Change | None:
        row = await self._database.fetch_one(self._sql[statement], parameters)
        return None if row is None else Change(applied=row[0], order=_order(row[1:]))

    def _announcement(self, *destinations: str) -> dict[str, Any]:
        # the function announce separates the two
        trace = " ".join(trace.headers.values()) if (trace := current_trace()) else None
        return {"destinations": list(destinations), "traceparent": trace}


def page_parameters(wanted: OrderFilter, request: PageRequest[int], scope: Scope) -> dict[str, Any]:
    """Return the parameters of ``page_of_orders.sql``."""
    customer_id = scope.customer_id
    indexed = {
        "trace": wanted.trace_id,
        "customer": None if customer_id == ANONYMOUS else customer_id,
        "product": wanted.product_id,
        "status": wanted.status,
    }
    by = next((name for name, value in indexed.items() if value is not None), "id")
    filters = (*indexed.values(), wanted.created_from, wanted.created_to, customer_id if by != "customer" else None)
    exact = sum(each is not None for each in filters) == (by != "id")
    lows, highs = zip(*wanted.spans(request.after), strict=True)
    return {
        "by": by,
        "most": request.limit + 1 if exact else IDS_PER_READ,
        "limit": request.limit + 1,
        "lows": list(lows),
        "highs": list(highs),
        "status": wanted.status and wanted.status.value,
        "customer_id": customer_id,
        "product_id": wanted.product_id,
        "trace_id": wanted.trace_id,
        "created_from": wanted.created_from,
        "created_to": wanted.created_to,
    }


def _columns(items: Sequence[Item]) -> dict[str, Any]:
    return {"product_ids": [item.product_id for item in items], "quantities": [item.quantity for item in items]}


def _placement(row: Row) -> Placement:
    made, request_hash, order_id, item_ids, at = row
    return Placement(made, None if request_hash is None else bytes(request_hash), order_id, tuple(item_ids), at)


def _order(row: Row) -> Order:
    customer_id, order_id, version, status, failure_reason, created_at, updated_at, *columns = row
    item_ids, product_ids, quantities = columns
    items = zip(item_ids, product_ids, quantities, strict=True)
    return Order(
        id=order_id,
        version=version,
        status=OrderStatus(status),
        created_at=created_at,
        updated_at=updated_at,
        items=tuple(OrderItem(*item) for item in items),
        failure_reason=failure_reason,
        customer_id=customer_id,
    )
