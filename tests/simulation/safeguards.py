"""The safeguards of the system, to be taken out one at a time: then a simulation has to fail."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from inventory_service.domain import TakeOutcome
from notification_service.feed import AntiEntropy
from notification_service.notification import Notification
from notification_service.push import Broadcaster, Subscription
from notification_service.push.hub import Hub
from order_contracts import Item, OrderEvent
from order_service.domain import Order
from order_service.reconcile import Reconciliation
from service_common.http_client import transport
from service_common.http_client.retry_policy import AttemptOutcome, Failure
from service_common.lifecycle import background_tasks
from service_common.scope import ALL_CUSTOMERS
from tests.support.in_memory.inventory import InMemoryStock
from tests.support.in_memory.notification import InMemoryFeed
from tests.support.in_memory.order import InMemoryOrders

__all__ = ["SAFEGUARDS", "without"]


def _no_dedupe() -> Any:
    async def take(stock: InMemoryStock, _operation_id: str, lines: Sequence[Item]) -> TakeOutcome:
        return stock._take(_operation_id, lines)

    return patch.object(InMemoryStock, "take", take)


def _no_version_check() -> Any:
    settle = Order.settle

    def any_version(order: Order, _version: int, *rest: Any) -> Order:
        return settle(order, order.version, *rest)

    return patch.object(Order, "settle", any_version)


def _no_creation_before_terminal() -> Any:
    def store(feed: InMemoryFeed, event: OrderEvent) -> Sequence[Notification]:
        fact: tuple[int, object] = (event.order_id, (event.type, event.version))
        if fact in feed._known:
            return ()
        feed._known.add(fact)
        return [feed._append(event, event.type, event.version, event.reason)]

    return patch.object(InMemoryFeed, "_store", store)


def _status_alone() -> Any:
    def refused(_call: Any, response: Any, body: bytes) -> Failure:
        outcome = AttemptOutcome.REFUSED if 400 <= response.status < 500 else AttemptOutcome.FAILED
        return Failure(outcome, f"answered {response.status}", response.status, body=body)

    return patch.object(transport, "_failure", refused)


def _no_resume() -> Any:
    async def locate(broadcaster: Broadcaster, _: object) -> int:
        return broadcaster.hub.head

    return patch.object(Broadcaster, "locate", locate)


def _no_supervision() -> Any:
    async def once(_readiness: object, _name: str, work: Callable[[], Awaitable[None]]) -> None:
        await work()

    return patch.object(background_tasks, "_supervise", once)


def _no_comparison() -> Any:
    async def compare(_: AntiEntropy) -> None:
        return

    return patch.object(AntiEntropy, "compare", compare)


def _no_reconciliation() -> Any:
    async def announce_late(_: Reconciliation) -> int:
        return 0

    return patch.object(Reconciliation, "announce_late", announce_late)


def _no_idempotency_key() -> Any:
    place = InMemoryOrders.place

    async def again(orders: InMemoryOrders, command: Any) -> Any:
        orders._placements.pop(command.stored_key, None)
        return await place(orders, command)

    return patch.object(InMemoryOrders, "place", again)


def _no_shape_check() -> Any:
    reply = transport._reply

    def any_shape(call: Any, status: int, body: bytes) -> Any:
        return reply(replace(call, shape=lambda _: True), status, body)

    return patch.object(transport, "_reply", any_shape)


# what is taken out of the adapters in memory is in SQL in the services; the contract tests hold both to the same
def _no_scope() -> Any:
    join = Hub.join

    def join_all(hub: Hub, subscription: Subscription, cursor: int | None = None) -> None:
        subscription.wanted = replace(subscription.wanted, scope=ALL_CUSTOMERS)
        join(hub, subscription, cursor)

    return patch.object(Hub, "join", join_all)


SAFEGUARDS: Mapping[str, Callable[[], Any]] = {
    "operation-id": _no_dedupe,
    "version-check": _no_version_check,
    "created-before-terminal": _no_creation_before_terminal,
    "foreign-answer-check": _status_alone,
    "shape-check": _no_shape_check,
    "anti-entropy": _no_comparison,
    "supervision": _no_supervision,
    "resume": _no_resume,
    "reconciliation": _no_reconciliation,
    "idempotency-key": _no_idempotency_key,
    "scope": _no_scope,
}


@contextmanager
def without(name: str) -> Iterator[None]:
    """Take the safeguard *name* out."""
    with SAFEGUARDS[name]():
        yield
