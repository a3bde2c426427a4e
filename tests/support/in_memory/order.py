"""The ports of the order service in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count

from order_contracts import Item
from order_service.domain import ChangedOrder, ChangePosition, Order, OrderItem, OrderStatus, PlaceOrder
from order_service.ports import Change, Placement
from service_common.errors import ServiceError

__all__ = ["Announced", "InMemoryOrders", "InMemoryStockReader"]


@dataclass(frozen=True, slots=True)
class Announced:
    """An event that a change of an order wrote to the outbox."""

    queues: frozenset[str]
    type: str
    order_id: int
    version: int


class InMemoryOrders:
    """An `OrderRepository` in dictionaries; *announced* is its outbox."""

    def __init__(self) -> None:
        self.announced: list[Announced] = []
        self._orders: dict[int, Order] = {}
        self._placements: dict[str, Placement] = {}
        self._order_ids = count(1)
        self._item_ids = count(1)

    async def place(self, command: PlaceOrder) -> Placement:
        key = command.idempotency_key
        if key in self._placements:
            return self._placements[key]
        now, items = datetime.now(UTC), self._items(command.items)
        order = Order(next(self._order_ids), 1, OrderStatus.CREATED, now, now, items)
        self._orders[order.id] = order
        self._announce("order-created", order, "processing", "notification")
        request_hash = None if key is None else command.request_hash
        placement = Placement(True, request_hash, order.id, tuple(item.id for item in items), now)
        if key is not None:
            self._placements[key] = replace(placement, made=False)
        return placement

    async def find_placement(self, idempotency_key: str) -> Placement | None:
        return self._placements.get(idempotency_key)

    async def find(self, order_id: int) -> Order | None:
        return self._orders.get(order_id)

    async def page(self, *, status: OrderStatus | None, after: int | None, limit: int) -> Sequence[Order]:
        newest_first = sorted(self._orders.values(), key=lambda order: -order.id)
        return [
            order
            for order in newest_first
            if (status is None or order.status is status) and (after is None or order.id < after)
        ][:limit]

    async def settled_before(self, min_age_s: int) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=min_age_s)

    async def changed(self, *, after: ChangePosition, before: datetime, limit: int) -> Sequence[ChangedOrder]:
        orders = sorted(self._orders.values(), key=lambda order: (order.updated_at, order.id))
        return [
            ChangedOrder(each.id, each.version, each.status, each.created_at, each.updated_at, each.failure_reason)
            for each in orders
            if (after.at, after.order_id) < (each.updated_at, each.id) and each.updated_at < before
        ][:limit]

    async def amend(self, order_id: int, items: Sequence[Item], expected_version: int | None) -> Change | None:
        change = self._change(order_id, lambda order: order.amend(self._items(items), expected_version))
        return self._announced("order-updated", change, "processing", "notification")

    async def cancel(self, order_id: int, expected_version: int | None) -> Change | None:
        change = self._change(order_id, lambda order: order.cancel(expected_version))
        return self._announced("order-cancelled", change, "notification")

    async def settle(self, order_id: int, version: int, status: OrderStatus, reason: str | None) -> Change | None:
        return self._change(order_id, lambda order: order.settle(version, status, reason))

    def _change(self, order_id: int, transition: Callable[[Order], Order]) -> Change | None:
        before = self._orders.get(order_id)
        if before is None:
            return None
        try:
            after = transition(before)
        except ServiceError:
            return Change(applied=False, order=before)
        if after is before:
            return Change(applied=False, order=before)
        self._orders[order_id] = replace(after, updated_at=datetime.now(UTC))
        return Change(applied=True, order=self._orders[order_id])

    def _announced(self, event: str, change: Change | None, *queues: str) -> Change | None:
        if change is not None and change.applied:
            self._announce(event, change.order, *queues)
        return change

    def _announce(self, event: str, order: Order, *queues: str) -> None:
        self.announced.append(Announced(frozenset(queues), event, order.id, order.version))

    def _items(self, items: Sequence[Item]) -> tuple[OrderItem, ...]:
        return tuple(OrderItem(next(self._item_ids), item.product_id, item.quantity) for item in items)


class InMemoryStockReader:
    """A `StockReader` on *stock*, by product id; raises *failure* while that is set."""

    def __init__(self, stock: Mapping[str, int]) -> None:
        self.stock = dict(stock)
        self.failure: ServiceError | None = None

    async def stock_of(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        if self.failure is not None:
            raise self.failure
        return {product_id: self.stock[product_id] for product_id in product_ids if product_id in self.stock}
