"""The inventory service over HTTP, as the place where stock is taken."""

from __future__ import annotations

from collections.abc import Sequence

from order_contracts import Item
from service_common.errors import UnavailableError
from service_common.http_client import Call, RefusedError, RetryingClient

from .saga import Refused, Succeeded, Unanswered

__all__ = ["HttpStockGateway"]

_TAKE = Call("POST", "/inventory/decrement", idempotent=True, attempt_timeout_s=2.0, deadline_s=4.0)
_RELEASE = Call("POST", "/inventory/release", idempotent=True, attempt_timeout_s=2.0, deadline_s=4.0)
# Unknown product; short stock, or released before; items that the inventory does not take, or not under this id.
# It will never answer otherwise. That the operation was released before leads to the order service, too, and it is for
# that to say that the order was cancelled or changed.
_REFUSED = frozenset({404, 409, 422})


class HttpStockGateway:
    """Takes and releases stock by internal endpoints of the inventory service, which know an operation by its id."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client

    async def take(self, operation_id: str, items: Sequence[Item]) -> Succeeded | Refused | Unanswered:
        """Take all *items* or none, once."""
        body = {
            "operationId": operation_id,
            "items": [{"productId": item.product_id, "quantity": item.quantity} for item in items],
        }
        try:
            await self._client.request(_TAKE, json=body)
        except RefusedError as error:
            # any other 4xx is a fault of ours or of the set-up, such as a wrong token: no order is to pay for that
            return Refused(_reason(error)) if error.status in _REFUSED else Unanswered(error.detail)
        except UnavailableError as error:
            return Unanswered(error.detail, error.retry_after_s)
        return Succeeded()

    async def release(self, operation_id: str) -> Succeeded | Unanswered:
        """Give back what the operation took, if anything."""
        try:
            await self._client.request(_RELEASE, json={"operationId": operation_id})
        except RefusedError as error:
            return Unanswered(error.detail)
        except UnavailableError as error:
            return Unanswered(error.detail, error.retry_after_s)
        return Succeeded()


def _reason(error: RefusedError) -> str:
    """Say it in the inventory's words, which the customer is going to read."""
    return error.problem.detail or error.detail
