"""The simulated loop: its clock, its processes, and what a kill leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

import pytest

from tests.simulation.loop import COST_S, DeadlockError, Process, SimulatedLoop, current_process

Story = Callable[[SimulatedLoop], Coroutine[Any, Any, None]]


def run(story: Story, draw: Callable[[int], int] = lambda _: 0) -> SimulatedLoop:
    loop = SimulatedLoop(draw)  # type: ignore[abstract]  # it has what asyncio and the services call
    loop.run_until_complete(story(loop))
    return loop


def test_time_passes_while_everything_waits() -> None:
    async def story(_: SimulatedLoop) -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(3600):
                await asyncio.sleep(7200)

    assert run(story).time() == pytest.approx(3600, abs=100 * COST_S)


def test_killed_process_runs_neither_except_nor_finally() -> None:
    ran: list[str] = []
    kept: list[object] = []  # a task that is dropped would run them

    async def work() -> None:
        ran.append("begins")
        try:
            await asyncio.sleep(1)
        finally:
            ran.append("finally")

    async def story(loop: SimulatedLoop) -> None:
        process = Process("victim")
        kept.append(loop.start(process, work()))
        await asyncio.sleep(0.5)
        loop.kill(process)
        await asyncio.sleep(10)
        assert ran == ["begins"]
        with pytest.raises(LookupError):
            current_process()

    run(story)


def test_task_belongs_to_the_process_that_created_it_in_whatever_context() -> None:
    async def story(loop: SimulatedLoop) -> None:
        found: list[Process] = []

        async def inner() -> None:
            found.append(current_process())

        async def outer() -> None:
            await asyncio.create_task(inner(), context=Context())

        process = Process("owner")
        await loop.start(process, outer())
        assert found == [process]

    run(story)


def test_frozen_process_runs_late_and_the_others_in_time() -> None:
    async def story(loop: SimulatedLoop) -> None:
        ended: dict[str, float] = {}

        async def work() -> None:
            await asyncio.sleep(1)
            ended[current_process().name] = loop.time()

        frozen, other = Process("frozen"), Process("other")
        tasks = [loop.start(process, work()) for process in (frozen, other)]
        await asyncio.sleep(0.5)
        frozen.frozen_until = 9.0
        await asyncio.gather(*tasks)
        assert ended == {"other": pytest.approx(1, abs=0.01), "frozen": pytest.approx(9, abs=0.01)}

    run(story)


@pytest.mark.parametrize("last", [False, True])
def test_processes_are_drawn_and_callbacks_of_one_keep_their_order(last: bool) -> None:
    order: list[tuple[str, int]] = []

    async def work() -> None:
        for number in range(3):
            asyncio.get_running_loop().call_soon(order.append, (current_process().name, number))

    async def story(loop: SimulatedLoop) -> None:
        for name in ("a", "b"):
            loop.start(Process(name), work())
        await asyncio.sleep(1)

    run(story, lambda limit: limit - 1 if last else 0)
    assert [number for name, number in order if name == "a"] == [0, 1, 2]
    assert order[0][0] == ("b" if last else "a")


def test_deadlock_is_found() -> None:
    async def story(_: SimulatedLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError):
        run(story)
