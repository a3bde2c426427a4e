"""One fault in the running system while orders come in, and whether everything that holds still holds afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.support.invariants import Books
from tests.support.load import Customers, Ledger
from tests.support.system import System
from tests.support.watcher import watching

__all__ = ["Trial"]

RATE_PER_S = 20.0


@dataclass(slots=True)
class Trial:
    """The system, what its customers were told so far, and what has to be true of both."""

    system: System
    ledger: Ledger
    books: Books

    async def during(
        self,
        fault: Callable[[], Coroutine[None, None, None]],
        *,
        seconds: float,
        settled_within_s: float,
    ) -> float:
        """Order for so many *seconds* while *fault* happens, then wait and check; return how long the wait was."""
        customers = Customers(self.system, self.ledger, seed=len(self.ledger.wanted))
        await customers.stock_up()
        async with watching(self.system) as watchers, _beside(fault()) as over:
            await customers.order(RATE_PER_S, seconds)
            await customers.insist()
            await over
            waited_s = await self.books.settle(settled_within_s)
            await self.books.check()
            for watcher in watchers:
                await watcher.caught_up(self.system)
        return waited_s


@asynccontextmanager
async def _beside(work: Coroutine[None, None, None]) -> AsyncIterator[asyncio.Task[None]]:
    """Do the work beside the block; its failure is the block's."""
    task = asyncio.create_task(work)
    try:
        yield task
        await task
    finally:
        task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(outcome, Exception):
            raise outcome
