"""The outbox table: claim due events, mark sent ones, postpone failed ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..events import Event, event_id
from ..postgres import Database, load_statements
from ..timestamps import rfc3339

__all__ = ["AnnouncedEvent", "OutboxRow", "OutboxTable"]

MAX_OF_TRACE = 200


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A committed event for one queue."""

    id: int
    destination: str
    type: str
    subject: str | None
    event_key: str
    data: Mapping[str, Any]
    traceparent: str | None
    occurred_at: datetime
    tracestate: str | None = None

    def event(self, source: str) -> Event:
        """Return the event, announced by *source*."""
        return Event(
            id=event_id(self.event_key),
            source=source,
            type=self.type,
            subject=self.subject,
            time=self.occurred_at,
            traceparent=self.traceparent,
            tracestate=self.tracestate,
            data=self.data,
        )


@dataclass(frozen=True, slots=True)
class AnnouncedEvent:
    """An event for one queue, for readers: when it was stored, and sent.

    Attributes:
        sent_at: None while it is not sent.
        set_aside: the queue will never accept it.
        data: what it says; None when that was not asked for.
    """

    id: int
    event_key: str
    destination: str
    type: str
    subject: str | None
    trace_id: str | None
    occurred_at: datetime
    created_at: datetime
    sent_at: datetime | None
    set_aside: bool | None
    attempts: int
    data: Mapping[str, Any] | None

    @property
    def document(self) -> dict[str, Any]:
        """It as JSON."""
        document = {
            "id": event_id(self.event_key),
            "key": self.event_key,
            "type": self.type,
            "subject": self.subject,
            "queue": self.destination,
            "traceId": self.trace_id,
            "occurredAt": rfc3339(self.occurred_at),
            "storedAt": rfc3339(self.created_at),
            "sentAt": rfc3339(self.sent_at) if self.sent_at else None,
            "setAside": bool(self.set_aside),
            "attempts": self.attempts,
        }
        return document if self.data is None else document | {"data": self.data}


class OutboxTable:
    """The statements of the relay and of readers; each raises what :class:`Database` raises."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_statements("service_common.outbox")

    async def claim(
        self, limit: int, lease_s: float, *, excluded: Collection[str] = (), sent: Collection[int] = ()
    ) -> list[OutboxRow]:
        """Claim the oldest *limit* due events, so that no other relay claims them for *lease_s* seconds.

        Events for the destinations in *excluded* are not claimed, nor those of a subject that has an earlier event
        neither sent nor claimed here. The events in *sent* are marked as sent in the same statement.
        """
        parameters = {"limit": limit, "excluded": list(excluded), "sent": list(sent)}
        rows = await self._database.fetch_leased(self._sql["claim"], parameters, lease_s)
        return sorted((OutboxRow(*row) for row in rows), key=lambda row: row.id)

    async def mark_sent(self, ids: Collection[int]) -> None:
        """Mark events that the queue accepted."""
        await self._database.execute(self._sql["mark_sent"], {"ids": list(ids)})

    async def mark_unlocked(self, ids: Collection[int]) -> None:
        """Mark events that the queue accepted, except those that are locked: they are sent again after their lease."""
        await self._database.execute(self._sql["mark_unlocked"], {"ids": list(ids)})

    async def postpone(self, ids: Collection[int]) -> None:
        """Make events due again after a random delay that grows with their attempts, at most 15 s."""
        await self._database.execute(self._sql["postpone"], {"ids": list(ids), "first_s": 0.25, "cap_s": 15.0})

    async def set_aside(self, ids: Collection[int]) -> None:
        """Never send these events, and keep them: their ``sent_at`` is ``infinity``."""
        await self._database.execute(self._sql["set_aside"], {"ids": list(ids)})

    async def backlog(self) -> tuple[int, float]:
        """Return how many events are not sent, and the age of the oldest in seconds."""
        [(pending, oldest_s)] = await self._database.fetch(self._sql["backlog"])
        return pending, oldest_s

    async def events_of_facts(self, keys: Collection[str], *, data: bool = False) -> list[AnnouncedEvent]:
        """Return the events of the facts *keys*, the oldest first; those sent over seven days ago are deleted."""
        rows = await self._database.fetch(self._sql["events_of_facts"], {"keys": list(keys), "data": data})
        return [AnnouncedEvent(*row) for row in rows]

    async def events_of_trace(self, trace_id: str, *, data: bool = False) -> list[AnnouncedEvent]:
        """Return the events of a trace as `events_of_facts`, at most 200."""
        parameters = {"trace_id": trace_id, "limit": MAX_OF_TRACE, "data": data}
        rows = await self._database.fetch(self._sql["events_of_trace"], parameters)
        return [AnnouncedEvent(*row) for row in rows]

    async def purge(self, retention_s: float) -> int:
        """Delete up to 1,000 events that were sent more than *retention_s* seconds ago; return how many."""
        return await self._database.execute(self._sql["purge"], {"limit": 1_000, "retention_s": retention_s})
