"""The table of the outbox in memory; `claim_outbox_events` in the migrations of the outbox has the same rules."""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = ["InMemoryOutbox", "StoredRow"]

NEVER = datetime.max.replace(tzinfo=UTC)  # ``infinity`` in PostgreSQL


@dataclass(slots=True)
class StoredRow:
    """A row of ``outbox_event``."""

    id: int
    destination: str
    type: str
    subject: str | None
    event_key: str
    data: Mapping[str, Any]
    traceparent: str | None
    occurred_at: datetime
    created_at: datetime
    available_at: datetime
    attempts: int = 0
    sent_at: datetime | None = None
    tracestate: str | None = None


class InMemoryOutbox:
    """Events by their ids; *rows* has them in that order."""

    def __init__(self) -> None:
        self.rows: dict[int, StoredRow] = {}
        self._facts: dict[tuple[str, str], StoredRow] = {}
        self._last_id = 0

    def add(
        self,
        destination: str,
        event_type: str,
        subject: str | None,
        event_key: str,
        *,
        data: Mapping[str, Any],
        traceparent: str | None = None,
        tracestate: str | None = None,
        occurred_at: datetime | None = None,
    ) -> None:
        """Add an event, unless the same fact was added for the same destination."""
        if (event_key, destination) in self._facts:
            return
        now = datetime.now(UTC)
        self._last_id += 1
        row = StoredRow(
            id=self._last_id,
            destination=destination,
            type=event_type,
            subject=subject,
            event_key=event_key,
            data=data,
            traceparent=traceparent,
            tracestate=tracestate,
            occurred_at=occurred_at or now,
            created_at=now,
            available_at=now,
        )
        self.rows[row.id] = self._facts[event_key, destination] = row

    def find(self, event_key: str, destination: str) -> StoredRow | None:
        """Return the event of a fact."""
        return self._facts.get((event_key, destination))

    def claim(self, limit: int, lease_s: float, excluded: Collection[str], sent: Collection[int]) -> list[StoredRow]:
        """Mark *sent*, then claim the oldest due events, each only together with the earlier ones of its subject."""
        self.mark_sent(sent)
        now = datetime.now(UTC)
        unsent = self._unsent()
        first: dict[tuple[str, str | None], StoredRow] = {}
        for row in unsent:
            first.setdefault((row.destination, row.subject), row)
        due = [
            row
            for row in unsent
            if row.available_at <= now
            and row.destination not in excluded
            and (row.subject is None or first[row.destination, row.subject].available_at <= now)
        ][:limit]
        waiting = {(row.destination, row.subject): row.id for row in reversed(unsent) if row not in due}
        claimed = [
            row
            for row in due
            if row.subject is None or row.id < waiting.get((row.destination, row.subject), row.id + 1)
        ]
        for row in claimed:
            row.available_at = now + timedelta(seconds=lease_s)
            row.attempts += 1
        return claimed

    def mark_sent(self, ids: Collection[int]) -> None:
        for row in self._unsent():
            if row.id in ids:
                row.sent_at = datetime.now(UTC)

    def postpone(self, ids: Collection[int], first_s: float, cap_s: float) -> None:
        """Make events due again after a random delay that grows with their attempts; never at once."""
        for row in self._unsent():
            if row.id in ids:
                bound_s = min(cap_s, first_s * 2.0 ** min(row.attempts - 1, 30))
                row.available_at = datetime.now(UTC) + timedelta(seconds=bound_s * (0.1 + 0.9 * random.random()))

    def set_aside(self, ids: Collection[int]) -> None:
        """Never send these events, and keep them."""
        for row_id in ids:
            self.rows[row_id].sent_at = NEVER

    def backlog(self) -> tuple[int, float]:
        """Return how many events are not sent, and the age of the oldest in seconds."""
        unsent = self._unsent()
        oldest = min((row.created_at for row in unsent), default=None)
        return len(unsent), 0.0 if oldest is None else (datetime.now(UTC) - oldest).total_seconds()

    def purge(self, limit: int, retention_s: float) -> int:
        """Delete those of the *limit* oldest events that were sent long enough ago; return how many."""
        horizon = datetime.now(UTC) - timedelta(seconds=retention_s)
        expired = [row for row in list(self.rows.values())[:limit] if row.sent_at is not None and row.sent_at < horizon]
        for row in expired:
            del self.rows[row.id], self._facts[row.event_key, row.destination]
        return len(expired)

    def _unsent(self) -> list[StoredRow]:
        return [row for row in self.rows.values() if row.sent_at is None]
