"""Orders, their status changes and the errors of those: no I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from order_contracts import Item
from order_contracts.limits import MAX_ORDER_ID
from service_common.errors import ConflictError, InvalidError, NotFoundError, PreconditionFailedError, Violation
from service_common.scope import ANONYMOUS

__all__ = [
    "ChangePosition",
    "ChangedOrder",
    "KeyReusedError",
    "Order",
    "OrderFilter",
    "OrderItem",
    "OrderNotFoundError",
    "OrderStateError",
    "OrderStatus",
    "OrderVersionError",
    "PlaceOrder",
    "ShortStockError",
    "StaleOrderError",
    "UnknownProductError",
    "require_stock",
]


class OrderStatus(StrEnum):
    """CREATED is the initial status, the others are final."""

    CREATED = "CREATED"
    CLOSED = "CLOSED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class OrderNotFoundError(NotFoundError):
    """The order does not exist."""

    slug = "order-not-found"

    def __init__(self, order_id: int | str) -> None:
        super().__init__(f"There is no order {order_id}.")


class OrderStateError(ConflictError):
    """The status of the order excludes the change."""

    slug = "order-state"

    def __init__(self, order: Order, change: str) -> None:
        detail = f"Order {order.id} is {order.status}: it can no longer be {change}."
        super().__init__(detail, [Violation("", detail, {"status": order.status.value, "version": order.version})])


class OrderVersionError(ConflictError):
    """The order has another version than the one to be closed or failed."""

    slug = "order-version"

    def __init__(self, order: Order, version: int) -> None:
        detail = f"Order {order.id} has version {order.version}, not {version}."
        facts = {"status": order.status.value, "version": order.version}
        super().__init__(detail, [Violation("/version", detail, facts)])


class StaleOrderError(PreconditionFailedError):
    """The order has another version than the caller expects."""

    def __init__(self, order: Order) -> None:
        super().__init__(f"Order {order.id} now has version {order.version}.")


class KeyReusedError(InvalidError):
    """The Idempotency-Key belongs to another request."""

    slug = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used with another body.")


class UnknownProductError(InvalidError):
    """An ordered product does not exist."""

    slug = "unknown-product"


class ShortStockError(ConflictError):
    """More is requested than is in stock."""

    slug = "short-stock"


@dataclass(frozen=True, slots=True)
class OrderItem:
    """An item of a stored order."""

    id: int
    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Place an order of a customer; a repeat with the same *idempotency_key* places no second one."""

    items: tuple[Item, ...]
    idempotency_key: str | None = None
    customer_id: str = ANONYMOUS

    @property
    def stored_key(self) -> str | None:
        """The key among those of all customers; those of the time before there were customers are anonymous."""
        if self.idempotency_key is None or self.customer_id == ANONYMOUS:
            return self.idempotency_key
        # neither an identifier of a customer nor a key contains a line break
        return f"{self.customer_id}\n{self.idempotency_key}"

    @property
    def request_hash(self) -> bytes:
        """SHA-256 of the items, independent of how their JSON is written."""
        # no product id contains a colon or a line break
        text = "\n".join(f"{item.product_id}:{item.quantity}" for item in self.items)
        return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Order:
    """An order; *version* rises from 1 with each change of the items, *failure_reason* is set when FAILED.

    A change returns the changed order, or the same object when nothing changes.
    """

    id: int
    version: int
    status: OrderStatus
    created_at: datetime
    updated_at: datetime
    items: tuple[OrderItem, ...]
    failure_reason: str | None = None
    customer_id: str = ANONYMOUS

    def amend(self, items: Sequence[OrderItem], expected_version: int | None = None) -> Order:
        """Replace the items.

        Raises:
            StaleOrderError: the order does not have *expected_version*.
            OrderStateError: the order is not CREATED.
        """
        self.require_amendable(expected_version)
        return replace(self, version=self.version + 1, items=tuple(items))

    def require_amendable(self, expected_version: int | None = None) -> None:
        """Raise as :meth:`amend` does."""
        self._require_version(expected_version)
        if self.status is not OrderStatus.CREATED:
            raise OrderStateError(self, "changed")

    def cancel(self, expected_version: int | None = None) -> Order:
        """Cancel the order.

        Raises:
            StaleOrderError: the order does not have *expected_version*.
            OrderStateError: the order is CLOSED or FAILED.
        """
        self._require_version(expected_version)
        if self.status is OrderStatus.CANCELLED:
            return self
        if self.status is not OrderStatus.CREATED:
            raise OrderStateError(self, "cancelled")
        return replace(self, status=OrderStatus.CANCELLED)

    def settle(self, version: int, status: OrderStatus, reason: str | None = None) -> Order:
        """Close *version* of the order, or fail it for *reason*.

        Raises:
            OrderStateError: the order has another final status.
            OrderVersionError: the order has another version.
        """
        if self.status not in {OrderStatus.CREATED, status}:
            raise OrderStateError(self, status.lower())
        if self.version != version:
            raise OrderVersionError(self, version)
        if self.status is status:
            return self
        return replace(self, status=status, failure_reason=reason)

    def _require_version(self, expected: int | None) -> None:
        if expected is not None and expected != self.version:
            raise StaleOrderError(self)


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Which orders are wanted: those that match everything that is not None.

    Attributes:
        product_id: among the items of the present version.
        created_from: they were placed then or later.
        created_to: they were placed earlier.
        trace_id: an event of theirs is in the outbox with this trace.
        number: their ids begin with these digits.
    """

    status: OrderStatus | None = None
    product_id: str | None = None
    created_from: datetime | None = None
    created_to: datetime | None = None
    trace_id: str | None = None
    number: int | None = None

    def spans(self, after: int | None) -> Sequence[tuple[int, int]]:
        """Return the first and last ids of the ranges below *after* that ids may have."""
        highest = MAX_ORDER_ID if after is None else after - 1
        if self.number is None:
            return [(1, highest)]
        digits = len(str(MAX_ORDER_ID)) - len(str(self.number))
        powers = [10**each for each in range(digits + 1)]
        return [(self.number * each, min((self.number + 1) * each - 1, highest)) for each in powers]


@dataclass(frozen=True, slots=True)
class ChangePosition:
    """A position in the list of changed orders: the last change of order *order_id*, at *at*."""

    at: datetime
    order_id: int


@dataclass(frozen=True, slots=True)
class ChangedOrder:
    """An order as its last change left it, without its items."""

    id: int
    version: int
    status: OrderStatus
    created_at: datetime
    updated_at: datetime
    failure_reason: str | None = None
    customer_id: str = ANONYMOUS

    @property
    def position(self) -> ChangePosition:
        """Its position in the list of changed orders."""
        return ChangePosition(self.updated_at, self.id)


def require_stock(items: Sequence[Item], stock: Mapping[str, int], held: Sequence[OrderItem] = ()) -> None:
    """Check that *stock*, by the ids of the products that exist, is enough for all *items*.

    *held* are the items of the version that *items* replace. Its saga may have taken them, and releases them before the
    saga of the new version starts: that much is available whatever is in stock. Only the inventory knows whether they
    were taken, so a larger quantity has to be in stock: accepted wrongly, it would fail the whole order.

    Raises:
        UnknownProductError: with a violation for each product that does not exist.
        ShortStockError: with a violation for each product of which more is requested than is in stock.
    """
    if unknown := [_unknown(index, item) for index, item in enumerate(items) if item.product_id not in stock]:
        raise UnknownProductError("The inventory does not have all of these products.", unknown)
    own = {item.product_id: item.quantity for item in held}
    stocked = [(i, item, max(stock[item.product_id], own.get(item.product_id, 0))) for i, item in enumerate(items)]
    if short := [_short(*each) for each in stocked if each[2] < each[1].quantity]:
        raise ShortStockError("There is not enough in stock.", short)


def _unknown(index: int, item: Item) -> Violation:
    detail = f"There is no product {item.product_id}."
    return Violation(f"/orderItems/{index}/productId", detail, {"productId": item.product_id})


def _short(index: int, item: Item, stock: int) -> Violation:
    detail = f"{item.quantity} of {item.product_id} are requested, {stock} are in stock."
    facts: dict[str, str | int] = {"productId": item.product_id, "requested": item.quantity, "stock": stock}
    return Violation(f"/orderItems/{index}/quantity", detail, facts)
