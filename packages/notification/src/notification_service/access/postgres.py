"""Adapter: tickets and disconnections in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from service_common.auth import Caller, Principal
from service_common.postgres import Database, Params, Row, load_statements

from .disconnector import Disconnection

__all__ = ["SqlAccess"]


class SqlAccess:
    """Tables of ``migrations/0006_tickets.sql``; each call is one statement, and times are those of the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_statements("notification_service.access")

    async def issue_ticket(self, digest: bytes, principal: Principal, *, valid_s: float, max_open: int) -> datetime:
        """Store a ticket; see :class:`~service_common.auth.TicketTable`."""
        row = await self._one(
            "issue_ticket",
            {
                "digest": digest,
                "subject": principal.subject,
                "kind": principal.kind.name,
                "roles": list(principal.roles),
                "token_expires_at": principal.expires_at,
                "valid_s": valid_s,
                "others": max_open - 1,
            },
        )
        expires_at: datetime = row[0]
        return expires_at

    async def take_ticket(self, digest: bytes) -> Principal | None:
        """Take a ticket; see :class:`~service_common.auth.TicketTable`."""
        row = await self._database.fetch_one(self._sql["take_ticket"], {"digest": digest})
        if row is None:
            return None
        subject, kind, roles, token_expires_at, valid = row
        return Principal(Caller[kind], subject, frozenset(roles), token_expires_at) if valid else None

    async def disconnect(self, customer: str) -> Disconnection:
        """Store a request; see :class:`~notification_service.access.DisconnectionStore`."""
        tickets, replicas, _ = await self._one("disconnect", {"customer": customer})
        return Disconnection(tickets, replicas)

    async def disconnections(self, after: int) -> tuple[int, Sequence[str]]:
        """Return the requests; see :class:`~notification_service.access.DisconnectionStore`."""
        rows = await self._database.fetch(self._sql["read_disconnections"], {"after": after})
        return rows[0][0], [customer for _, customer in rows if customer is not None]

    async def expire(self, keep_s: float) -> int:
        """Delete expired tickets, and requests older than *keep_s* seconds; return the number of tickets."""
        return await self._database.execute(self._sql["expire_tickets"], {"keep_s": keep_s})

    async def _one(self, statement: str, params: Params) -> Row:
        row = await self._database.fetch_one(self._sql[statement], params)
        if row is None:
            raise LookupError(f"{statement} returned no row")
        return row
