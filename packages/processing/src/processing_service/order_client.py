"""The order service over HTTP, as the place where orders end."""

from __future__ import annotations

from service_common.errors import UnavailableError
from service_common.http_client import Call, RefusedError, RetryingClient

from .saga import Succeeded, Unanswered, Withdrawn

__all__ = ["HttpOrderGateway"]

_CLOSE = Call("POST", "/order/close/{order_id}", idempotent=True, attempt_timeout_s=2.0, deadline_s=4.0)
_FAIL = Call("POST", "/order/fail/{order_id}", idempotent=True, attempt_timeout_s=2.0, deadline_s=4.0)
# there is no such order, or it has ended in another way or has another version
_WITHDRAWN = frozenset({404, 409})


class HttpOrderGateway:
    """Ends orders by the internal endpoints of the order service; a repeat of the same end is a success there."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client

    async def close(self, order_id: int, version: int) -> Succeeded | Withdrawn | Unanswered:
        """End this version of the order well."""
        return await self._end(_CLOSE, order_id, {"version": version})

    async def fail(self, order_id: int, version: int, reason: str) -> Succeeded | Withdrawn | Unanswered:
        """End this version of the order for *reason*."""
        return await self._end(_FAIL, order_id, {"version": version, "reason": reason})

    async def _end(self, call: Call, order_id: int, body: object) -> Succeeded | Withdrawn | Unanswered:
        try:
            await self._client.request(call, path={"order_id": order_id}, json=body)
        except RefusedError as error:
            # any other 4xx is a fault of ours or of the set-up, such as a wrong token: no order is to pay for that
            return Withdrawn(error.detail) if error.status in _WITHDRAWN else Unanswered(error.detail)
        except UnavailableError as error:
            return Unanswered(error.detail, error.retry_after_s)
        return Succeeded()
