"""What the use cases need from the world, named by role."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .domain import Order, OrderLine, OrderStatus, PlaceOrder

__all__ = ["Change", "LateOrders", "OrderRepository", "Placement", "StockReader"]


@dataclass(frozen=True, slots=True)
class Placement:
    """What is kept of a placed order for those who ask again; together with the request it is the first answer.

    Attributes:
        made: whether this very call made the order.
        request_hash: of the request that made it; None when it had no idempotency key.
        item_ids: of the first version, in the order of the lines.
    """

    made: bool
    request_hash: bytes | None
    order_id: int
    item_ids: tuple[int, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """An order as it is after an attempt to change it, and whether the attempt is what changed it."""

    applied: bool
    order: Order


class OrderRepository(Protocol):
    """Keeps orders. Each change is one transaction, together with the events that announce it.

    A change asks whether it is allowed at the moment that it is made; if not, nothing happens, and the order that is
    returned tells why. ``None`` says that there is no such order.

    Every method raises UnavailableError when the orders cannot be reached.
    """

    async def place(self, command: PlaceOrder) -> Placement:
        """Store a new order, unless one is stored under the same idempotency key: then return what is known of that."""

    async def find_placement(self, idempotency_key: str) -> Placement | None:
        """Return what is known of the order that was placed under *idempotency_key*."""

    async def find(self, order_id: int) -> Order | None:
        """Return the order."""

    async def page(self, *, status: OrderStatus | None, after: int | None, limit: int) -> Sequence[Order]:
        """Return at most *limit* orders, newest first, those with a lower id than *after*."""

    async def amend(self, order_id: int, lines: Sequence[OrderLine], expected_version: int | None) -> Change | None:
        """Replace the items."""

    async def cancel(self, order_id: int, expected_version: int | None) -> Change | None:
        """Give the order up."""

    async def settle(self, order_id: int, version: int, status: OrderStatus, reason: str | None) -> Change | None:
        """End the order as CLOSED, or as FAILED for *reason*."""


class LateOrders(Protocol):
    """Finds the orders that nobody seems to work on."""

    async def announce_late(self, *, after_s: float, limit: int) -> Sequence[int]:
        """Announce at most *limit* orders to the processing queue again and return their ids.

        Those are late that are still CREATED and were neither changed nor announced within the last *after_s* seconds.
        """


class StockReader(Protocol):
    """Knows what is in stock."""

    async def stock_of(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the stock of those of the products (different ones, at least one) that exist.

        Raises:
            UnavailableError: the inventory does not say.
        """
