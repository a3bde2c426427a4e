"""Client of the order service: lists changed orders over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from math import ceil
from typing import Any

from service_common.errors import UnavailableError
from service_common.http_client import Call, RetryingClient
from service_common.scope import ANONYMOUS

from .missing import ListedOrder

__all__ = ["HttpChangedOrders"]


def _is_page(data: object) -> bool:
    match data:
        case {"changes": list(changes), "next": str()}:
            return all(map(_is_change, changes))
    return False


def _is_change(data: object) -> bool:
    match data:
        case {
            "id": int(),
            "version": int(),
            "status": str(),
            "createdAt": str(),
            "updatedAt": str(),
            "failureReason": None | str(),
            **rest,
        }:
            return isinstance(rest.get("customerId", ANONYMOUS), str)
    return False


# it has no refusals: a wrong token or a former version of the service is an outage until somebody mends it
_CHANGES = Call("GET", "/order/changes", idempotent=True, attempt_timeout_s=6.0, deadline_s=15.0, shape=_is_page)


class HttpChangedOrders:
    """`ChangedOrders` on the internal endpoint of the order service."""

    def __init__(self, client: RetryingClient) -> None:
        self._client = client

    async def after(self, position: str, *, min_age_s: float, limit: int) -> tuple[Sequence[ListedOrder], str]:
        """Return orders that changed after *position*; see :class:`~notification_service.feed.ports.ChangedOrders`."""
        query = {"after": position} if position else {}
        query |= {"minAgeS": str(ceil(min_age_s)), "limit": str(limit)}
        page = (await self._client.request(_CHANGES, query=query)).data
        try:
            return [_order(each) for each in page["changes"]], page["next"]
        except ValueError as error:
            raise UnavailableError(f"order-service: not a list of changes: {error}") from error


def _order(change: Any) -> ListedOrder:
    return ListedOrder(
        id=change["id"],
        version=change["version"],
        status=change["status"],
        created_at=datetime.fromisoformat(change["createdAt"]).astimezone(UTC),
        updated_at=datetime.fromisoformat(change["updatedAt"]).astimezone(UTC),
        failure_reason=change["failureReason"],
        customer_id=change.get("customerId", ANONYMOUS),
    )
