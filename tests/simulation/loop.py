"""An event loop with a simulated clock that runs several processes, in an order that is drawn from a seed.

Each callback and task belongs to the process that created it, by a context variable. Within a process the loop keeps
the order of asyncio, which code may rely on; which process runs next is drawn. Time passes by `COST_S` for a callback,
and when every process waits. A process that is killed runs nothing any more: no ``except`` and no ``finally``, as by
SIGKILL.
"""

from __future__ import annotations

import asyncio
import heapq
from asyncio import events
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar
from typing import Any, TypeVar, TypeVarTuple, Unpack

__all__ = ["COST_S", "DeadlockError", "Process", "SimulatedLoop", "current_process", "running_process"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# CPU time of a callback, and what makes two moments differ
COST_S = 0.00005
_process: ContextVar[Process | None] = ContextVar("process", default=None)


class DeadlockError(Exception):
    """Every task waits for another, and no timer runs."""


class Process:
    """What a kill ends at once.

    Attributes:
        name: in the trace.
        killed: it runs nothing any more.
        frozen_until: it runs nothing before this time of the loop, in seconds; its timers then are late.
        ready: callbacks to run, the oldest first.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.killed = False
        self.frozen_until = 0.0
        self.ready: deque[asyncio.Handle] = deque()


def current_process() -> Process:
    """Return the process of the running callback.

    Raises:
        LookupError: it belongs to none.
    """
    process = _process.get()
    if process is None:
        raise LookupError("this callback belongs to no process")
    return process


def running_process() -> str:
    """Return the name of the process of the running callback."""
    process = _process.get()
    return "world" if process is None else process.name


class _Numbered:
    """A hash that depends on no address, so that sets of tasks have the same order in each run."""

    number: int

    def __hash__(self) -> int:
        return self.number


class _Future(_Numbered, asyncio.Future[Any]):
    def __init__(self, *, loop: SimulatedLoop) -> None:
        self.number = loop.next_number()
        super().__init__(loop=loop)


class _Task(_Numbered, asyncio.Task[Any]):
    def __init__(self, coro: Coroutine[Any, Any, Any], *, loop: SimulatedLoop, **options: Any) -> None:
        self.number = loop.next_number()  # before the base class, which adds it to a set
        super().__init__(coro, loop=loop, **options)


class SimulatedLoop(asyncio.AbstractEventLoop):
    """The loop.

    Args:
        draw: returns a number below its argument.

    Attributes:
        errors: contexts of exceptions that nobody handled.
    """

    def __init__(self, draw: Callable[[int], int]) -> None:
        self.errors: list[dict[str, Any]] = []
        self._draw = draw
        self._now = 0.0
        self._number = 0
        self._world = Process("world")
        self._processes = [self._world]
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._tasks: list[asyncio.Task[Any]] = []

    def next_number(self) -> int:
        """Return a number that was not returned before."""
        self._number += 1
        return self._number

    def start(self, process: Process, main: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run *main* as the first task of *process*."""
        self._processes.append(process)
        return self.start_task(process, main)

    def start_task(self, process: Process, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run *work* in *process*, as what came over the network does: in a context of its own."""
        context = Context()
        context.run(_process.set, process)
        return self.create_task(work, context=context, name=process.name)

    def kill(self, process: Process) -> None:
        """End *process* without a trace in it."""
        process.killed = True
        process.ready.clear()
        self._processes.remove(process)

    def run_until_complete(self, future: Any) -> Any:
        """Run until *future*, a coroutine of no process, is done."""
        events._set_running_loop(self)
        try:
            task = self.create_task(future)
            while not task.done():
                self._run_once()
            return task.result()
        finally:
            events._set_running_loop(None)

    def _run_once(self) -> None:
        runnable = [process for process in self._processes if process.ready and process.frozen_until <= self._now]
        if not runnable:
            self._advance()
            return
        process = runnable[self._draw(len(runnable))] if len(runnable) > 1 else runnable[0]
        self._now += COST_S
        handle = process.ready.popleft()
        if not handle.cancelled():
            handle._run()
        self._fire_timers()

    def _advance(self) -> None:
        thaw = min((process.frozen_until for process in self._processes if process.ready), default=None)
        if self._timers and (thaw is None or self._timers[0][0] < thaw):
            self._now = max(self._now, self._timers[0][0])
        elif thaw is not None:
            self._now = thaw
        else:
            raise DeadlockError
        self._fire_timers()

    def _fire_timers(self) -> None:
        while self._timers and self._timers[0][0] <= self._now:
            timer = heapq.heappop(self._timers)[2]
            if not timer.cancelled():
                self._append(timer)

    def _append(self, handle: asyncio.Handle) -> None:
        process = handle._context.get(_process) or self._world  # type: ignore[attr-defined]  # get_context(): Python 3.12
        if not process.killed:
            process.ready.append(handle)

    def time(self) -> float:
        """Return the simulated time, in seconds from the start."""
        return self._now

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Run *callback* after what is ready now."""
        handle = asyncio.Handle(callback, args, self, context)
        self._append(handle)
        return handle

    def call_later(
        self, delay: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run *callback* in *delay* seconds."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Run *callback* at *when*."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, self.next_number(), timer))
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        """Return a new future."""
        return _Future(loop=self)

    def create_task(
        self, coro: Any, *, name: str | None = None, context: Context | None = None, **options: Any
    ) -> asyncio.Task[Any]:
        """Run *coro* in the current process, also in a context that does not know it."""
        if context is not None and _process not in context:
            context.run(_process.set, _process.get())
        task = _Task(coro, loop=self, name=name or "task", context=context, **options)
        # a task that is dropped would run its finally blocks: those of a killed process must not
        self._tasks.append(task)
        return task

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Record what nobody handled."""
        self.errors.append(context)

    def get_debug(self) -> bool:
        """Return false: the debug mode of asyncio is for other mistakes."""
        return False

    def is_running(self) -> bool:
        """Return true: it is used only while it runs."""
        return True

    def is_closed(self) -> bool:
        """Return false: it holds nothing to close."""
        return False

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Leave it in the heap, where it is skipped."""
