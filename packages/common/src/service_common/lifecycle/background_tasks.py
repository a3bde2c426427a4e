"""Background tasks: supervised while they run, cancelled with their owner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from .readiness import Readiness

__all__ = ["background"]

logger = logging.getLogger(__name__)


@asynccontextmanager
async def background(
    readiness: Readiness, name: str, work: Callable[[], Coroutine[object, object, None]]
) -> AsyncIterator[asyncio.Task[None]]:
    """Run *work* while the block runs, then cancel it and wait for its end.

    When it ends earlier, by itself or by an error, that is logged and the process is no longer ready.
    """
    task = asyncio.create_task(work(), name=name)
    readiness.watch(name, task)
    task.add_done_callback(lambda ended: _log_end(ended, readiness))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _log_end(task: asyncio.Task[None], readiness: Readiness) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if error is not None:
        logger.critical("background task died", exc_info=error, extra={"task": task.get_name()})
    elif not readiness.draining:
        logger.critical("background task ended", extra={"task": task.get_name()})
