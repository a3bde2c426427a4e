"""Time and chance of the code under test, from the simulated loop and the seed.

The modules of the services import `datetime`, `monotonic` and `perf_counter` by name, so each name is replaced where it
is used; other modules, such as pytest's and the loop's own, keep the real ones.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

__all__ = ["START", "simulated_time"]

START = datetime(2026, 1, 1, tzinfo=UTC)
PACKAGES = (
    "service_common",
    "order_contracts",
    "order_service",
    "inventory_service",
    "processing_service",
    "notification_service",
    "tests.support.in_memory",
)


class _AnyDatetime(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, datetime)


def _datetime(now_s: Callable[[], float]) -> type:
    """Return a stand-in for the class `datetime`, which makes plain datetimes."""

    class Datetime(datetime, metaclass=_AnyDatetime):
        def __new__(cls, *args: Any, **options: Any) -> Any:
            return datetime(*args, **options)

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return (START + timedelta(seconds=now_s())).astimezone(tz)

        @classmethod
        def fromisoformat(cls, text: str) -> Any:
            return datetime.fromisoformat(text)

        @classmethod
        def fromtimestamp(cls, timestamp: float, tz: tzinfo | None = None) -> Any:
            return datetime.fromtimestamp(timestamp, tz)

    return Datetime


@contextmanager
def simulated_time(now_s: Callable[[], float]) -> Iterator[None]:
    """Let the code under test read *now_s*, seconds from `START`, from every clock."""
    module_time = SimpleNamespace(monotonic=now_s, perf_counter=now_s, time=lambda: START.timestamp() + now_s())
    substitutes: dict[int, Any] = {
        id(datetime): _datetime(now_s),
        id(time.monotonic): now_s,
        id(time.perf_counter): now_s,
        id(time): module_time,
    }
    with ExitStack() as stack:
        for module in [module for name, module in sys.modules.items() if name.startswith(PACKAGES)]:
            for name, value in list(vars(module).items()):
                if id(value) in substitutes:
                    stack.enter_context(patch.object(module, name, substitutes[id(value)]))
        yield
