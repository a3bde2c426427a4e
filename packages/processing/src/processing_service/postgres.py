"""The sagas in PostgreSQL, and the outbox beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from service_common.call_batcher import CallBatcher
from service_common.events import Item
from service_common.postgres import Database, Json, Row, load_statements

from .ports import Admission, Census, Claim, SagaRecord
from .saga import LATE_AFTER_S, Saga, State

__all__ = ["SqlSagas"]


@dataclass(frozen=True, slots=True)
class _Change:
    claim: Claim
    saga: Saga
    entered: Mapping[State, datetime]
    delay_s: float | None


class SqlSagas:
    """A `SagaRepository` and `SagaReader` on PostgreSQL.

    Starts that happen together share a statement, and so do writes: under load the number of commits grows more slowly
    than the number of sagas.

    Args:
        database: holds the tables of ``processing_service.migrations`` and ``service_common.outbox.migrations``.
        destination: the queue for the events that tell of an end.
        lease_s: how long a claim holds without a write, in seconds; longer than two steps take.
    """

    def __init__(self, database: Database, destination: str, *, lease_s: float = 10.0) -> None:
        self._database = database
        self._destination = destination
        self._lease_s = lease_s
        self._sql = load_statements(__package__)
        self._starts = CallBatcher[tuple[Saga, bool], Admission](self._start_all)
        self._changes = CallBatcher[_Change, bool](self._save_all)

    async def start(self, saga: Saga, *, claimed: bool) -> Admission:
        """Store a new saga."""
        return await self._starts.submit((saga, claimed))

    async def claim(self, limit: int) -> list[Claim]:
        """Claim sagas that are due."""
        rows = await self._database.fetch(self._sql["claim_sagas"], {"limit": limit, "lease_s": self._lease_s})
        return [_claim(row) for row in rows]

    async def save(
        self, claim: Claim, saga: Saga, entered: Mapping[State, datetime], delay_s: float | None = None
    ) -> bool:
        """Write what became of a claimed saga."""
        return await self._changes.submit(_Change(claim, saga, entered, delay_s))

    async def hand_back(self, claims: Sequence[Claim]) -> None:
        """Give up claims."""
        await self._database.execute(
            self._sql["hand_back_sagas"],
            {
                "claims": Json(
                    [
                        {"order_id": claim.saga.order_id, "version": claim.saga.version, "fence": claim.fence}
                        for claim in claims
                    ]
                )
            },
        )

    async def of_order(self, order_id: int) -> list[SagaRecord]:
        """Return the sagas of an order."""
        rows = await self._database.fetch(
            self._sql["sagas_of_order"], {"order_id": order_id, "late_after_s": LATE_AFTER_S}
        )
        return [_record(row) for row in rows]

    async def search(self, *, state: State | None, late: bool | None, limit: int) -> list[SagaRecord]:
        """Return sagas in a state, late or not."""
        rows = await self._database.fetch(
            self._sql["search_sagas"],
            {
                "state": state and state.value,
                "open": None if state is None else not state.ended,  # an index tells the open ones
                "late": late,
                "late_after_s": LATE_AFTER_S,
                "limit": limit,
            },
        )
        return [_record(row) for row in rows]

    async def census(self) -> Census:
        """Count what is open."""
        rows = await self._database.fetch(self._sql["count_open_sagas"], {"late_after_s": LATE_AFTER_S})
        return Census(
            open={State(state): count for state, count, _, _ in rows},
            late=sum(late for _, _, late, _ in rows),
            oldest_s=max((oldest_s for _, _, _, oldest_s in rows), default=0.0),
        )

    async def close(self) -> None:
        """Return when everything that was submitted is written."""
        await self._starts.close()
        await self._changes.close()

    async def _start_all(self, batch: Sequence[tuple[Saga, bool]]) -> list[Admission | Exception]:
        rows = await self._database.fetch(
            self._sql["start_sagas"], {"sagas": Json(_starts(batch)), "lease_s": self._lease_s}
        )
        fences = {(order_id, version): fence for order_id, version, fence in rows}
        # taken out, so that the second of two alike finds itself a duplicate
        return [_admission(saga, fences.pop((saga.order_id, saga.version), None)) for saga, _ in batch]

    async def _save_all(self, batch: Sequence[_Change]) -> list[bool | Exception]:
        rows = await self._database.fetch(
            self._sql["save_sagas"],
            {
                "changes": Json([_written(change) for change in batch]),
                "count": len(batch),
                "lease_s": self._lease_s,
                "destination": self._destination,
            },
        )
        held = set(rows)
        return [(change.saga.order_id, change.saga.version) in held for change in batch]


def _starts(batch: Sequence[tuple[Saga, bool]]) -> list[dict[str, Any]]:
    # the statement does not see the rows that it inserts: here is said what waits for an older version of its batch
    oldest: dict[int, int] = {}
    for saga, _ in batch:
        oldest[saga.order_id] = min(saga.version, oldest.get(saga.order_id, saga.version))
    return [_start(saga, claimed=claimed and saga.version == oldest[saga.order_id]) for saga, claimed in batch]


def _start(saga: Saga, *, claimed: bool) -> dict[str, Any]:
    return {
        "order_id": saga.order_id,
        "version": saga.version,
        "items": [{"productId": item.product_id, "quantity": item.quantity} for item in saga.items],
        "traceparent": saga.traceparent,
        "claimed": claimed,
    }


def _admission(saga: Saga, fence: int | None) -> Admission:
    if fence is None:
        return Admission(new=False)
    return Admission(new=True, claim=Claim(saga, fence) if fence else None)


def _written(change: _Change) -> dict[str, Any]:
    saga = change.saga
    return {
        "order_id": saga.order_id,
        "version": saga.version,
        "fence": change.claim.fence,
        "state": saga.state,
        "reason": saga.reason,
        "attempts": saga.attempts,
        "failures": saga.failures,
        "last_error": saga.last_error,
        "delay_s": change.delay_s,
        "ended": saga.ended,
        "event": saga.event,
        "entered": {state.value: at for state, at in change.entered.items()},
    }


def _claim(row: Row) -> Claim:
    order_id, version, items, traceparent, state, reason, attempts, failures, last_error, fence, age_s = row
    saga = Saga(
        order_id=order_id,
        version=version,
        items=tuple(Item(item["productId"], item["quantity"]) for item in items),
        traceparent=traceparent,
        state=State(state),
        reason=reason,
        attempts=attempts,
        failures=failures,
        last_error=last_error,
    )
    return Claim(saga, fence, age_s)


def _record(row: Row) -> SagaRecord:
    order_id, version, state, attempts, last_error, reason, next_run_at, late, entered = row
    return SagaRecord(
        order_id=order_id,
        version=version,
        state=State(state),
        attempts=attempts,
        last_error=last_error,
        reason=reason,
        next_run_at=next_run_at,
        late=late,
        entered=_moments(entered),
    )


def _moments(entered: Mapping[str, str]) -> dict[State, datetime]:
    # in the order of the states, which holds even where the clocks of two engines differ
    return {state: datetime.fromisoformat(entered[state]) for state in State if state in entered}
