"""Waiting for a thing instead of for a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from aiohttp import ClientResponse

__all__ = ["PATIENCE_S", "eventually", "meanwhile", "until_ready"]

# for what comes sooner or never, on a busy machine too
PATIENCE_S = 30.0

T = TypeVar("T")


async def eventually(
    look: Callable[[], Awaitable[T | None]],
    what: str | Callable[[], str],
    within_s: float = PATIENCE_S,
    *,
    every_s: float = 0.05,
) -> T:
    """Return the first result of *look* that is something; it is asked again until then.

    The failure says *what* there was not, or what that returns at its time.
    """
    deadline = time.monotonic() + within_s
    while (found := await look()) is None:
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s: {what if isinstance(what, str) else what()}")
        await asyncio.sleep(every_s)
    return found


async def until_ready(ask: Callable[[], AbstractAsyncContextManager[ClientResponse]]) -> dict[str, str]:
    """Return the checks of a service once all pass: on a busy machine, one may take longer than its limit."""

    async def look() -> dict[str, str] | None:
        async with ask() as answer:
            checks: dict[str, str] = (await answer.json())["checks"]
            return checks if answer.status == 200 else None

    return await eventually(look, "a ready service")


@asynccontextmanager
async def meanwhile(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Do the *work* until the block ends; its failure is the block's."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(work)
        yield
        task.cancel()
