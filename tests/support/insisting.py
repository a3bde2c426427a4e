"""Operations that many want at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from service_common.errors import BusyError

__all__ = ["insist"]

T = TypeVar("T")


async def insist(operation: Callable[[], Awaitable[T]]) -> T:
    """Repeat what fails because of the others, as callers do: who waits for a row in vain has changed nothing."""
    while True:
        with suppress(BusyError):
            return await operation()
