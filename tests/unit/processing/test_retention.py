from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from order_contracts import Item
from processing_service.retention import SagaRetention
from processing_service.saga import Saga, SagaState, Succeeded, Unanswered
from service_common.errors import UnavailableError
from service_common.scope import ALL_CUSTOMERS
from tests.support.in_memory.processing import InMemorySagas

LONG_AGO = datetime.now(UTC) - timedelta(days=31)


class Operations:
    """What the inventory is told to forget, until it is away."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []
        self.away = False

    async def forget(self, operation_ids: Sequence[str]) -> Succeeded | Unanswered:
        if self.away:
            return Unanswered("away")
        self.forgotten += operation_ids
        return Succeeded()


async def end(sagas: InMemorySagas, order_id: int, state: SagaState = SagaState.DONE) -> None:
    saga = Saga(order_id, 1, (Item("a", 1),))
    claim = (await sagas.start(saga, claimed=True)).claim
    assert claim is not None
    await sagas.save(claim, replace(claim.saga, state=state), {state: LONG_AGO})


@pytest.fixture
def sagas() -> InMemorySagas:
    return InMemorySagas()


@pytest.fixture
def operations() -> Operations:
    return Operations()


@pytest.fixture
def retention(sagas: InMemorySagas, operations: Operations) -> SagaRetention:
    return SagaRetention(sagas, operations, age_s=30 * 86_400.0, batch=2)


async def test_all_that_expired_is_forgotten_in_batches(
    sagas: InMemorySagas, operations: Operations, retention: SagaRetention
) -> None:
    for order_id in range(5):
        await end(sagas, order_id)
    assert await retention.expire() == 5
    assert operations.forgotten == ["0:1", "1:1", "2:1", "3:1", "4:1"]
    assert await retention.expire() == 0


async def test_operations_of_all_runs_are_forgotten(
    sagas: InMemorySagas, operations: Operations, retention: SagaRetention
) -> None:
    for _ in range(3):
        await end(sagas, 7, SagaState.RELEASED)
    await retention.expire()
    assert operations.forgotten == ["7:1", "7:1:2", "7:1:3"]


async def test_saga_stays_while_the_inventory_is_away(
    sagas: InMemorySagas, operations: Operations, retention: SagaRetention
) -> None:
    await end(sagas, 1)
    operations.away = True
    with pytest.raises(UnavailableError, match="away"):
        await retention.expire()
    assert len(await sagas.of_order(1, ALL_CUSTOMERS)) == 1
    operations.away = False
    assert await retention.expire() == 1
