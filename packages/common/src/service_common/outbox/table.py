"""The outbox as the relay sees it: what is due, what was sent, what has to wait."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..events import Event, event_id
from ..postgres import Database, load_statements

__all__ = ["OutboxRow", "OutboxTable"]

_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 15.0
_PURGE_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One event for one queue, as it was committed."""

    id: int
    destination: str
    type: str
    subject: str | None
    event_key: str
    data: Mapping[str, Any]
    traceparent: str | None
    occurred_at: datetime

    def event(self, source: str) -> Event:
        """Return the event that *source* announces."""
        return Event(
            id=event_id(self.event_key),
            source=source,
            type=self.type,
            subject=self.subject,
            time=self.occurred_at,
            traceparent=self.traceparent,
            data=self.data,
        )


class OutboxTable:
    """The statements of the relay; each raises what :class:`Database` raises."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_statements("service_common.outbox")

    async def claim(
        self, limit: int, lease_s: float, *, excluded: Collection[str] = (), sent: Collection[int] = ()
    ) -> list[OutboxRow]:
        """Take the oldest *limit* events that are due and hide them from other relays for *lease_s* seconds.

        Events for the destinations in *excluded* stay, and so do those of a subject with an earlier one that is neither
        sent nor taken here. Those in *sent* are marked as sent in passing.
        """
        rows = await self._database.fetch(
            self._sql["claim"],
            {"limit": limit, "lease_s": lease_s, "excluded": list(excluded), "sent": list(sent)},
        )
        return sorted((OutboxRow(*row) for row in rows), key=lambda row: row.id)

    async def mark_sent(self, ids: Collection[int]) -> None:
        """Note that the queue has taken them."""
        await self._database.execute(self._sql["mark_sent"], {"ids": list(ids)})

    async def postpone(self, ids: Collection[int]) -> None:
        """Let them become due again after a pause that grows with their attempts, at most 15 s."""
        await self._database.execute(
            self._sql["postpone"], {"ids": list(ids), "first_s": _FIRST_PAUSE_S, "cap_s": _LONGEST_PAUSE_S}
        )

    async def backlog(self) -> tuple[int, float]:
        """Return how many events are not sent, and the age of the oldest in seconds."""
        [(pending, oldest_s)] = await self._database.fetch(self._sql["backlog"])
        return pending, oldest_s

    async def purge(self, retention_s: float) -> int:
        """Delete some of the events that were sent more than *retention_s* seconds ago; return how many."""
        return await self._database.execute(self._sql["purge"], {"limit": _PURGE_LIMIT, "retention_s": retention_s})
