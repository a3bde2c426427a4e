"""Background tasks: supervised while they run, cancelled with their owner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from time import monotonic
from typing import ParamSpec, TypeVar

from ..backoff import Backoff
from .readiness import Readiness, TaskEndedError

__all__ = ["background", "log_death", "uncancelled"]

logger = logging.getLogger(__name__)

T = TypeVar("T")
P = ParamSpec("P")

# Six delays in a row are 7 s on average and 15.5 s at most, long enough for what passes by itself. A seventh end says
# that this process does not recover. A task that ran for a minute has done its work, so that counting begins again.
MAX_DEATHS = 7
QUIET_S = 60.0
BACKOFF = Backoff(base_s=0.5, cap_s=4.0)


@asynccontextmanager
async def background(
    readiness: Readiness, name: str, work: Callable[[], Coroutine[object, object, None]]
) -> AsyncIterator[asyncio.Task[None]]:
    """Run *work* while the block runs, then cancel it and wait for its end.

    When it ends earlier, by itself or by an error, that is logged and counted, and it is started again after at most
    4 s (0.5 s the first time); meanwhile the process is not ready. The seventh end in a row, each within a minute of
    the start before, ends the process: another may do better.
    """
    task = asyncio.create_task(_supervise(readiness, name, work), name=name)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def uncancelled(work: Callable[P, Awaitable[T]], *arguments: P.args, **options: P.kwargs) -> T:
    """Run *work*; a cancellation that nobody requested of this task, as of a future that it awaits, is an error.

    A TaskGroup takes a task that ends so for one that was cancelled, and says nothing.

    Raises:
        TaskEndedError: *work* raised CancelledError by itself.
    """
    try:
        return await work(*arguments, **options)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise TaskEndedError("cancelled by nobody") from error


def log_death(task: asyncio.Task[object]) -> None:
    """Log the error of a task whose owner awaits no result; for its ``add_done_callback``."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.critical("task died", exc_info=error, extra={"task": task.get_name()})


async def _supervise(readiness: Readiness, name: str, work: Callable[[], Coroutine[object, object, None]]) -> None:
    readiness.watch(name)
    deaths = 0
    while True:
        started_s = monotonic()
        error = await _end_of(work)
        if readiness.draining and isinstance(error, TaskEndedError):
            return
        deaths = 1 if monotonic() - started_s > QUIET_S else deaths + 1
        delay_s = BACKOFF.delay_s(deaths)
        facts = {"task": name, "deaths": deaths, "delay_s": round(delay_s, 3)}
        logger.critical("background task died", exc_info=error, extra=facts)
        if readiness.draining:
            return
        readiness.task_died(name)
        if deaths == MAX_DEATHS:
            readiness.fail()
            return
        await asyncio.sleep(delay_s)
        readiness.task_restarted(name)


async def _end_of(work: Callable[[], Coroutine[object, object, None]]) -> Exception:
    try:
        await uncancelled(work)
    except Exception as error:
        return error
    return TaskEndedError("ended by itself")
