"""What a client says that it was told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tests.support.waiting import PATIENCE_S

__all__ = ["Heard"]


@dataclass(slots=True, eq=False)
class Heard:
    """What one client was told, in order."""

    told: list[Any] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, told: Any) -> None:
        """Note one thing."""
        async with self._news:
            self.told.append(told)
            self._news.notify_all()

    async def until(self, count: int, within_s: float = PATIENCE_S) -> list[Any]:
        """Return everything when there is so much, or when the time is over."""
        try:
            async with asyncio.timeout(within_s), self._news:
                await self._news.wait_for(lambda: len(self.told) >= count)
        except TimeoutError:
            pass  # what is missing is seen in what is there
        return list(self.told)
