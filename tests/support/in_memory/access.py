"""Tickets and disconnections in memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from notification_service.access import Disconnection
from service_common.auth import Principal

__all__ = ["InMemoryAccess"]


class InMemoryAccess:
    """A `TicketTable` and a `DisconnectionStore`."""

    def __init__(self) -> None:
        self._tickets: dict[bytes, tuple[Principal, datetime]] = {}
        self._customers: list[str] = []

    async def issue_ticket(self, digest: bytes, principal: Principal, *, valid_s: float, max_open: int) -> datetime:
        of_subject = [each for each, (whose, _) in self._tickets.items() if whose.subject == principal.subject]
        for oldest in of_subject[: len(of_subject) + 1 - max_open]:
            del self._tickets[oldest]
        now = datetime.now(UTC)
        expires_at = now + timedelta(seconds=min(valid_s, principal.expires_at - now.timestamp()))
        self._tickets[digest] = principal, expires_at
        return expires_at

    async def take_ticket(self, digest: bytes) -> Principal | None:
        principal, expires_at = self._tickets.pop(digest, (None, datetime.min.replace(tzinfo=UTC)))
        return principal if expires_at > datetime.now(UTC) else None

    async def disconnect(self, customer: str) -> Disconnection:
        self._customers.append(customer)
        deleted = [each for each, (whose, _) in self._tickets.items() if whose.subject == customer]
        for each in deleted:
            del self._tickets[each]
        return Disconnection(len(deleted), 1)

    async def disconnections(self, after: int) -> tuple[int, Sequence[str]]:
        return len(self._customers), self._customers[after:]

    def expire(self) -> int:
        expired = [each for each, (_, expires_at) in self._tickets.items() if expires_at <= datetime.now(UTC)]
        for each in expired:
            del self._tickets[each]
        return len(expired)
