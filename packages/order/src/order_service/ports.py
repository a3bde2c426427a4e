"""The ports of the use cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from order_contracts import Item
from service_common.paging import ListPage, PageRequest
from service_common.scope import Scope

from .domain import ChangedOrder, ChangePosition, Order, OrderFilter, OrderStatus, PlaceOrder

__all__ = ["Change", "LateOrders", "OrderRepository", "Placement", "StockReader"]


@dataclass(frozen=True, slots=True)
class Placement:
    """The stored part of the answer to a placed order; a repeat of the request supplies the rest.

    Attributes:
        made: whether this call created the order.
        request_hash: of the request that created it; None when that had no idempotency key.
        item_ids: of the first version, in the order of its items.
    """

    made: bool
    request_hash: bytes | None
    order_id: int
    item_ids: tuple[int, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """The order after an attempt to change it, and whether the attempt was applied."""

    applied: bool
    order: Order


class OrderRepository(Protocol):
    """Stores orders. A change and its events are one transaction.

    A change that the current status or version excludes is not applied; the returned order tells why. ``None`` means
    that the order does not exist, or is not in the *scope*. Every method raises UnavailableError while the database is
    unavailable.
    """

    async def place(self, command: PlaceOrder) -> Placement:
        """Store a new order, or return the placement under the same idempotency key."""

    async def find_placement(self, stored_key: str) -> Placement | None:
        """Return the placement under *stored_key*, as `PlaceOrder` has it."""

    async def find(self, order_id: int, scope: Scope) -> Order | None:
        """Return the order."""

    async def page(self, wanted: OrderFilter, request: PageRequest[int], scope: Scope) -> ListPage[Order, int]:
        """Return a page of the orders that are *wanted*, newest first: their ids are below *after*.

        With several filters it may have fewer orders than its limit, or none, and a `next`.
        """

    async def settled_before(self, min_age_s: int) -> datetime:
        """Return a time at least *min_age_s* ago before which no later commit changes an order."""

    async def changed(self, *, after: ChangePosition, before: datetime, limit: int) -> Sequence[ChangedOrder]:
        """Return at most *limit* orders whose last change follows *after* and precedes *before*, the oldest first."""

    async def amend(
        self, order_id: int, items: Sequence[Item], expected_version: int | None, scope: Scope
    ) -> Change | None:
        """Replace the items."""

    async def cancel(self, order_id: int, expected_version: int | None, scope: Scope) -> Change | None:
        """Cancel the order."""

    async def settle(
        self, order_id: int, version: int, status: OrderStatus, reason: str | None, *, waits: bool = True
    ) -> Change | None:
        """Set the status to CLOSED, or to FAILED for *reason*.

        Raises:
            BusyError: another transaction holds the order, for long or, unless it *waits*, at all.
        """


class LateOrders(Protocol):
    """Announces orders again that stay CREATED for too long."""

    async def announce_late(self, *, after_s: float, limit: int) -> Sequence[int]:
        """Announce at most *limit* late orders to the processing queue again and return their ids.

        An order is late when it is CREATED and was neither changed nor announced in the last *after_s* seconds.
        """


class StockReader(Protocol):
    """Reads the stock of products."""

    async def stock_of(self, product_ids: Sequence[str]) -> Mapping[str, int]:
        """Return the stock of those of the products (at least one, all different) that exist.

        Raises:
            UnavailableError: the inventory is unavailable.
        """
