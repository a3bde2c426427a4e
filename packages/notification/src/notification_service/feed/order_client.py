"""Client of the order service: lists changed orders over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any

from service_common.errors import UnavailableError
from service_common.http_client import Call, RefusedError, RetryingClient

from .missing import ListedOrder

__all__ = ["HttpChangedOrders"]

_CHANGES = Call("GET", "/order/changes", idempotent=True, attempt_timeout_s=6.0, deadline_s=15.0)


class HttpChangedOrders:
    """`ChangedOrders` on the internal endpoint of the order service."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client

    async def after(self, position: str, *, min_age_s: float, limit: int) -> tuple[Sequence[ListedOrder], str]:
        """Return orders that changed after *position*; see :class:`~notification_service.feed.ports.ChangedOrders`."""
        query = {"after": position} if position else {}
        query |= {"minAgeS": str(ceil(min_age_s)), "limit": str(limit)}
        try:
            page = (await self._client.request(_CHANGES, query=query)).data
            return [_order(each) for each in page["changes"]], str(page["next"])
        except RefusedError as error:
            # a wrong token, or a former version of the service: the comparison continues when that is mended
            raise UnavailableError(error.detail) from error
        except (KeyError, TypeError, ValueError) as error:
            raise UnavailableError(f"order-service answered with no list of changes: {error!r}") from error


def _order(change: Any) -> ListedOrder:
    reason = change["failureReason"]
    return ListedOrder(
        id=int(change["id"]),
        version=int(change["version"]),
        status=str(change["status"]),
        created_at=datetime.fromisoformat(change["createdAt"]).astimezone(UTC),
        updated_at=datetime.fromisoformat(change["updatedAt"]).astimezone(UTC),
        failure_reason=None if reason is None else str(reason),
    )
