"""What an order is, what may become of it, and why not: no I/O, no knowledge of how orders come and where they stay."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from service_common.errors import ConflictError, InvalidError, NotFoundError, PreconditionFailedError, Violation

__all__ = [
    "ClosedVersionError",
    "KeyReusedError",
    "Order",
    "OrderItem",
    "OrderLine",
    "OrderNotFoundError",
    "OrderStateError",
    "OrderStatus",
    "PlaceOrder",
    "ShortStockError",
    "StaleOrderError",
    "UnknownProductError",
    "require_stock",
]


class OrderStatus(StrEnum):
    """CREATED becomes one of the others, and none of these ever changes."""

    CREATED = "CREATED"
    CLOSED = "CLOSED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class OrderNotFoundError(NotFoundError):
    """There is no order with that id."""

    slug = "order-not-found"

    def __init__(self, order_id: int | str) -> None:
        super().__init__(f"There is no order {order_id}.")


class OrderStateError(ConflictError):
    """The order has a status that rules the change out."""

    slug = "order-state"

    def __init__(self, order: Order, change: str) -> None:
        detail = f"Order {order.id} is {order.status}: it can no longer be {change}."
        super().__init__(detail, [Violation("", detail, {"status": order.status.value, "version": order.version})])


class ClosedVersionError(ConflictError):
    """What was fulfilled, or could not be, is another version of the order than it has now."""

    slug = "order-version"

    def __init__(self, order: Order, version: int) -> None:
        detail = f"Order {order.id} has version {order.version}, not {version}."
        facts = {"status": order.status.value, "version": order.version}
        super().__init__(detail, [Violation("/version", detail, facts)])


class StaleOrderError(PreconditionFailedError):
    """The caller saw another version of the order than it has now."""

    def __init__(self, order: Order) -> None:
        super().__init__(f"Order {order.id} has version {order.version} by now.")


class KeyReusedError(InvalidError):
    """An Idempotency-Key stands for another request already."""

    slug = "idempotency-key-reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was sent with another body before.")


class UnknownProductError(InvalidError):
    """Products are ordered that the inventory does not have."""

    slug = "unknown-product"


class ShortStockError(ConflictError):
    """More is requested than is in stock."""

    slug = "short-stock"


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What a customer asks for: *quantity* (1 to 1,000,000) of a product."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderItem:
    """A line of an order that was taken."""

    id: int
    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Place an order of *lines*; the same *idempotency_key* twice is the same order."""

    lines: tuple[OrderLine, ...]
    idempotency_key: str | None = None

    @property
    def request_hash(self) -> bytes:
        """The same for requests that mean the same, whatever their spelling as JSON."""
        # no product id contains a colon or a line break
        text = "\n".join(f"{line.product_id}:{line.quantity}" for line in self.lines)
        return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Order:
    """An order at one moment; *version* counts the sets of items it has had, *failure_reason* is there when FAILED.

    Every change returns the order after it, the same object when it was so before, or raises why it cannot be.
    """

    id: int
    version: int
    status: OrderStatus
    created_at: datetime
    updated_at: datetime
    items: tuple[OrderItem, ...]
    failure_reason: str | None = None

    def amend(self, items: Sequence[OrderItem], expected_version: int | None = None) -> Order:
        """Replace the items, if the order still has *expected_version*.

        Raises:
            StaleOrderError: it has another version.
            OrderStateError: it is no longer CREATED.
        """
        self.require_amendable(expected_version)
        return replace(self, version=self.version + 1, items=tuple(items))

    def require_amendable(self, expected_version: int | None = None) -> None:
        """Raise what :meth:`amend` would raise."""
        self._require_version(expected_version)
        if self.status is not OrderStatus.CREATED:
            raise OrderStateError(self, "changed")

    def cancel(self, expected_version: int | None = None) -> Order:
        """Give the order up, if it still has *expected_version*.

        Raises:
            StaleOrderError: it has another version.
            OrderStateError: it is CLOSED or FAILED.
        """
        self._require_version(expected_version)
        if self.status is OrderStatus.CANCELLED:
            return self
        if self.status is not OrderStatus.CREATED:
            raise OrderStateError(self, "cancelled")
        return replace(self, status=OrderStatus.CANCELLED)

    def settle(self, version: int, status: OrderStatus, reason: str | None = None) -> Order:
        """End the order as CLOSED, or FAILED for *reason*, as far as *version* is concerned.

        Raises:
            OrderStateError: it ended in another way.
            ClosedVersionError: it has another version.
        """
        if self.status not in {OrderStatus.CREATED, status}:
            raise OrderStateError(self, status.lower())
        if self.version != version:
            raise ClosedVersionError(self, version)
        if self.status is status:
            return self
        return replace(self, status=status, failure_reason=reason)

    def _require_version(self, expected: int | None) -> None:
        if expected is not None and expected != self.version:
            raise StaleOrderError(self)


def require_stock(lines: Sequence[OrderLine], stock: Mapping[str, int]) -> None:
    """Check that *stock* (by product id; what is not in it does not exist) is enough for every line.

    Raises:
        UnknownProductError: with the pointer to each product that does not exist.
        ShortStockError: with what is requested and what is there, for each product that is short.
    """
    unknown = [(place, line) for place, line in enumerate(lines) if line.product_id not in stock]
    if unknown:
        raise UnknownProductError("The inventory does not have all of these products.", [_unknown(*u) for u in unknown])
    short = [(place, line) for place, line in enumerate(lines) if stock[line.product_id] < line.quantity]
    if short:
        violations = [_short(place, line, stock[line.product_id]) for place, line in short]
        raise ShortStockError("There is not enough in stock.", violations)


def _unknown(place: int, line: OrderLine) -> Violation:
    detail = f"There is no product {line.product_id}."
    return Violation(f"/orderItems/{place}/productId", detail, {"productId": line.product_id})


def _short(place: int, line: OrderLine, stock: int) -> Violation:
    detail = f"{line.quantity} of {line.product_id} are requested, {stock} are in stock."
    facts: dict[str, str | int] = {"productId": line.product_id, "requested": line.quantity, "stock": stock}
    return Violation(f"/orderItems/{place}/quantity", detail, facts)
