"""Batches of acknowledgements: when they are flushed, and when draining them ends."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from service_common.gathering import GatheringPolicy
from service_common.sqs.batcher import Batcher

MANY = 100
PATIENT = GatheringPolicy(bound_s=60.0)


def unexpected(items: Sequence[int]) -> None:
    raise AssertionError(f"{items} were abandoned")


class CountedBatcher(Batcher[int]):
    """Fails instead of turning for ever."""

    turns = 0

    def flush_now(self) -> None:
        self.turns += 1
        if self.turns > MANY:
            raise RecursionError("it does not let the event loop go on")
        super().flush_now()


async def test_drain_ends_when_the_flushes_ended_in_the_same_turn_of_the_loop() -> None:
    flushed: list[int] = []

    async def flush(items: Sequence[int]) -> None:
        flushed.extend(items)

    batcher = CountedBatcher(flush, PATIENT, unexpected, lambda: 1)
    batcher.add(1)
    batcher.flush_now()
    await asyncio.create_task(batcher.drain())  # runs right after the flush, before the callbacks of its end
    assert flushed == [1]


async def test_drain_flushes_what_is_added_meanwhile() -> None:
    flushed: list[int] = []

    async def flush(items: Sequence[int]) -> None:
        flushed.extend(items)
        if items[0] < 3:
            batcher.add(items[0] + 1)

    batcher = Batcher(flush, PATIENT, unexpected, lambda: 1)
    batcher.add(1)
    await batcher.drain()
    assert flushed == [1, 2, 3]


@pytest.mark.parametrize("defect", [LookupError("a defect"), asyncio.CancelledError()], ids=repr)
async def test_items_of_a_flush_that_crashes_are_abandoned_and_the_next_are_flushed(
    defect: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    flushed: list[int] = []
    abandoned: list[int] = []

    async def flush(items: Sequence[int]) -> None:
        if items[0] == 1:
            raise defect
        flushed.extend(items)

    batcher = Batcher(flush, PATIENT, abandoned.extend)
    batcher.add(1)
    await batcher.drain()
    batcher.add(2)
    await batcher.drain()
    assert (flushed, abandoned) == ([2], [1])
    assert [record.message for record in caplog.records] == ["acknowledgement crashed"]


@pytest.mark.parametrize(("in_flight", "batches"), [(0, [[1], [2]]), (1, [[1, 2]])])
async def test_item_waits_only_for_those_under_way(in_flight: int, batches: list[list[int]]) -> None:
    flushed: list[list[int]] = []
    under_way = in_flight

    async def flush(items: Sequence[int]) -> None:
        flushed.append(list(items))

    batcher = Batcher(flush, GatheringPolicy(bound_s=0.2), unexpected, lambda: under_way)
    batcher.add(1)
    under_way = 0  # the second is the last
    batcher.add(2)
    await batcher.drain()
    assert flushed == batches


async def test_under_load_items_share_a_batch() -> None:
    flushed: list[list[int]] = []

    async def flush(items: Sequence[int]) -> None:
        flushed.append(list(items))

    batcher = Batcher(flush, GatheringPolicy(bound_s=0.4, full_at=2.0), unexpected)
    for number in range(9):
        batcher.add(number)
    await batcher.drain()
    assert flushed == [[0], list(range(1, 9))]
