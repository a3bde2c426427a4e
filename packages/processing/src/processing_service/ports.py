"""What the engine, the consumer and the handlers need from the outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from order_contracts import Item

from .saga import Refused, Saga, SagaState, Succeeded, Unanswered, Withdrawn

__all__ = [
    "Census",
    "Claim",
    "OrderGateway",
    "SagaReader",
    "SagaRecord",
    "SagaRepository",
    "SagaStart",
    "StockGateway",
]


@dataclass(frozen=True, slots=True)
class Claim:
    """A saga that is the holder's to run, for as long as the lease lasts.

    Attributes:
        saga: as it was when it was claimed.
        fence: proves the claim with each write.
        age_s: since the start of the saga, in seconds, at the moment of the claim.
    """

    saga: Saga
    fence: int
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class SagaStart:
    """What became of a saga that was to start: *new* or known before; *claim* when the caller may run it at once."""

    new: bool
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class SagaRecord:
    """A saga as it is told to a reader; *entered* has the time of each state it has had."""

    order_id: int
    version: int
    state: SagaState
    attempts: int
    last_error: str | None
    reason: str | None
    next_run_at: datetime | None
    late: bool
    entered: Mapping[SagaState, datetime]


@dataclass(frozen=True, slots=True)
class Census:
    """How many sagas are open, by state, how many of them are late, and the age of the oldest in seconds."""

    open: Mapping[SagaState, int]
    late: int
    oldest_s: float


class StockGateway(Protocol):
    """Where stock is taken. Every outcome is a value; an error that is raised means that nothing is known."""

    async def take(self, operation_id: str, items: Sequence[Item]) -> Succeeded | Refused | Unanswered:
        """Take all *items* or none, once."""
        ...

    async def release(self, operation_id: str) -> Succeeded | Unanswered:
        """Give back what the operation took, and see to it that it takes nothing from now on."""
        ...


class OrderGateway(Protocol):
    """Where orders end. Every outcome is a value; an error that is raised means that nothing is known."""

    async def close(self, order_id: int, version: int) -> Succeeded | Withdrawn | Unanswered:
        """End this version of the order well."""
        ...

    async def fail(self, order_id: int, version: int, reason: str) -> Succeeded | Withdrawn | Unanswered:
        """End this version of the order for *reason*."""
        ...


class SagaRepository(Protocol):
    """The sagas, and who may run them.

    Each method is one transaction, and raises TransientError when the same may succeed later.
    """

    async def start(self, saga: Saga, *, claimed: bool) -> SagaStart:
        """Store a new saga, claimed for the caller when it asks for that and no older version of the order is open."""
        ...

    async def claim(self, limit: int) -> list[Claim]:
        """Claim up to *limit* sagas that are due and nobody's, but none with an older version that is open."""
        ...

    async def save(
        self, claim: Claim, saga: Saga, entered: Mapping[SagaState, datetime], delay_s: float | None = None
    ) -> bool:
        """Write what became of a claimed saga; return whether the claim still held.

        Args:
            claim: as it was given.
            saga: after its step. When it has ended and there is something to tell, that goes into the outbox with it.
            entered: when it came to the states that it has had since it was claimed.
            delay_s: give the claim up and run the saga again after so many seconds; None keeps it for the next step.
        """
        ...

    async def hand_back(self, claims: Sequence[Claim]) -> None:
        """Give up claims, so that others may run these sagas at once."""
        ...


class SagaReader(Protocol):
    """What there is to know of the sagas."""

    async def of_order(self, order_id: int) -> list[SagaRecord]:
        """Return the sagas of the versions of an order, the oldest first."""
        ...

    async def search(self, *, state: SagaState | None, late: bool | None, limit: int) -> list[SagaRecord]:
        """Return sagas in a state, late or not; those of the newest orders first."""
        ...

    async def census(self) -> Census:
        """Count what is open."""
        ...
