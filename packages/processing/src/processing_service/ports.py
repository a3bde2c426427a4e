"""The ports of the engine, the consumer and the handlers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from order_contracts import Item
from service_common.scope import Scope

from .saga import FailedAttempt, Refused, Saga, SagaState, Succeeded, Unanswered, Withdrawn, operation_id

__all__ = [
    "Claim",
    "EndedSaga",
    "EndedSagas",
    "OpenSagas",
    "OrderGateway",
    "SagaReader",
    "SagaRecord",
    "SagaRepository",
    "SagaStart",
    "StockGateway",
    "StockOperations",
]


@dataclass(frozen=True, slots=True)
class Claim:
    """A saga leased to one engine.

    Attributes:
        saga: its state when it was claimed.
        fence: must be current with each write.
        age_s: time since the start of the saga when it was claimed, in seconds.
    """

    saga: Saga
    fence: int
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SagaStart:
    """The result of starting a saga.

    Attributes:
        new: whether it was started; False for a duplicate.
        claim: when the caller may run it at once.
        restarts: how often it was started before.
    """

    new: bool
    claim: Claim | None = None
    restarts: int = 0


@dataclass(frozen=True, slots=True)
class SagaRecord:
    """A saga for readers.

    Attributes:
        entered: when it entered each of its states.
        failed_attempts: the newest `MAX_FAILED_ATTEMPTS`, the oldest first, also of before a restart; None in
            what a search finds.
    """

    order_id: int
    version: int
    state: SagaState
    attempts: int
    last_error: str | None
    reason: str | None
    next_run_at: datetime | None
    late: bool
    entered: Mapping[SagaState, datetime]
    customer_id: str
    failed_attempts: tuple[FailedAttempt, ...] | None = None


@dataclass(frozen=True, slots=True)
class EndedSaga:
    """A saga that has ended, and how often it was restarted."""

    order_id: int
    version: int
    restarts: int

    @property
    def operation_ids(self) -> list[str]:
        """The operation ids of all its runs."""
        return [operation_id(self.order_id, self.version, each) for each in range(self.restarts + 1)]


@dataclass(frozen=True, slots=True)
class OpenSagas:
    """The open sagas: their number by state, the number of late ones, and the age of the oldest in seconds."""

    by_state: Mapping[SagaState, int]
    late: int
    oldest_s: float


class StockGateway(Protocol):
    """Takes and releases stock. Outcomes are values; an exception means that the outcome is unknown."""

    async def take(self, operation_id: str, items: Sequence[Item]) -> Succeeded | Refused | Unanswered:
        """Take all *items* or none, once for each operation id."""
        ...

    async def release(self, operation_id: str) -> Succeeded | Unanswered:
        """Return to the stock what the operation took, or prevent it from taking anything later."""
        ...


class OrderGateway(Protocol):
    """Confirms, closes and fails orders. Outcomes are values; an exception means that the outcome is unknown."""

    async def confirm(self, order_id: int, version: int) -> Succeeded | Withdrawn | Unanswered:
        """Confirm that this version of the order is CREATED, or CLOSED already."""
        ...

    async def close(self, order_id: int, version: int) -> Succeeded | Withdrawn | Unanswered:
        """Close this version of the order."""
        ...

    async def fail(self, order_id: int, version: int, reason: str) -> Succeeded | Withdrawn | Unanswered:
        """Fail this version of the order for *reason*."""
        ...


class SagaRepository(Protocol):
    """Stores and leases sagas. Each method is one transaction, and raises TransientError when a repeat may succeed."""

    async def start(self, saga: Saga, *, claimed: bool) -> SagaStart:
        """Store a new saga, or restart one that is RELEASED and the newest of its order.

        With *claimed* lease it to the caller, unless an older version of the order is open.
        """
        ...

    async def claim(self, limit: int) -> list[Claim]:
        """Claim up to *limit* due sagas without a lease and without an open older version."""
        ...

    async def save(
        self,
        claim: Claim,
        saga: Saga,
        entered: Mapping[SagaState, datetime],
        delay_s: float | None = None,
        failed: FailedAttempt | None = None,
    ) -> bool:
        """Write the new state of a claimed saga, and its event to the outbox; return whether the claim was still valid.

        Args:
            claim: of the caller.
            saga: after its step.
            entered: when it entered the states since the claim.
            delay_s: release the claim and run the saga again after this time, in seconds; None keeps the claim.
            failed: the attempt after which it waits.
        """
        ...

    async def release_claims(self, claims: Sequence[Claim]) -> None:
        """End the leases, so that another engine may claim the sagas at once."""
        ...


class StockOperations(Protocol):
    """What the inventory service keeps of the operations."""

    async def forget(self, operation_ids: Sequence[str]) -> Succeeded | Unanswered:
        """Forget operations that are never asked for again."""
        ...


class EndedSagas(Protocol):
    """Finds and forgets sagas that have ended."""

    async def expired(self, age_s: float, limit: int) -> list[EndedSaga]:
        """Return the sagas of the oldest orders whose sagas all ended more than *age_s* seconds ago.

        Looks at no more than *limit* sagas and the further versions of their orders.
        """
        ...

    async def forget(self, sagas: Sequence[EndedSaga]) -> int:
        """Delete *sagas*, so that their events still start nothing; return how many."""
        ...


class SagaReader(Protocol):
    """Reads sagas, and has one retried."""

    async def of_order(self, order_id: int, scope: Scope) -> list[SagaRecord]:
        """Return the sagas of an order in the *scope*, by version."""
        ...

    async def search(self, scope: Scope, *, state: SagaState | None, late: bool | None, limit: int) -> list[SagaRecord]:
        """Return sagas in the *scope*, filtered by state and lateness, those of the newest orders first."""
        ...

    async def count_open(self) -> OpenSagas:
        """Count the open sagas."""
        ...

    async def retry(self, order_id: int) -> None:
        """Make the sagas of an order that wait for their next attempt due now."""
        ...
