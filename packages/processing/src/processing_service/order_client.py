"""Client of the order service: closes and fails orders over HTTP."""

from __future__ import annotations

from service_common.errors import UnavailableError
from service_common.http_client import Call, RefusedError, RetryingClient

from .saga import Succeeded, Unanswered, Withdrawn

__all__ = ["HttpOrderGateway"]

_CLOSE = Call("POST", "/order/close/{order_id}", idempotent=True, attempt_timeout_s=2.0, deadline_s=4.0)
_FAIL = Call("POST", "/order/fail/{order_id}", idempotent=True, attempt_timeout_s=2.0, deadline_s=4.0)
# 404 the order does not exist; 409 it has another final status or another version
_WITHDRAWN = frozenset({404, 409})


class HttpOrderGateway:
    """An `OrderGateway` on the internal endpoints of the order service, which are idempotent."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client

    async def close(self, order_id: int, version: int) -> Succeeded | Withdrawn | Unanswered:
        """Close this version of the order."""
        return await self._end(_CLOSE, order_id, {"version": version})

    async def fail(self, order_id: int, version: int, reason: str) -> Succeeded | Withdrawn | Unanswered:
        """Fail this version of the order for *reason*."""
        return await self._end(_FAIL, order_id, {"version": version, "reason": reason})

    async def _end(self, call: Call, order_id: int, body: object) -> Succeeded | Withdrawn | Unanswered:
        try:
            await self._client.request(call, path={"order_id": order_id}, json=body)
        except RefusedError as error:
            # any other 4xx is a defect or a wrong setting, such as the token: it must not fail the order
            return Withdrawn(error.detail) if error.status in _WITHDRAWN else Unanswered(error.detail)
        except UnavailableError as error:
            return Unanswered(error.detail, error.retry_after_s)
        return Succeeded()
