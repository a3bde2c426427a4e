"""The ports of the order service in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

from order_contracts import EventType, Item, OrderEvent
from order_contracts.events import WITH_ITEMS
from order_service.domain import ChangedOrder, ChangePosition, Order, OrderFilter, OrderItem, OrderStatus, PlaceOrder
from order_service.ports import Change, Placement
from service_common.errors import ServiceError
from service_common.observability import TraceContext, current_trace
from service_common.paging import ListPage, PageRequest
from service_common.scope import Scope
from tests.support.in_memory.outbox import InMemoryOutbox

__all__ = ["InMemoryOrders", "InMemoryStockReader"]


class InMemoryOrders:
    """An `OrderRepository` and `LateOrders` in dictionaries."""

    def __init__(self, *, processing_queue: str = "processing", notification_queue: str = "notification") -> None:
        self.outbox = InMemoryOutbox()
        self._processing_queue = processing_queue
        self._notification_queue = notification_queue
        self._orders: dict[int, Order] = {}
        self._placements: dict[str, Placement] = {}
        self._order_ids = count(1)
        self._item_ids = count(1)

    async def place(self, command: PlaceOrder) -> Placement:
        key = command.stored_key
        if key in self._placements:
            return self._placements[key]
        now, items = datetime.now(UTC), self._items(command.items)
        order = Order(next(self._order_ids), 1, OrderStatus.CREATED, now, now, items, None, command.customer_id)
        self._orders[order.id] = order
        self._announce(EventType.ORDER_CREATED, order)
        request_hash = None if key is None else command.request_hash
        placement = Placement(True, request_hash, order.id, tuple(item.id for item in items), now)
        if key is not None:
            self._placements[key] = replace(placement, made=False)
        return placement

    async def find_placement(self, stored_key: str) -> Placement | None:
        return self._placements.get(stored_key)

    async def find(self, order_id: int, scope: Scope) -> Order | None:
        order = self._orders.get(order_id)
        return order if order is not None and scope.includes(order.customer_id) else None

    async def page(self, wanted: OrderFilter, request: PageRequest[int], scope: Scope) -> ListPage[Order, int]:
        newest_first = sorted(self._orders.values(), key=lambda order: -order.id)
        found = [
            order
            for order in newest_first
            if scope.includes(order.customer_id)
            and (request.after is None or order.id < request.after)
            and (wanted.status is None or order.status is wanted.status)
            and (wanted.product_id is None or wanted.product_id in {item.product_id for item in order.items})
            and (wanted.created_from is None or order.created_at >= wanted.created_from)
            and (wanted.created_to is None or order.created_at < wanted.created_to)
            and (wanted.number is None or str(order.id).startswith(str(wanted.number)))
            and (wanted.trace_id is None or wanted.trace_id in self._traces(order.id))
        ]
        return ListPage.cut(found, request.limit, lambda order: order.id)

    def _traces(self, order_id: int) -> set[str]:
        return {(row.traceparent or "")[3:35] for row in self.outbox.rows.values() if row.subject == str(order_id)}

    async def settled_before(self, min_age_s: int) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=min_age_s)

    async def changed(self, *, after: ChangePosition, before: datetime, limit: int) -> Sequence[ChangedOrder]:
        orders = sorted(self._orders.values(), key=lambda order: (order.updated_at, order.id))
        return [
            ChangedOrder(
                each.id,
                each.version,
                each.status,
                each.created_at,
                each.updated_at,
                each.failure_reason,
                each.customer_id,
            )
            for each in orders
            if (after.at, after.order_id) < (each.updated_at, each.id) and each.updated_at < before
        ][:limit]

    async def amend(
        self, order_id: int, items: Sequence[Item], expected_version: int | None, scope: Scope
    ) -> Change | None:
        if await self.find(order_id, scope) is None:
            return None
        change = self._change(order_id, lambda order: order.amend(self._items(items), expected_version))
        return self._announced(EventType.ORDER_UPDATED, change)

    async def cancel(self, order_id: int, expected_version: int | None, scope: Scope) -> Change | None:
        if await self.find(order_id, scope) is None:
            return None
        change = self._change(order_id, lambda order: order.cancel(expected_version))
        return self._announced(EventType.ORDER_CANCELLED, change)

    async def settle(
        self, order_id: int, version: int, status: OrderStatus, reason: str | None, **_: bool
    ) -> Change | None:
        return self._change(order_id, lambda order: order.settle(version, status, reason))

    async def announce_late(self, *, after_s: float, limit: int) -> Sequence[int]:
        horizon = datetime.now(UTC) - timedelta(seconds=after_s)
        late: list[int] = []
        for order in self._orders.values():
            if order.status is not OrderStatus.CREATED or order.updated_at >= horizon or len(late) == limit:
                continue
            event_type = EventType.ORDER_CREATED if order.version == 1 else EventType.ORDER_UPDATED
            sent = self.outbox.find(_event(event_type, order).key, self._processing_queue)
            if sent is None:
                self._add(self._processing_queue, event_type, order, None)
            elif sent.sent_at is not None and sent.sent_at < horizon:
                sent.sent_at, sent.available_at = None, datetime.now(UTC)
            else:
                continue
            late.append(order.id)
        return late

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

    def _announced(self, event_type: EventType, change: Change | None) -> Change | None:
        if change is not None and change.applied:
            self._announce(event_type, change.order)
        return change

    def _announce(self, event_type: EventType, order: Order) -> None:
        trace = current_trace()
        if event_type in WITH_ITEMS:
            self._add(self._processing_queue, event_type, order, trace)
        self._add(self._notification_queue, event_type, order, trace)

    def _add(self, queue: str, event_type: EventType, order: Order, trace: TraceContext | None) -> None:
        event = _event(event_type, order)
        self.outbox.add(
            queue,
            event_type.value,
            str(order.id),
            event.key,
            data=event.data,
            traceparent=trace.traceparent if trace else None,
            tracestate=trace.tracestate if trace else None,
            occurred_at=order.updated_at,
        )

    def _items(self, items: Sequence[Item]) -> tuple[OrderItem, ...]:
        return tuple(OrderItem(next(self._item_ids), item.product_id, item.quantity) for item in items)


def _event(event_type: EventType, order: Order) -> OrderEvent:
    items = tuple(Item(item.product_id, item.quantity) for item in order.items)
    return OrderEvent(
        event_type,
        "/order-service",
        order.id,
        order.version,
        order.updated_at,
        items=items,
        customer_id=order.customer_id,
    )


class InMemoryStockReader:
    """A `StockReader` on *stock*, by product id; raises *failure* while that is set."""

    def __init__(self, stock: Mapping[str, int]) -> None:
        self.stock = dict(stock)
        self.failure: ServiceError | None = None

    async def stock_of(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        if self.failure is not None:
            raise self.failure
        return {product_id: self.stock[product_id] for product_id in product_ids if product_id in self.stock}
