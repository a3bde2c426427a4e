"""Bounds the work of one kind in an iteration of the event loop, so that a task that becomes ready runs soon."""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["IterationLimit"]


class IterationLimit:
    """Lets *steps* steps begin in each iteration of the event loop; the others wait, first in, first out.

    ``asyncio.sleep(0)`` lets other tasks run too, but then each of a thousand tasks makes a step in the next iteration.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._left = steps
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._counting = False

    async def step(self) -> None:
        """Return when the next step may begin."""
        loop = asyncio.get_running_loop()
        if not self._counting:
            self._counting = True
            loop.call_soon(self._next_iteration, loop)
        if self._left:
            self._left -= 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _next_iteration(self, loop: asyncio.AbstractEventLoop) -> None:
        # those that are woken now run in the iteration after this one, as this does then
        self._left = self._steps
        while self._left and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # its task was cancelled otherwise
                turn.set_result(None)
                self._left -= 1
        if self._left < self._steps:
            loop.call_soon(self._next_iteration, loop)
        else:
            self._counting = False
