"""Readiness of a process: the checks that decide it, and their results."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ..errors import ServiceError
from ..observability import Metrics

__all__ = ["Check", "Readiness", "Report", "TaskEndedError"]

logger = logging.getLogger(__name__)

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

    Args:
        metrics: where restarts of background tasks and the results of the checks are shown.
        limit_s: time limit of a check, in seconds.
        cached_s: time for which results are kept, in seconds.

    Attributes:
        draining: set when the process is about to stop; it is no longer ready.
        stop: set when the process has to stop.
        failed: it has to stop because it can't do its work.
    """

    def __init__(
        self, metrics: Metrics | None = None, *, limit_s: float = CHECK_LIMIT_S, cached_s: float = CACHED_S
    ) -> None:
        self.draining = False
        self.stop = asyncio.Event()
        self.failed = False
        metrics = metrics or Metrics()
        self._restarts = metrics.counter(
            "background_task_restarts_total", "Background tasks that ended and were started again.", ("task",)
        )
        self._passed = metrics.gauge(
            "readiness_check_passed", "1 when the check passed the last time, 0 when it failed.", ("check",)
        )
        self._limit_s = limit_s
        self._cached_s = cached_s
        self._checks: dict[str, Check] = {}
        self._dead: set[str] = set()
        self._cached: dict[str, str] = {}
        self._checked_at = -math.inf
        self._lock = asyncio.Lock()

    def add(self, name: str, check: Check) -> None:
        """Add *check*: it fails by raising, or by taking longer than the time limit."""
        self._checks[name] = check
        self._checked_at = -math.inf

    def watch(self, name: str) -> None:
        """Add a check that the background task *name* runs, as its supervisor tells."""

        async def running() -> None:
            if name in self._dead:
                raise TaskEndedError

        self._restarts.labels(name)
        self.add(name, running)

    def task_died(self, name: str) -> None:
        """Record that the background task *name* does not run."""
        self._dead.add(name)
        self._checked_at = -math.inf

    def task_restarted(self, name: str) -> None:
        """Record and count that the background task *name* was started again."""
        self._dead.discard(name)
        self._checked_at = -math.inf
        self._restarts.labels(name).inc()

    def fail(self) -> None:
        """Have the process stop with a status that tells of a failure."""
        self.failed = True
        self.stop.set()

    async def report(self, max_age_s: float | None = None) -> Report:
        """Run the checks concurrently, or return results that are younger than *max_age_s* (half a second)."""
        if self.draining:
            return Report(ready=False, checks={"process": "draining"})
        async with self._lock:  # concurrent requests share one round of checks
            if time.monotonic() - self._checked_at >= (self._cached_s if max_age_s is None else max_age_s):
                self._cached = await self._run()
                self._checked_at = time.monotonic()
        return Report(ready=all(outcome == OK for outcome in self._cached.values()), checks=self._cached)

    async def _run(self) -> dict[str, str]:
        checks = dict(self._checks)
        outcomes = await asyncio.gather(*(self._outcome(name, check) for name, check in checks.items()))
        for name, outcome in zip(checks, outcomes, strict=True):
            self._passed.labels(name).set(outcome == OK)
        return dict(zip(checks, outcomes, strict=True))

    async def _outcome(self, name: str, check: Check) -> str:
        """Run a check; what its error says is for the log alone: it may name addresses."""
        try:
            async with asyncio.timeout(self._limit_s):
                await check()
        except Exception as error:
            if self._cached.get(name, OK) == OK:
                reason = f"{type(error).__name__}: {error}"
                logger.warning("readiness check failed", extra={"check": name, "reason": reason})
            return self._text(error)
        return OK

    def _text(self, error: Exception) -> str:
        match error:
            case TimeoutError():
                return f"no answer within {self._limit_s:g} s"
            case TaskEndedError():
                return "restarting"
            case ServiceError():
                return error.slug
            case _:
                return "failed"
