"""Bounds the work of one kind in an iteration of the event loop, so that a task that becomes ready runs soon."""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["IterationLimit"]


class IterationLimit:
    """Gives *turns* turns in each iteration of the event loop; the others wait for theirs, first in, first out.

    ``asyncio.sleep(0)`` lets other tasks run too, but then each of a thousand tasks goes on in the next iteration.
    """

    def __init__(self, turns: int) -> None:
        self._turns = turns
        self._left = turns
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._counting = False

    async def turn(self) -> None:
        """Return when it is the caller's turn."""
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
        self._left = self._turns
        while self._left and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():  # its task was cancelled otherwise
                turn.set_result(None)
                self._left -= 1
        if self._left < self._turns:
            loop.call_soon(self._next_iteration, loop)
        else:
            self._counting = False
