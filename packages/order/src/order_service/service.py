"""The use cases: everything that can be asked of an order, one public method each."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from service_common.errors import ServiceError
from service_common.paging import ListPage, PageRequest

from .domain import (
    KeyReusedError,
    Order,
    OrderItem,
    OrderLine,
    OrderNotFoundError,
    OrderStatus,
    PlaceOrder,
    require_stock,
)
from .ports import Change, OrderRepository, Placement, StockReader

__all__ = ["OrderService", "Placed"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Placed:
    """The order as it was answered first, and whether this is a repeat of that answer.

    Attributes:
        stock_s: how long the question for the stock took, in seconds.
        save_s: how long it took to store the order, or to find the one that was stored, in seconds.
    """

    order: Order
    replayed: bool
    stock_s: float
    save_s: float


class OrderService:
    """Takes orders and sees them through their states.

    Args:
        orders: where they stay.
        stock: what can be ordered.
        announce: called when a commit has left events in the outbox.
    """

    def __init__(self, orders: OrderRepository, stock: StockReader, announce: Callable[[], None]) -> None:
        self._orders = orders
        self._stock = stock
        self._announce = announce

    async def place(self, command: PlaceOrder) -> Placed:
        """Take an order when everything is in stock.

        Raises:
            UnknownProductError: a product does not exist.
            ShortStockError: there is too little of a product.
            KeyReusedError: the idempotency key stands for another request.
            UnavailableError: the inventory or the database is away.
        """
        began = perf_counter()
        try:
            await self._require_stock(command.lines)
        except ServiceError:
            # an order that was taken under this key stands, whatever has become of the stock since
            asked = perf_counter()
            placement = await self._earlier(command)
            if placement is None:
                raise
        else:
            asked = perf_counter()
            placement = await self._orders.place(command)
        saved = perf_counter()
        return Placed(self._order(command, placement), not placement.made, asked - began, saved - asked)

    async def get(self, order_id: int) -> Order:
        """Return an order.

        Raises:
            OrderNotFoundError: there is none.
        """
        order = await self._orders.find(order_id)
        if order is None:
            raise OrderNotFoundError(order_id)
        return order

    async def page(self, wanted: PageRequest[int], status: OrderStatus | None = None) -> ListPage[Order, int]:
        """Return orders, newest first, those that are older than the one that the page follows."""
        orders = await self._orders.page(status=status, after=wanted.after, limit=wanted.limit + 1)
        return ListPage.cut(orders, wanted.limit, lambda order: order.id)

    async def amend(self, order_id: int, lines: Sequence[OrderLine], expected_version: int | None = None) -> Order:
        """Replace the items of an order that is still CREATED and, if given, still has *expected_version*.

        Raises:
            OrderNotFoundError, StaleOrderError, OrderStateError: as they say.
            UnknownProductError, ShortStockError, UnavailableError: as for a new order.
        """
        (await self.get(order_id)).require_amendable(expected_version)
        await self._require_stock(lines)
        change = _changed(await self._orders.amend(order_id, lines, expected_version), order_id)
        if not change.applied:
            return change.order.amend(change.order.items, expected_version)
        return self._report("order updated", change)

    async def cancel(self, order_id: int, expected_version: int | None = None) -> Order:
        """Give an order up; one that is CANCELLED stays so.

        Raises:
            OrderNotFoundError, StaleOrderError: as they say.
            OrderStateError: the order is CLOSED or FAILED.
        """
        change = _changed(await self._orders.cancel(order_id, expected_version), order_id)
        if not change.applied:
            return change.order.cancel(expected_version)
        return self._report("order cancelled", change)

    async def close(self, order_id: int, version: int) -> Order:
        """End an order well; a repeat changes nothing.

        Raises:
            OrderNotFoundError: there is none.
            OrderStateError: it is CANCELLED or FAILED.
            ClosedVersionError: it has another version.
        """
        return await self._settle(order_id, version, OrderStatus.CLOSED, None)

    async def fail(self, order_id: int, version: int, reason: str) -> Order:
        """End an order for want of what it needs; a repeat changes nothing.

        Raises:
            OrderNotFoundError: there is none.
            OrderStateError: it is CANCELLED or CLOSED.
            ClosedVersionError: it has another version.
        """
        return await self._settle(order_id, version, OrderStatus.FAILED, reason)

    async def _settle(self, order_id: int, version: int, status: OrderStatus, reason: str | None) -> Order:
        change = _changed(await self._orders.settle(order_id, version, status, reason), order_id)
        if not change.applied:
            return change.order.settle(version, status, reason)
        facts = {"orderId": order_id, "version": version} | ({"reason": reason} if reason else {})
        logger.info(f"order {status.lower()}", extra=facts)
        return change.order

    async def _require_stock(self, lines: Sequence[OrderLine]) -> None:
        require_stock(lines, await self._stock.stock_of([line.product_id for line in lines]))

    async def _earlier(self, command: PlaceOrder) -> Placement | None:
        if command.idempotency_key is None:
            return None
        return await self._orders.find_placement(command.idempotency_key)

    def _order(self, command: PlaceOrder, placement: Placement) -> Order:
        if not placement.made and placement.request_hash != command.request_hash:
            raise KeyReusedError
        order = _first_version(command, placement)
        if placement.made:
            self._announce()
            logger.info("order accepted", extra={"orderId": order.id, "version": order.version})
        return order

    def _report(self, what: str, change: Change) -> Order:
        self._announce()
        logger.info(what, extra={"orderId": change.order.id, "version": change.order.version})
        return change.order


def _changed(change: Change | None, order_id: int) -> Change:
    if change is None:
        raise OrderNotFoundError(order_id)
    return change


def _first_version(command: PlaceOrder, placement: Placement) -> Order:
    items = zip(placement.item_ids, command.lines, strict=True)
    return Order(
        id=placement.order_id,
        version=1,
        status=OrderStatus.CREATED,
        created_at=placement.at,
        updated_at=placement.at,
        items=tuple(OrderItem(item_id, line.product_id, line.quantity) for item_id, line in items),
    )
