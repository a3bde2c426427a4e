from __future__ import annotations

import asyncio
from time import monotonic

import pytest

from service_common.http_client.time_limits import TimeLimits

FOREVER_S = 60.0


async def forever() -> None:
    await asyncio.Event().wait()


async def test_limit_strikes_neither_early_nor_much_later() -> None:
    started = monotonic()
    with pytest.raises(TimeoutError):
        await TimeLimits(resolution_s=0.01).run(forever(), 0.05)
    assert 0.045 <= monotonic() - started < 0.5


async def test_each_work_has_its_own_limit() -> None:
    limits = TimeLimits(resolution_s=0.005)
    ended: list[float] = []

    async def limited(limit_s: float) -> None:
        with pytest.raises(TimeoutError):
            await limits.run(forever(), limit_s)
        ended.append(limit_s)

    await asyncio.gather(*map(limited, (0.09, 0.01, 0.05)))
    assert ended == [0.01, 0.05, 0.09]


async def test_limit_that_is_over_before_it_begins_lets_nothing_wait() -> None:
    with pytest.raises(TimeoutError):
        await TimeLimits(resolution_s=0.001).run(forever(), -1.0)


async def test_result_and_error_of_the_work_come_through() -> None:
    async def fail() -> None:
        raise KeyError("k")

    limits = TimeLimits()
    assert await limits.run(asyncio.sleep(0, "done"), FOREVER_S) == "done"
    with pytest.raises(KeyError):
        await limits.run(fail(), FOREVER_S)


async def test_cancellation_from_outside_is_no_timeout() -> None:
    task = asyncio.create_task(TimeLimits().run(forever(), FOREVER_S))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_timer_rests_when_nothing_is_limited() -> None:
    limits = TimeLimits(resolution_s=0.001)
    await limits.run(asyncio.sleep(0), FOREVER_S)
    limits._sweep(asyncio.get_running_loop())
    assert limits._timer is None
    with pytest.raises(TimeoutError):
        await limits.run(forever(), 0.002)
