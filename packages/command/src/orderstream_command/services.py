"""The services over HTTP, asked as an operator asks them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any, Self

from service_common.http_client import Call, RetryingClient

from .config import CommandConfig

__all__ = [
    "EVENTS",
    "EVENTS_OF_SAGAS",
    "NOTIFICATIONS",
    "ORDER",
    "ORDERS",
    "RETRY_SAGA",
    "SAGAS",
    "SAGAS_OF_ORDER",
    "STOCK_OPERATIONS",
    "Services",
]

_REFUSALS = frozenset({"unauthorized", "invalid-token", "insufficient-scope", "forbidden", "invalid", "misdirected"})


def _call(method: str, path: str, *refusals: str) -> Call:
    # what is asked for here can be repeated; a person waits, but not for long
    return Call(
        method, path, idempotent=True, attempt_timeout_s=4.0, deadline_s=10.0, refusals=_REFUSALS.union(refusals)
    )


ORDERS = _call("GET", "/orders")
ORDER = _call("GET", "/orders/{order_id}", "order-not-found")
EVENTS = _call("GET", "/order/events", "order-not-found")
EVENTS_OF_SAGAS = _call("GET", "/sagas/{order_id}/events", "saga-not-found")
STOCK_OPERATIONS = _call("GET", "/stock-operations")
NOTIFICATIONS = _call("GET", "/notifications")
SAGAS = _call("GET", "/sagas")
SAGAS_OF_ORDER = _call("GET", "/sagas/{order_id}", "saga-not-found")
RETRY_SAGA = _call("POST", "/sagas/{order_id}/retry", "saga-not-found", "saga-ended")


class Services:
    """A client of each service, opened when it is first asked; an async context manager."""

    def __init__(self, config: CommandConfig) -> None:
        self._config = config
        self._clients: dict[str, RetryingClient] = {}
        self._exit = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._exit.aclose()

    async def request(
        self,
        service: str,
        call: Call,
        *,
        path: Mapping[str, str | int] | None = None,
        query: Sequence[tuple[str, str]] = (),
    ) -> dict[str, Any]:
        """Carry out *call* and return the JSON object that it answers.

        Raises:
            RefusedError: the service refuses it.
            UnavailableError: the service can't be reached, or fails.
        """
        reply = await (await self._client(service)).request(call, path=path or {}, query=query)
        return dict(reply.data)

    async def _client(self, service: str) -> RetryingClient:
        if service not in self._clients:
            client = RetryingClient(self._config.urls[service], name=f"{service}-service", token=self._config.token)
            self._clients[service] = await self._exit.enter_async_context(client)
        return self._clients[service]
