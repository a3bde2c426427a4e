"""The reconciliation of late orders."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from order_service.reconcile import Reconciliation
from service_common.errors import PermanentError, ServiceError, UnavailableError
from tests.support.waiting import PATIENCE_S


class Late:
    """`LateOrders` with one prepared answer for each call."""

    def __init__(self, answers: Sequence[Sequence[int] | ServiceError]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[float, int]] = []
        self.exhausted = asyncio.Event()

    async def announce_late(self, *, after_s: float, limit: int) -> Sequence[int]:
        self.asked.append((after_s, limit))
        answer = self.answers.pop(0)
        if not self.answers:
            self.exhausted.set()
        if isinstance(answer, ServiceError):
            raise answer
        return answer


class Wakes:
    """Counts the wake-ups of the relay."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


async def test_relay_is_not_woken_without_late_orders() -> None:
    wakes = Wakes()
    assert await Reconciliation(Late([[]]), wakes, after_s=300).announce_late() == 0
    assert wakes.count == 0


async def test_a_full_batch_is_followed_by_another() -> None:
    late, wakes = Late([[1, 2], [3, 4], [5]]), Wakes()
    assert await Reconciliation(late, wakes, after_s=300, batch=2).announce_late() == 5
    assert (late.asked, wakes.count) == ([(300, 2)] * 3, 3)


async def test_reconciliation_continues_after_an_outage() -> None:
    late = Late([UnavailableError("away"), [1]])
    async with asyncio.timeout(PATIENCE_S):
        running = asyncio.create_task(Reconciliation(late, Wakes(), after_s=0.01).run())
        await late.exhausted.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_unexpected_error_ends_the_reconciliation() -> None:
    with pytest.raises(PermanentError):
        await Reconciliation(Late([PermanentError("fault")]), Wakes(), after_s=0.01).run()
