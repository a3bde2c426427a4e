"""Readiness of a process: the checks that decide it, and their results."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

__all__ = ["Check", "Readiness", "Report", "TaskEndedError"]

Check = Callable[[], Awaitable[None]]

CHECK_LIMIT_S = 1.0
CACHED_S = 0.5
OK = "ok"


class TaskEndedError(Exception):
    """A background task that should run as long as the process has ended."""


@dataclass(frozen=True, slots=True)
class Report:
    """The result of each check at one time."""

    ready: bool
    checks: Mapping[str, str]


class Readiness:
    """The checks of one process; it is ready when all of them pass.

    Attributes:
        draining: set when the process is about to stop; it is no longer ready.
    """

    def __init__(self, *, limit_s: float = CHECK_LIMIT_S, cached_s: float = CACHED_S) -> None:
        self.draining = False
        self._limit_s = limit_s
        self._cached_s = cached_s
        self._checks: dict[str, Check] = {}
        self._cached: dict[str, str] = {}
        self._cached_until = 0.0
        self._lock = asyncio.Lock()

    def add(self, name: str, check: Check) -> None:
        """Add *check*: it fails by raising, or by taking longer than the time limit."""
        self._checks[name] = check
        self._cached_until = 0.0

    def watch(self, name: str, task: asyncio.Task[None]) -> None:
        """Add a check that *task* is running."""

        async def running() -> None:
            if task.done():
                raise TaskEndedError(_end_of(task))

        self.add(name, running)

    async def report(self) -> Report:
        """Run the checks concurrently, or return results that are less than half a second old."""
        if self.draining:
            return Report(ready=False, checks={"process": "draining"})
        async with self._lock:  # concurrent requests share one round of checks
            if time.monotonic() >= self._cached_until:
                self._cached = await self._run()
                self._cached_until = time.monotonic() + self._cached_s
        return Report(ready=all(outcome == OK for outcome in self._cached.values()), checks=self._cached)

    async def _run(self) -> dict[str, str]:
        checks = dict(self._checks)
        outcomes = await asyncio.gather(*(self._outcome(check) for check in checks.values()))
        return dict(zip(checks, outcomes, strict=True))

    async def _outcome(self, check: Check) -> str:
        try:
            async with asyncio.timeout(self._limit_s):
                await check()
        except TimeoutError:
            return f"no answer within {self._limit_s:g} s"
        except Exception as error:
            return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return OK


def _end_of(task: asyncio.Task[None]) -> str:
    if task.cancelled():
        return "cancelled"
    error = task.exception()
    return f"died of {type(error).__name__}: {error}" if error else "ended"
