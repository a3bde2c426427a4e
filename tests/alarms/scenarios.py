"""What goes wrong in the recorded runs, and which alarms have to ring: those and no other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from tests.chaos.faults import FAULTS, POISON
from tests.chaos.stage import QUEUES, Stage

__all__ = ["SCENARIOS", "Scenario"]

KILLS = 5
BETWEEN_KILLS_S = 40.0


class Strike(Protocol):
    """Makes the context manager that strikes the system for the time of its block."""

    def __call__(self, stage: Stage) -> AbstractAsyncContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault and its alarms.

    Attributes:
        what: what goes wrong, in one line.
        strike: does it.
        alarms: the alarms that have to ring.
    """

    what: str
    strike: Strike
    alarms: frozenset[str]


@asynccontextmanager
async def nothing(stage: Stage) -> AsyncIterator[None]:
    assert stage.system.stack.processes
    yield


def fault(name: str, target: str) -> Strike:
    """Return a fault of the chaos tests."""

    def strike(stage: Stage) -> AbstractAsyncContextManager[None]:
        return FAULTS[name].strike(stage, target, random.Random(0))

    return strike


@asynccontextmanager
async def poison(stage: Stage) -> AsyncIterator[None]:
    for queue in QUEUES:
        for body in POISON:
            assert await stage.sqs("SendMessage", queue, MessageBody=body)
    yield


@asynccontextmanager
async def crash_loop(stage: Stage, process: str) -> AsyncIterator[None]:
    for _ in range(KILLS):
        async with FAULTS["kill"].strike(stage, process, random.Random(0)):
            pass
        await asyncio.sleep(BETWEEN_KILLS_S)
    yield


SCENARIOS = {
    "nothing": Scenario("nothing goes wrong", nothing, frozenset()),
    "inventory-frozen": Scenario(
        "the inventory service answers nothing",
        fault("freeze", "inventory-service"),
        frozenset({"InventorySilent", "ServerErrors", "CircuitOpen", "CustomersHurt"}),
    ),
    "order-frozen": Scenario(
        "the order service answers nothing",
        fault("freeze", "order-service"),
        frozenset({"OrderSilent", "CircuitOpen", "CustomersHurt"}),
    ),
    "processing-frozen": Scenario(
        "the processing service does nothing",
        fault("freeze", "processing-service"),
        frozenset({"ProcessingSilent", "ProcessingOldestMessage", "CustomersHurt"}),
    ),
    "notification-frozen": Scenario(
        "the notification service does nothing",
        fault("freeze", "notification-service"),
        frozenset({"NotificationSilent", "NotificationOldestMessage", "CustomersHurt"}),
    ),
    "postgres-frozen": Scenario(
        "PostgreSQL answers nothing",
        fault("freeze", "postgres"),
        frozenset({"DatabaseAway", "ServerErrors", "CircuitOpen", "CustomersHurt"}),
    ),
    "sqs-frozen": Scenario(
        "SQS answers nothing",
        fault("freeze", "emulator"),
        frozenset({"EventsNotPublished", "OutboxAge", "CustomersHurt"}),
    ),
    "stock-locked": Scenario(
        "an open transaction holds the row of a product that half of the orders want",
        fault("row-lock", "product"),
        frozenset({"LateSagas", "CustomersHurt"}),
    ),
    "poison": Scenario(
        "messages in both queues that no consumer understands",
        poison,
        frozenset({"ProcessingDeadLetters", "NotificationDeadLetters"}),
    ),
    "crash-loop": Scenario(
        "the notification service is killed again and again",
        partial(crash_loop, process="notification-service"),
        frozenset({"NotificationRestarts"}),
    ),
}
