"""Sagas in PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from order_contracts import Item
from service_common.call_batcher import CallBatcher
from service_common.errors import BusyError
from service_common.postgres import STATEMENT_SPAN, Database, Json, Row, load_statements
from service_common.scope import Scope

from .ports import Claim, EndedSaga, OpenSagas, SagaRecord, SagaStart
from .saga import LATE_AFTER_S, FailedAttempt, FailureKind, Saga, SagaState, SagaStep

__all__ = ["MIGRATIONS", "SqlSagas"]

MIGRATIONS = ("service_common.outbox.migrations", "order_contracts.migrations", "processing_service.migrations")


@dataclass(frozen=True, slots=True)
class _Change:
    claim: Claim
    saga: Saga
    entered: Mapping[SagaState, datetime]
    delay_s: float | None
    failed: FailedAttempt | None


class SqlSagas:
    """A `SagaRepository`, `SagaReader` and `EndedSagas` on PostgreSQL.

    One statement stores concurrent starts, and one concurrent writes: under load many sagas share a commit. Where one
    of them is locked, the others are written without it.

    Args:
        database: has the tables of `MIGRATIONS`.
        destinations: the queues of the events.
        lease_s: how long a claim lasts after its last write, in seconds; longer than two steps take.
    """

    def __init__(self, database: Database, *destinations: str, lease_s: float = 10.0) -> None:
        self._database = database
        self._destinations = list(destinations)
        self._lease_s = lease_s
        self._sql = load_statements(__package__)
        self._starts = CallBatcher[tuple[Saga, bool], SagaStart](
            self._start_all, apart=(BusyError,), name="start_sagas", **STATEMENT_SPAN
        )
        self._changes = CallBatcher[_Change, bool](
            self._save_all, apart=(BusyError,), name="save_sagas", **STATEMENT_SPAN
        )

    async def start(self, saga: Saga, *, claimed: bool) -> SagaStart:
        """Store a new saga, or restart a RELEASED one."""
        return await self._starts.submit((saga, claimed))

    async def claim(self, limit: int) -> list[Claim]:
        """Claim sagas that are due."""
        rows = await self._database.fetch_leased(self._sql["claim_sagas"], {"limit": limit}, self._lease_s)
        return [_claim(row) for row in rows]

    async def save(
        self,
        claim: Claim,
        saga: Saga,
        entered: Mapping[SagaState, datetime],
        delay_s: float | None = None,
        failed: FailedAttempt | None = None,
    ) -> bool:
        """Write the new state of a claimed saga."""
        return await self._changes.submit(_Change(claim, saga, entered, delay_s, failed))

    async def release_claims(self, claims: Sequence[Claim]) -> None:
        """End the leases."""
        fences = [
            {"order_id": claim.saga.order_id, "version": claim.saga.version, "fence": claim.fence} for claim in claims
        ]
        await self._database.execute(self._sql["release_claims"], {"claims": Json(fences)})

    async def of_order(self, order_id: int, scope: Scope) -> list[SagaRecord]:
        """Return the sagas of an order in the *scope*, by version."""
        return (await self._search(order_id=order_id, customer_id=scope.customer_id))[::-1]

    async def search(self, scope: Scope, *, state: SagaState | None, late: bool | None, limit: int) -> list[SagaRecord]:
        """Return sagas in the *scope*, filtered by state and lateness, those of the newest orders first."""
        still_open = None if state is None else not state.ended  # open sagas have an index
        wanted = {"customer_id": scope.customer_id, "state": state and state.value, "open": still_open, "late": late}
        return await self._search(**wanted, limit=limit)

    async def count_open(self) -> OpenSagas:
        """Count the open sagas."""
        rows = await self._database.fetch(self._sql["count_open_sagas"], {"late_after_s": LATE_AFTER_S})
        return OpenSagas(
            by_state={SagaState(state): count for state, count, _, _ in rows},
            late=sum(late for _, _, late, _ in rows),
            oldest_s=max((oldest_s for _, _, _, oldest_s in rows), default=0.0),
        )

    async def retry(self, order_id: int) -> None:
        """Make the sagas of an order that wait for their next attempt due now."""
        await self._database.execute(self._sql["retry_sagas"], (order_id,))

    async def expired(self, age_s: float, limit: int) -> list[EndedSaga]:
        """Return the sagas of the oldest orders that ended long ago."""
        rows = await self._database.fetch(self._sql["expired_sagas"], {"age_s": age_s, "limit": limit})
        return [EndedSaga(*row) for row in rows]

    async def forget(self, sagas: Sequence[EndedSaga]) -> int:
        """Delete sagas that have ended."""
        keys = [each.order_id for each in sagas], [each.version for each in sagas]
        [(deleted,)] = await self._database.fetch(self._sql["forget_sagas"], keys)
        return int(deleted)

    async def close(self) -> None:
        """Wait for the writes in flight."""
        await self._starts.close()
        await self._changes.close()

    async def _search(self, **filters: object) -> list[SagaRecord]:
        unfiltered: dict[str, object] = dict.fromkeys(("order_id", "customer_id", "state", "open", "late", "limit"))
        parameters = unfiltered | filters | {"late_after_s": LATE_AFTER_S}
        return [_record(row) for row in await self._database.fetch(self._sql["search_sagas"], parameters)]

    async def _start_all(self, batch: Sequence[tuple[Saga, bool]]) -> list[SagaStart | Exception]:
        parameters = {"sagas": Json(_start_rows(batch))}
        rows = await self._database.fetch_leased(self._sql["start_sagas"], parameters, self._lease_s)
        started = {(order_id, version): (fence, restarts) for order_id, version, fence, restarts in rows}
        # pop: the second of two equal sagas in a batch is a duplicate
        return [_start_result(saga, *started.pop((saga.order_id, saga.version), (None, 0))) for saga, _ in batch]

    async def _save_all(self, batch: Sequence[_Change]) -> list[bool | Exception]:
        parameters = {"changes": Json([_change_row(change) for change in batch]), "destinations": self._destinations}
        held = set(await self._database.fetch_leased(self._sql["save_sagas"], parameters, self._lease_s))
        return [(change.saga.order_id, change.saga.version) in held for change in batch]


def _start_rows(batch: Sequence[tuple[Saga, bool]]) -> list[dict[str, Any]]:
    # the statement does not see the rows it inserts, so only the oldest version of an order in a batch may be claimed
    oldest: dict[int, int] = {}
    for saga, _ in batch:
        oldest[saga.order_id] = min(saga.version, oldest.get(saga.order_id, saga.version))
    return [_start_row(saga, claimed=claimed and saga.version == oldest[saga.order_id]) for saga, claimed in batch]


def _start_row(saga: Saga, *, claimed: bool) -> dict[str, Any]:
    return {
        "order_id": saga.order_id,
        "version": saga.version,
        "customer_id": saga.customer_id,
        "items": [{"productId": item.product_id, "quantity": item.quantity} for item in saga.items],
        "traceparent": saga.traceparent,
        "tracestate": saga.tracestate,
        "claimed": claimed,
    }


def _start_result(saga: Saga, fence: int | None, restarts: int) -> SagaStart:
    if fence is None:
        return SagaStart(new=False)
    claim = Claim(replace(saga, restarts=restarts), fence) if fence else None
    return SagaStart(new=True, claim=claim, restarts=restarts)


def _change_row(change: _Change) -> dict[str, Any]:
    saga, failed = change.saga, change.failed
    row = {
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
    if failed is not None:
        attempt = {"at": failed.at, "seconds": failed.seconds, "step": failed.step.value, "kind": failed.kind}
        row["failed_attempt"] = attempt | {"error": failed.error}
    return row


def _claim(row: Row) -> Claim:
    order_id, version, items, traceparent, state, reason, attempts, failures, last_error, restarts, *lease = row
    fence, customer_id, tracestate, age_s = lease
    saga = Saga(
        order_id=order_id,
        version=version,
        items=tuple(Item(item["productId"], item["quantity"]) for item in items),
        traceparent=traceparent,
        state=SagaState(state),
        reason=reason,
        attempts=attempts,
        failures=failures,
        last_error=last_error,
        restarts=restarts,
        customer_id=customer_id,
        tracestate=tracestate,
    )
    return Claim(saga, fence, age_s)


def _record(row: Row) -> SagaRecord:
    order_id, version, state, attempts, last_error, reason, next_run_at, late, times, customer_id, failed = row
    # ordered by state: the clocks of two engines may differ
    entered = {state: datetime.fromisoformat(times[state]) for state in SagaState if state in times}
    facts = (attempts, last_error, reason, next_run_at, late)
    failed_attempts = None if failed is None else tuple(map(_failed_attempt, failed))
    return SagaRecord(order_id, version, SagaState(state), *facts, entered, customer_id, failed_attempts)


def _failed_attempt(document: Mapping[str, Any]) -> FailedAttempt:
    at, seconds, error = datetime.fromisoformat(document["at"]), document["seconds"], document["error"]
    return FailedAttempt(at, seconds, SagaStep(document["step"]), FailureKind(document["kind"]), error)
