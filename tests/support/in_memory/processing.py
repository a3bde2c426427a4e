"""The ports of the processing service in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from order_contracts import EventType, OrderEvent
from processing_service.ports import Claim, EndedSaga, OpenSagas, SagaRecord, SagaStart
from processing_service.saga import LATE_AFTER_S, MAX_FAILED_ATTEMPTS, FailedAttempt, Saga, SagaState
from service_common.scope import Scope
from tests.support.in_memory.outbox import InMemoryOutbox

__all__ = ["InMemorySagas"]


@dataclass(slots=True)
class _Row:
    saga: Saga
    started_at: datetime
    next_run_at: datetime | None
    lease_until: datetime | None = None
    fence: int = 0
    entered: dict[SagaState, datetime] = field(default_factory=dict)
    failed_attempts: tuple[FailedAttempt, ...] = ()


class InMemorySagas:
    """A `SagaRepository`, `SagaReader` and `EndedSagas` in a dictionary."""

    def __init__(
        self,
        *,
        destination: str = "events",
        lease_s: float = 10.0,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.outbox = InMemoryOutbox()
        self._destination = destination
        self._rows: dict[tuple[int, int], _Row] = {}
        self._settled: set[int] = set()
        self._lease = timedelta(seconds=lease_s)
        self._now = now

    async def start(self, saga: Saga, *, claimed: bool) -> SagaStart:
        key = saga.order_id, saga.version
        known = self._rows.get(key)
        if saga.order_id in self._settled:
            return SagaStart(new=False)
        if known is not None and (known.saga.state is not SagaState.RELEASED or self._has_newer(saga)):
            return SagaStart(new=False)
        now = self._now()
        row = _Row(saga, now, now, entered={SagaState.STARTED: now})
        if known is not None:
            restarts = known.saga.restarts + 1
            row.fence, row.saga = known.fence + 1, replace(saga, restarts=restarts)
            row.failed_attempts = known.failed_attempts
        self._rows[key] = row
        claim = self._claim(row) if claimed and not self._waits(row) else None
        return SagaStart(new=True, claim=claim, restarts=row.saga.restarts)

    async def claim(self, limit: int) -> list[Claim]:
        now = self._now()
        due = [row for row in self._rows.values() if _is_due(row, now) and not self._waits(row)]
        due.sort(key=lambda row: row.next_run_at or now)
        return [self._claim(row) for row in due[:limit]]

    async def save(
        self,
        claim: Claim,
        saga: Saga,
        entered: Mapping[SagaState, datetime],
        delay_s: float | None = None,
        failed: FailedAttempt | None = None,
    ) -> bool:
        row = self._rows[saga.order_id, saga.version]
        if row.fence != claim.fence or row.saga.ended:
            return False
        now = self._now()
        row.entered |= entered
        if failed is not None:
            row.failed_attempts = (*row.failed_attempts, failed)[-MAX_FAILED_ATTEMPTS:]
        row.saga = saga
        row.lease_until = None if saga.ended or delay_s is not None else now + self._lease
        if saga.ended:
            row.next_run_at = None
            if saga.event is not None:
                self._announce(saga, saga.event, now)
        elif delay_s is not None:
            row.next_run_at = now + timedelta(seconds=delay_s)
        return True

    async def release_claims(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            row = self._rows[claim.saga.order_id, claim.saga.version]
            if row.fence == claim.fence:
                row.lease_until = None

    def saga(self, order_id: int, version: int) -> Saga:
        """Return a saga that was started."""
        return self._rows[order_id, version].saga

    def failed(self, order_id: int, version: int) -> tuple[FailedAttempt, ...]:
        """Return the newest failed attempts of a saga."""
        return self._rows[order_id, version].failed_attempts

    async def of_order(self, order_id: int, scope: Scope) -> list[SagaRecord]:
        rows = [self._rows[key] for key in sorted(self._rows) if key[0] == order_id]
        return [
            replace(self._record(row), failed_attempts=row.failed_attempts)
            for row in rows
            if scope.includes(row.saga.customer_id)
        ]

    async def search(self, scope: Scope, *, state: SagaState | None, late: bool | None, limit: int) -> list[SagaRecord]:
        records = [self._record(self._rows[key]) for key in sorted(self._rows, reverse=True)]
        return [
            record
            for record in records
            if scope.includes(record.customer_id)
            and state in {None, record.state}
            and (late is None or record.late is late)
        ][:limit]

    async def count_open(self) -> OpenSagas:
        rows = [row for row in self._rows.values() if not row.saga.ended]
        states = [row.saga.state for row in rows]
        return OpenSagas(
            by_state={state: states.count(state) for state in set(states)},
            late=sum(self._record(row).late for row in rows),
            oldest_s=max(((self._now() - row.started_at).total_seconds() for row in rows), default=0.0),
        )

    async def expired(self, age_s: float, limit: int) -> list[EndedSaga]:
        oldest = {order_id for order_id, _ in sorted(self._rows)[:limit]}
        kept = {row.saga.order_id for row in self._rows.values() if not self._has_expired(row, age_s)}
        rows = [self._rows[key] for key in sorted(self._rows) if key[0] in oldest - kept]
        return [EndedSaga(row.saga.order_id, row.saga.version, row.saga.restarts) for row in rows]

    async def forget(self, sagas: Sequence[EndedSaga]) -> int:
        return await self.forget_keys((each.order_id, each.version) for each in sagas)

    async def forget_keys(self, keys: Iterable[tuple[int, int]]) -> int:
        ended = [key for key in keys if key in self._rows and self._rows[key].saga.ended]
        for key in ended:
            if self._rows.pop(key).saga.state is not SagaState.RELEASED:
                self._settled.add(key[0])
        return len(ended)

    async def retry(self, order_id: int) -> None:
        now = self._now()
        for row in self._rows.values():
            leased = row.lease_until is not None and row.lease_until > now
            if row.saga.order_id == order_id and row.next_run_at is not None and not leased:
                row.next_run_at = min(row.next_run_at, now)

    def _has_expired(self, row: _Row, age_s: float) -> bool:
        return row.saga.ended and row.entered[row.saga.state] < self._now() - timedelta(seconds=age_s)

    def _announce(self, saga: Saga, event_type: EventType, now: datetime) -> None:
        reason = saga.reason if event_type is EventType.ORDER_FAILED else None
        known = ("/processing-service", saga.order_id, saga.version, now)
        event = OrderEvent(event_type, *known, reason=reason, customer_id=saga.customer_id)
        subject = str(saga.order_id)
        self.outbox.add(
            self._destination,
            event.type.value,
            subject,
            event.key,
            data=event.data,
            traceparent=saga.traceparent,
            tracestate=saga.tracestate,
            occurred_at=now,
        )

    def _has_newer(self, saga: Saga) -> bool:
        return any(order_id == saga.order_id and version > saga.version for order_id, version in self._rows)

    def _waits(self, row: _Row) -> bool:
        order_id, version = row.saga.order_id, row.saga.version
        return any(
            other.saga.order_id == order_id and other.saga.version < version and not other.saga.ended
            for other in self._rows.values()
        )

    def _claim(self, row: _Row) -> Claim:
        now = self._now()
        row.fence += 1
        row.lease_until = now + self._lease
        return Claim(row.saga, row.fence, (now - row.started_at).total_seconds())

    def _record(self, row: _Row) -> SagaRecord:
        late = not row.saga.ended and (self._now() - row.started_at).total_seconds() > LATE_AFTER_S
        return SagaRecord(
            order_id=row.saga.order_id,
            version=row.saga.version,
            state=row.saga.state,
            attempts=row.saga.attempts,
            last_error=row.saga.last_error,
            reason=row.saga.reason,
            next_run_at=row.next_run_at,
            late=late,
            entered=dict(row.entered),
            customer_id=row.saga.customer_id,
        )


def _is_due(row: _Row, now: datetime) -> bool:
    if row.next_run_at is None or row.next_run_at > now:
        return False
    return row.lease_until is None or row.lease_until <= now
