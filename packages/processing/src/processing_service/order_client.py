"""Client of the order service: confirms, closes and fails orders over HTTP."""

from __future__ import annotations

from functools import partial

from service_common.errors import UnavailableError
from service_common.http_client import Call, RefusedError, RetryingClient

from .saga import Succeeded, Unanswered, Withdrawn
from .shared_calls import Body, SharedCalls

__all__ = ["HttpOrderGateway"]


_REFUSALS = frozenset({"order-not-found", "order-state", "order-version"})


def _is_ended(status: str, data: object) -> bool:
    match data:
        case {"id": int(), "status": str(ended)}:
            return ended == status
    return False


def _ending(path: str, status: str) -> Call:
    return Call(
        "POST",
        path,
        idempotent=True,
        attempt_timeout_s=2.0,
        deadline_s=4.0,
        refusals=_REFUSALS,
        shape=partial(_is_ended, status),
    )


def _is_order(data: object) -> bool:
    match data:
        case {"id": int(), "version": int(), "status": str()}:
            return True
    return False


_GET = Call(
    "GET",
    "/orders/{order_id}",
    idempotent=True,
    attempt_timeout_s=2.0,
    deadline_s=4.0,
    refusals=frozenset({"order-not-found"}),
    shape=_is_order,
)
_CLOSE = _ending("/order/close/{order_id}", "CLOSED")
_FAIL = _ending("/order/fail/{order_id}", "FAILED")


class HttpOrderGateway:
    """An `OrderGateway` on the endpoints of the order service; the internal ones are idempotent."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client
        self._closings = SharedCalls[Withdrawn](
            client,
            "/order/close",
            "orders",
            alone=self._close,
            succeeded=partial(_is_ended, "CLOSED"),
            refusals=_REFUSALS,
            refused=lambda problem: Withdrawn(
                f"order-service answered {problem.status}: {problem.detail or problem.title}"
            ),
        )

    async def confirm(self, order_id: int, version: int) -> Succeeded | Withdrawn | Unanswered:
        """Confirm that this version of the order is CREATED, or CLOSED already."""
        try:
            order = (await self._client.request(_GET, path={"order_id": order_id})).data
        except RefusedError as error:
            return Withdrawn(error.detail)
        except UnavailableError as error:
            return Unanswered.by(error)
        if order["version"] == version and order["status"] in {"CREATED", "CLOSED"}:
            return Succeeded()
        return Withdrawn(f"Order {order_id} is {order['status']} in version {order['version']}.")

    async def close(self, order_id: int, version: int) -> Succeeded | Withdrawn | Unanswered:
        """Close this version of the order."""
        return await self._closings({"orderId": order_id, "version": version})

    async def fail(self, order_id: int, version: int, reason: str) -> Succeeded | Withdrawn | Unanswered:
        """Fail this version of the order for *reason*."""
        return await self._end(_FAIL, order_id, {"version": version, "reason": reason})

    async def _close(self, body: Body) -> Succeeded | Withdrawn | Unanswered:
        return await self._end(_CLOSE, body["orderId"], {"version": body["version"]})

    async def _end(self, call: Call, order_id: object, body: object) -> Succeeded | Withdrawn | Unanswered:
        try:
            await self._client.request(call, path={"order_id": str(order_id)}, json=body)
        except RefusedError as error:
            return Withdrawn(error.detail)
        except UnavailableError as error:
            return Unanswered.by(error)
        return Succeeded()
