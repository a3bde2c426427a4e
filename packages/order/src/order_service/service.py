"""The use cases of the order service."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from order_contracts import Item
from service_common.errors import ServiceError
from service_common.paging import ListPage, PageRequest
from service_common.scope import Scope

from .domain import (
    ChangedOrder,
    ChangePosition,
    KeyReusedError,
    Order,
    OrderFilter,
    OrderItem,
    OrderNotFoundError,
    OrderStatus,
    PlaceOrder,
    require_stock,
)
from .ports import Change, OrderRepository, Placement, StockReader

__all__ = ["OrderService", "Placed"]

logger = logging.getLogger(__name__)

EVERY_ORDER = OrderFilter()


@dataclass(frozen=True, slots=True)
class Placed:
    """The first version of a placed order; *replayed* when an earlier request placed it.

    Attributes:
        stock_s: duration of the stock query, in seconds.
        save_s: duration of storing or finding the order, in seconds.
    """

    order: Order
    replayed: bool
    stock_s: float
    save_s: float


class OrderService:
    """Places, changes and ends orders. Orders outside of the *scope* do not exist for a caller.

    Args:
        orders: stores them.
        stock: is checked before an order is placed or changed.
        announce: called after a commit that wrote events to the outbox.
    """

    def __init__(self, orders: OrderRepository, stock: StockReader, announce: Callable[[], None]) -> None:
        self._orders = orders
        self._stock = stock
        self._announce = announce

    async def place(self, command: PlaceOrder) -> Placed:
        """Store an order whose items are all in stock.

        Raises:
            UnknownProductError: a product does not exist.
            ShortStockError: the stock of a product is too small.
            KeyReusedError: the idempotency key belongs to another request.
            UnavailableError: the inventory or the database is unavailable.
        """
        started = perf_counter()
        try:
            await self._require_stock(command.items)
        except ServiceError:
            # a repeat gets the first answer, whatever the stock is now
            checked = perf_counter()
            placement = await self._find_placement(command)
            if placement is None:
                raise
        else:
            checked = perf_counter()
            placement = await self._orders.place(command)
        saved = perf_counter()
        return Placed(self._order(command, placement), not placement.made, checked - started, saved - checked)

    async def get(self, order_id: int, scope: Scope) -> Order:
        """Return an order.

        Raises:
            OrderNotFoundError: the order does not exist.
        """
        order = await self._orders.find(order_id, scope)
        if order is None:
            raise OrderNotFoundError(order_id)
        return order

    async def page(
        self, request: PageRequest[int], scope: Scope, wanted: OrderFilter = EVERY_ORDER
    ) -> ListPage[Order, int]:
        """Return a page of orders; see :class:`OrderRepository`."""
        return await self._orders.page(wanted, request, scope)

    async def changes(
        self, wanted: PageRequest[ChangePosition], min_age_s: int
    ) -> tuple[Sequence[ChangedOrder], ChangePosition]:
        """Return orders that were changed at least *min_age_s* ago, the oldest change first, and where to continue.

        Without *after* there are none, only the present position. An order that changes again moves to the end.
        """
        settled = await self._orders.settled_before(min_age_s)
        if wanted.after is None:
            return (), ChangePosition(settled, 0)
        changed = await self._orders.changed(after=wanted.after, before=settled, limit=wanted.limit)
        return changed, changed[-1].position if changed else wanted.after

    async def amend(
        self, order_id: int, scope: Scope, items: Sequence[Item], expected_version: int | None = None
    ) -> Order:
        """Replace the items of a CREATED order; *expected_version* None is any version.

        Raises:
            OrderNotFoundError: the order does not exist.
            StaleOrderError, OrderStateError: as :meth:`Order.amend`.
            UnknownProductError, ShortStockError, UnavailableError: as :meth:`place`.
        """
        order = await self.get(order_id, scope)
        order.require_amendable(expected_version)
        await self._require_stock(items, order.items)
        change = _require_found(await self._orders.amend(order_id, items, expected_version, scope), order_id)
        if not change.applied:
            return change.order.amend(change.order.items, expected_version)
        return self._report("order updated", change.order)

    async def cancel(self, order_id: int, scope: Scope, expected_version: int | None = None) -> Order:
        """Cancel an order; idempotent.

        Raises:
            OrderNotFoundError: the order does not exist.
            StaleOrderError, OrderStateError: as :meth:`Order.cancel`.
        """
        change = _require_found(await self._orders.cancel(order_id, expected_version, scope), order_id)
        if not change.applied:
            return change.order.cancel(expected_version)
        return self._report("order cancelled", change.order)

    async def close(self, order_id: int, version: int, *, waits: bool = True) -> Order:
        """Close a version of an order; idempotent.

        Raises:
            BusyError: as :meth:`OrderRepository.settle`.
            OrderNotFoundError: the order does not exist.
            OrderStateError, OrderVersionError: as :meth:`Order.settle`.
        """
        return await self._settle(order_id, version, OrderStatus.CLOSED, None, waits=waits)

    async def fail(self, order_id: int, version: int, reason: str) -> Order:
        """Fail a version of an order; idempotent.

        Raises:
            OrderNotFoundError: the order does not exist.
            OrderStateError, OrderVersionError: as :meth:`Order.settle`.
        """
        return await self._settle(order_id, version, OrderStatus.FAILED, reason)

    async def _settle(
        self, order_id: int, version: int, status: OrderStatus, reason: str | None, *, waits: bool = True
    ) -> Order:
        settled = await self._orders.settle(order_id, version, status, reason, waits=waits)
        change = _require_found(settled, order_id)
        if not change.applied:
            return change.order.settle(version, status, reason)
        facts = _facts(change.order) | ({"reason": reason} if reason else {})
        logger.info(f"order {status.lower()}", extra=facts)
        return change.order

    async def _require_stock(self, items: Sequence[Item], held: Sequence[OrderItem] = ()) -> None:
        require_stock(items, await self._stock.stock_of([item.product_id for item in items]), held)

    async def _find_placement(self, command: PlaceOrder) -> Placement | None:
        if command.stored_key is None:
            return None
        return await self._orders.find_placement(command.stored_key)

    def _order(self, command: PlaceOrder, placement: Placement) -> Order:
        if not placement.made and placement.request_hash != command.request_hash:
            raise KeyReusedError
        order = _first_version(command, placement)
        if placement.made:
            self._report("order accepted", order)
        return order

    def _report(self, event: str, order: Order) -> Order:
        self._announce()
        logger.info(event, extra=_facts(order))
        return order


def _facts(order: Order) -> dict[str, str | int]:
    return {"orderId": order.id, "version": order.version, "customerId": order.customer_id}


def _require_found(change: Change | None, order_id: int) -> Change:
    if change is None:
        raise OrderNotFoundError(order_id)
    return change


def _first_version(command: PlaceOrder, placement: Placement) -> Order:
    items = zip(placement.item_ids, command.items, strict=True)
    return Order(
        id=placement.order_id,
        version=1,
        status=OrderStatus.CREATED,
        created_at=placement.at,
        updated_at=placement.at,
        items=tuple(OrderItem(item_id, item.product_id, item.quantity) for item_id, item in items),
        customer_id=command.customer_id,
    )
