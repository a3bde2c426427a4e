"""Tickets: in the URL of a request that can't carry an access token in a header; each good once, for a short time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, Protocol

from aiohttp import web

from ..errors import UnauthorizedError
from .principal import Principal

__all__ = ["TICKETS", "TICKET_PARAMETER", "InvalidTicketError", "IssuedTicket", "TicketTable", "Tickets"]

TICKET_PARAMETER: Final = "ticket"
VALID_S = 30.0
# of one subject; in open mode all clients are one
MAX_OPEN = 1_000
_RANDOM_BYTES = 24


class InvalidTicketError(UnauthorizedError):
    """The ticket is unknown, expired or used."""

    slug = "invalid-ticket"


@dataclass(frozen=True, slots=True)
class IssuedTicket:
    """A ticket, and when it expires."""

    ticket: str
    expires_at: datetime


class TicketTable(Protocol):
    """Port: digests of the open tickets, shared by all replicas."""

    async def issue_ticket(self, digest: bytes, principal: Principal, *, valid_s: float, max_open: int) -> datetime:
        """Store a ticket of *principal* and return when it expires: after *valid_s* seconds, or with its token.

        The oldest tickets of the subject are deleted, so that it has about *max_open* at most.

        Raises:
            UnavailableError: the table can't be reached.
        """

    async def take_ticket(self, digest: bytes) -> Principal | None:
        """Delete a ticket and return whose it is; None when there is none, or it has expired.

        Raises:
            UnavailableError: the table can't be reached; the ticket may be deleted.
        """


class Tickets:
    """Issues tickets, and takes each once. The table has digests alone: whoever reads it can't connect."""

    def __init__(self, table: TicketTable) -> None:
        self._table = table

    async def issue(self, principal: Principal) -> IssuedTicket:
        """Return a new ticket of *principal*.

        Raises:
            UnavailableError: the table can't be reached.
        """
        ticket = secrets.token_urlsafe(_RANDOM_BYTES)
        expires_at = await self._table.issue_ticket(_digest(ticket), principal, valid_s=VALID_S, max_open=MAX_OPEN)
        return IssuedTicket(ticket, expires_at)

    async def take(self, ticket: str) -> Principal:
        """Return who got *ticket*, which can't be used again.

        Raises:
            InvalidTicketError: it is unknown, expired or used.
            UnavailableError: the table can't be reached.
        """
        principal = await self._table.take_ticket(_digest(ticket))
        if principal is None:
            raise InvalidTicketError("The ticket is unknown, expired or used: get another.")
        return principal


TICKETS = web.AppKey("tickets", Tickets)


def _digest(ticket: str) -> bytes:
    return sha256(ticket.encode(errors="surrogatepass")).digest()
