"""How much work may be in flight."""

from __future__ import annotations

import asyncio

__all__ = ["Permits"]


class Permits:
    """As many permits as messages may be in flight; receives take several at once."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.free = total
        self._some_free = asyncio.Event()

    async def take(self, most: int, linger_s: float) -> int:
        """Wait until a permit is free and take up to *most*.

        When fewer are free it waits *linger_s* for more: ten receives of one message cost ten times a receive of ten.
        """
        lingered = False
        while True:
            while not self.free:
                self._some_free.clear()
                await self._some_free.wait()
            if lingered or self.free >= min(most, self.total):
                taken = min(most, self.free)
                self.free -= taken
                return taken
            lingered = True
            await asyncio.sleep(linger_s)

    def give(self, count: int) -> None:
        """Give *count* permits back."""
        self.free += count
        if self.free:
            self._some_free.set()
