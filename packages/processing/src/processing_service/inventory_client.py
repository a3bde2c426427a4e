"""Client of the inventory service: takes and releases stock over HTTP."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from order_contracts import Item
from service_common.errors import UnavailableError
from service_common.http_client import Call, RefusedError, RetryingClient
from service_common.http_server import Problem

from .saga import Refused, Succeeded, Unanswered
from .shared_calls import Body, SharedCalls

__all__ = ["HttpStockGateway"]


def _is_list_of_items(data: object) -> bool:
    match data:
        case {"items": list()}:
            return True
    return False


# after operation-released the order service answers that the order was cancelled or changed
_REFUSALS = frozenset({"product-not-found", "short-stock", "operation-released", "operation-reused", "invalid"})
_TAKE = Call(
    "POST",
    "/inventory/decrement",
    idempotent=True,
    attempt_timeout_s=2.0,
    deadline_s=4.0,
    refusals=_REFUSALS,
    shape=_is_list_of_items,
)
_RELEASE = Call(
    "POST", "/inventory/release", idempotent=True, attempt_timeout_s=2.0, deadline_s=4.0, shape=_is_list_of_items
)


def _is_count(data: object) -> bool:
    match data:
        case {"forgotten": int()}:
            return True
    return False


_FORGET = Call("POST", "/inventory/forget", idempotent=True, attempt_timeout_s=5.0, deadline_s=10.0, shape=_is_count)
MAX_FORGOTTEN = 1_000


class HttpStockGateway:
    """A `StockGateway` and `StockOperations` on the internal endpoints of the inventory service."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client
        self._takes = SharedCalls[Refused](
            client,
            "/inventory/decrements",
            "operations",
            alone=self._take,
            succeeded=_is_list_of_items,
            refusals=_REFUSALS,
            refused=_refused,
        )

    async def take(self, operation_id: str, items: Sequence[Item]) -> Succeeded | Refused | Unanswered:
        """Take all *items* or none, once for each operation id."""
        lines = [{"productId": item.product_id, "quantity": item.quantity} for item in items]
        return await self._takes({"operationId": operation_id, "items": lines})

    async def release(self, operation_id: str) -> Succeeded | Unanswered:
        """Return to the stock what the operation took."""
        return await self._done(_RELEASE, {"operationId": operation_id})

    async def forget(self, operation_ids: Sequence[str]) -> Succeeded | Unanswered:
        """Forget the outcomes of operations."""
        for start in range(0, len(operation_ids), MAX_FORGOTTEN):
            body = {"operationIds": operation_ids[start : start + MAX_FORGOTTEN]}
            if isinstance(done := await self._done(_FORGET, body), Unanswered):
                return done
        return Succeeded()

    async def _done(self, call: Call, body: Mapping[str, object]) -> Succeeded | Unanswered:
        try:
            await self._client.request(call, json=body)
        except UnavailableError as error:
            return Unanswered.by(error)
        return Succeeded()

    async def _take(self, body: Body) -> Succeeded | Refused | Unanswered:
        try:
            await self._client.request(_TAKE, json=body)
        except RefusedError as error:
            return _refused(error.problem)
        except UnavailableError as error:
            return Unanswered.by(error)
        return Succeeded()


def _refused(problem: Problem) -> Refused:
    # the customer reads the inventory's own detail
    return Refused(problem.detail or f"inventory-service answered {problem.status}: {problem.title}")
