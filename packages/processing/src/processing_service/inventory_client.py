"""Client of the inventory service: takes and releases stock over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from order_contracts import Item
from service_common.errors import UnavailableError
from service_common.http_client import Call, RefusedError, RetryingClient

from .saga import Refused, Succeeded, Unanswered

__all__ = ["HttpStockGateway"]


def _is_list_of_items(data: object) -> bool:
    match data:
        case {"items": list()}:
            return True
    return False


_TAKE = Call(
    "POST",
    "/inventory/decrement",
    idempotent=True,
    attempt_timeout_s=2.0,
    deadline_s=4.0,
    # after operation-released the order service answers that the order was cancelled or changed
    refusals=frozenset({"product-not-found", "short-stock", "operation-released", "operation-reused", "invalid"}),
    shape=_is_list_of_items,
)
_RELEASE = Call(
    "POST", "/inventory/release", idempotent=True, attempt_timeout_s=2.0, deadline_s=4.0, shape=_is_list_of_items
)


class HttpStockGateway:
    """A `StockGateway` on the internal endpoints of the inventory service."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client

    async def take(self, operation_id: str, items: Sequence[Item]) -> Succeeded | Refused | Unanswered:
        """Take all *items* or none, once for each operation id."""
        body = {
            "operationId": operation_id,
            "items": [{"productId": item.product_id, "quantity": item.quantity} for item in items],
        }
        try:
            await self._client.request(_TAKE, json=body)
        except RefusedError as error:
            return Refused(error.problem.detail or error.detail)  # the customer reads the inventory's own detail
        except UnavailableError as error:
            return Unanswered.by(error)
        return Succeeded()

    async def release(self, operation_id: str) -> Succeeded | Unanswered:
        """Return to the stock what the operation took."""
        try:
            await self._client.request(_RELEASE, json={"operationId": operation_id})
        except UnavailableError as error:
            return Unanswered.by(error)
        return Succeeded()
