"""A time limit for every test, as a plugin of pytest: the ``timeout`` of pyproject.toml or that of the test's mark.

pytest-timeout ends what hangs outside of an event loop by an exception out of a signal. uvloop catches that exception,
logs it and goes on, so a coroutine is ended by ``asyncio.timeout``, which also lets it clean up. A fixture that hangs
in uvloop is ended together with its process, a while later.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

__all__ = ["pytest_itemcollected"]

FIXTURES_S = 120.0


def pytest_itemcollected(item: pytest.Item) -> None:
    """Limit coroutines by the event loop."""
    if not (isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj)):
        return
    mark = item.get_closest_marker("timeout")
    limit_s = float(mark.args[0] if mark else item.config.getini("timeout"))
    item.obj = _limited(item.obj, limit_s)
    item.add_marker(pytest.mark.timeout(limit_s + FIXTURES_S, method="thread"), append=False)


def _limited(test: Callable[..., Awaitable[None]], limit_s: float) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def limited(*args: Any, **kwargs: Any) -> None:
        async with asyncio.timeout(limit_s):
            await test(*args, **kwargs)

    return limited
