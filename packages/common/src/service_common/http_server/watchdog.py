"""Ends a process whose event loop stands still, or that does not stop within the grace period."""

from __future__ import annotations

import asyncio
import faulthandler
import math
import os
import signal
import sys
import threading
import traceback
from contextlib import suppress
from logging import getLogger
from time import monotonic

from ..logs import LogPipeline
from ..observability import Metrics

__all__ = ["EXIT_FAILED", "Watchdog"]

logger = getLogger(__name__)

EXIT_FAILED = 1
TICK_S = 0.25
# A full collection of garbage takes some 0.1 s, a call of another service is given up after 3 s: a loop that has not
# turned for this long serves no one.
BLOCKED_LIMIT_S = 15.0
LAST_FLUSH_S = 1.0


class Watchdog:
    """A thread that ends the process with `EXIT_FAILED`, tasks and stacks in the log.

    The event loop is blocked when it has not answered during `BLOCKED_LIMIT_S` of this thread's ticks. While the
    process is suspended (SIGSTOP, a closed laptop) or gets no CPU, this thread does not tick either.

    A C function that keeps the interpreter's lock stops this thread too. Then the kernel ends the process by SIGVTALRM,
    after twice that limit of its CPU time.
    """

    def __init__(self, grace_s: float, log: LogPipeline) -> None:
        self._grace_s = grace_s
        self._log = log
        self._deadline_s = math.inf
        self._answered = True
        self._cancelled = threading.Event()

    def start(self, metrics: Metrics) -> None:
        """Watch the running event loop from now on, and show in *metrics* how long it takes to answer."""
        self._lag = metrics.histogram("event_loop_lag_seconds", "Time until the event loop runs what is ready.")
        faulthandler.register(signal.SIGVTALRM, chain=True)
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._run, args=(loop,), name="watchdog", daemon=True).start()

    def stopping(self) -> None:
        """Begin the grace period, unless it has begun."""
        self._deadline_s = min(self._deadline_s, monotonic() + self._grace_s)

    @property
    def left_s(self) -> float:
        """Seconds to the end of the grace period; infinite before it has begun."""
        return self._deadline_s - monotonic()

    def cancel(self) -> None:
        """End the watch."""
        self._cancelled.set()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        missed = 0
        while not self._cancelled.wait(TICK_S):
            late = monotonic() > self._deadline_s
            missed = 0 if self._answered else missed + 1
            if late or missed * TICK_S > BLOCKED_LIMIT_S:
                # whatever comes of the log, of which the blocked thread may hold a lock
                faulthandler.dump_traceback_later(3 * LAST_FLUSH_S, exit=True)
                facts = {"tasks": _tasks(loop), "stacks": _stacks()}
                logger.critical("shutdown timed out" if late else "event loop blocked", extra=facts)
                self._log.close(LAST_FLUSH_S)
                os._exit(EXIT_FAILED)
            if self._answered:
                self._answered = False
                asked_at = monotonic()
                with suppress(RuntimeError):  # it is closed
                    loop.call_soon_threadsafe(self._answer, asked_at)

    def _answer(self, asked_at: float) -> None:
        self._answered = True
        self._lag.observe(monotonic() - asked_at)
        signal.setitimer(signal.ITIMER_VIRTUAL, 2 * BLOCKED_LIMIT_S)


def _tasks(loop: asyncio.AbstractEventLoop) -> list[str]:
    return sorted(
        f"{task.get_name()}: {getattr(task.get_coro(), '__qualname__', '?')}" for task in asyncio.all_tasks(loop)
    )


def _stacks() -> dict[str, str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames()  # noqa: SLF001 - documented, for this purpose
    return {names.get(ident, str(ident)): "".join(traceback.format_stack(frame)) for ident, frame in frames.items()}
