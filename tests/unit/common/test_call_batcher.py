from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from service_common.call_batcher import AloneError, CallBatcher
from service_common.errors import BusyError, UnavailableError
from service_common.observability import TraceContext, current_trace, tracing
from tests.support.waiting import PATIENCE_S


class Doubling:
    """A flush that doubles, notes its batches and can be held."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()

    async def __call__(self, items: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(list(items))
        self.begun.set()
        await self.release.wait()
        return [ValueError(str(item)) if item < 0 else 2 * item for item in items]


async def test_items_of_one_loop_iteration_share_a_flush_and_get_their_own_results() -> None:
    flush = Doubling()
    batcher = CallBatcher(flush)
    assert await asyncio.gather(*(batcher.submit(item) for item in range(5))) == [0, 2, 4, 6, 8]
    assert flush.batches == [[0, 1, 2, 3, 4]]


async def test_submits_during_a_flush_share_the_next_one() -> None:
    flush = Doubling()
    flush.release.clear()
    batcher = CallBatcher(flush)
    first = asyncio.create_task(batcher.submit(1))
    await flush.begun.wait()
    later = [asyncio.create_task(batcher.submit(item)) for item in (2, 3, 4)]
    await asyncio.sleep(0)
    flush.release.set()
    assert await asyncio.gather(first, *later) == [2, 4, 6, 8]
    assert flush.batches == [[1], [2, 3, 4]]


async def test_item_without_company_is_carried_out_alone_and_delays_no_other() -> None:
    flush, held = Doubling(), asyncio.Event()

    async def alone(item: int) -> int:
        await held.wait()
        return 3 * item

    batcher = CallBatcher(flush, alone=alone)
    lone = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0.01)
    assert await asyncio.gather(*(batcher.submit(item) for item in (2, 3))) == [4, 6]
    assert not lone.done()
    held.set()
    assert await lone == 3
    assert flush.batches == [[2, 3]]


async def test_item_that_the_flush_leaves_out_is_carried_out_alone() -> None:
    async def flush(items: Sequence[int]) -> list[int | Exception]:
        return [AloneError() if item == 2 else 2 * item for item in items]

    async def alone(item: int) -> int:
        return 3 * item

    batcher = CallBatcher(flush, alone=alone)
    assert await asyncio.gather(*(batcher.submit(item) for item in (1, 2, 3))) == [2, 6, 6]


async def test_batch_has_at_most_the_maximum_of_items() -> None:
    flush = Doubling()
    batcher = CallBatcher(flush, max_items=2)
    await asyncio.gather(*(batcher.submit(item) for item in range(5)))
    assert flush.batches == [[0, 1], [2, 3], [4]]


async def test_submits_one_after_the_other_are_flushed_at_once() -> None:
    flush = Doubling()
    batcher = CallBatcher(flush)
    assert [await batcher.submit(item) for item in (1, 2)] == [2, 4]
    assert flush.batches == [[1], [2]]


async def test_batching_delay_ends_when_the_batch_is_full() -> None:
    flush = Doubling()
    batcher = CallBatcher(flush, max_items=2, linger_s=60.0)
    first = asyncio.create_task(batcher.submit(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not flush.batches
    async with asyncio.timeout(PATIENCE_S):
        assert await batcher.submit(2) == 4
        assert await first == 2
    assert flush.batches == [[1, 2]]


async def test_single_item_is_flushed_after_the_batching_delay() -> None:
    assert await CallBatcher(Doubling(), linger_s=0.001).submit(1) == 2


async def test_exception_as_result_is_raised_at_its_submitter_only() -> None:
    batcher = CallBatcher(Doubling())
    one, bad, two = await asyncio.gather(*(batcher.submit(item) for item in (1, -1, 2)), return_exceptions=True)
    assert (one, two) == (2, 4)
    assert isinstance(bad, ValueError)


async def test_flush_that_raises_fails_its_batch_and_not_the_next() -> None:
    async def flush(items: Sequence[int]) -> Sequence[int]:
        if 1 in items:
            raise UnavailableError("away")
        return items

    batcher: CallBatcher[int, int] = CallBatcher(flush)
    outcomes = await asyncio.gather(batcher.submit(1), batcher.submit(2), return_exceptions=True)
    assert all(isinstance(outcome, UnavailableError) for outcome in outcomes)
    assert await batcher.submit(3) == 3


async def test_flush_that_is_cancelled_by_nobody_fails_its_batch_and_not_the_next() -> None:
    async def flush(items: Sequence[int]) -> Sequence[int]:
        if items[0] == 1:
            await asyncio.sleep(0)
            raise asyncio.CancelledError
        return items

    batcher: CallBatcher[int, int] = CallBatcher(flush, max_items=1)
    async with asyncio.timeout(PATIENCE_S):
        outcomes = await asyncio.gather(batcher.submit(1), batcher.submit(2), return_exceptions=True)
    assert isinstance(outcomes[0], UnavailableError)
    assert outcomes[1] == 2


async def test_missing_result_fails_the_batch() -> None:
    async def flush(items: Sequence[int]) -> Sequence[int]:
        return items[:-1]

    batcher: CallBatcher[int, int] = CallBatcher(flush)
    async with asyncio.timeout(PATIENCE_S):
        outcomes = await asyncio.gather(batcher.submit(1), batcher.submit(2), return_exceptions=True)
    assert isinstance(outcomes[1], ValueError)


async def test_submitter_cancelled_before_the_flush_is_left_out() -> None:
    flush = Doubling()
    batcher = CallBatcher(flush, linger_s=0.001)
    tasks = [asyncio.create_task(batcher.submit(item)) for item in (1, 2, 3)]
    await asyncio.sleep(0)
    tasks[1].cancel()
    assert [await tasks[0], await tasks[2]] == [2, 6]
    assert flush.batches == [[1, 3]]


async def test_submitter_cancelled_during_the_flush_does_not_affect_the_others() -> None:
    flush = Doubling()
    flush.release.clear()
    batcher = CallBatcher(flush)
    tasks = [asyncio.create_task(batcher.submit(item)) for item in (1, 2)]
    await flush.begun.wait()
    tasks[0].cancel()
    await asyncio.gather(tasks[0], return_exceptions=True)
    flush.release.set()
    assert await tasks[1] == 4


async def test_close_flushes_and_refuses_later_items() -> None:
    flush = Doubling()
    flush.release.clear()
    batcher = CallBatcher(flush, max_items=1)
    tasks = [asyncio.create_task(batcher.submit(item)) for item in (1, 2)]
    await flush.begun.wait()
    closing = asyncio.create_task(batcher.close())
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await batcher.submit(3)
    assert not closing.done()
    flush.release.set()
    await closing
    assert [task.result() for task in tasks] == [2, 4]
    await batcher.close()


async def test_each_batch_runs_in_the_trace_of_its_first_submitter() -> None:
    seen: list[TraceContext | None] = []

    async def flush(items: Sequence[int]) -> Sequence[int]:
        seen.append(current_trace())
        return items

    async def submit(item: int) -> TraceContext:
        with tracing(None) as trace:
            await batcher.submit(item)
            return trace

    batcher: CallBatcher[int, int] = CallBatcher(flush, max_items=2)
    submitters = await asyncio.gather(*map(submit, range(4)))
    await batcher.submit(5)
    assert seen == [submitters[0], submitters[2], None]


async def test_item_that_fails_its_batch_fails_alone_and_the_others_keep_their_order() -> None:
    batches: list[list[int]] = []

    async def flush(items: Sequence[int]) -> Sequence[int | Exception]:
        batches.append(list(items))
        if 2 in items:
            raise BusyError("2 is locked")
        return items

    batcher = CallBatcher(flush, apart=(BusyError,))
    answers = await asyncio.gather(*(batcher.submit(item) for item in (1, 2, 3)), return_exceptions=True)
    assert (answers[0], type(answers[1]), answers[2]) == (1, BusyError, 3)
    assert batches == [[1, 2, 3], [1], [2], [3]]
