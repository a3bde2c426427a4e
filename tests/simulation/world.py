"""The world that the services run in: their processes, the faults of one seed, and the trace of what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from aiohttp import web

from tests.simulation.decisions import Decisions
from tests.simulation.loop import Process, SimulatedLoop, current_process, running_process

__all__ = ["FAULTS", "Node", "World"]

# probability of a fault each time that it could happen, in a seed that has its class
FAULTS: Mapping[str, float] = {
    "process killed": 0.006,
    "process frozen": 0.003,
    "process told to stop": 0.002,
    "database refuses": 0.03,
    "database answer lost": 0.03,
    "database rows locked": 0.03,
    "database error unforeseen": 0.003,
    "database away": 0.004,
    "database read-only": 0.004,
    "database disk full": 0.004,
    "http refused": 0.05,
    "http reset": 0.04,
    "http answer lost": 0.05,
    "http answer truncated": 0.04,
    "http foreign answer": 0.06,
    "http no answer": 0.02,
    "http delivered late": 0.02,
    "http repeated": 0.04,
    "sqs refuses": 0.05,
    "sqs answer lost": 0.05,
    "sqs part refused": 0.06,
    "sqs delivers twice": 0.1,
    "sqs out of order": 1.0,
    "sqs delivers late": 0.1,
    "sqs queue lost": 0.003,
    "sqs hangs": 0.01,
    "sqs answer empty": 0.03,
    "credentials expire": 0.01,
    "push connection lost": 0.1,
    "push connection stalls": 0.1,
}
SHARE_ON = 0.4
SLOW_S = 2.0


@dataclass
class Node:
    """A place where processes of a service run one after the other.

    Attributes:
        app: its application, and
        serve: answers a request; both None while nothing listens.
        calls: what its clients wait for; a kill resets their connections.
        told_to_stop: as by SIGTERM.
    """

    name: str
    service: str
    start: Callable[[Node], Coroutine[Any, Any, None]]
    process: Process | None = None
    app: web.Application | None = None
    serve: Any = None
    calls: set[asyncio.Future[Any]] = field(default_factory=set)
    told_to_stop: asyncio.Event = field(default_factory=asyncio.Event)


class World:
    """Everything that is simulated in one run.

    Args:
        decisions: of the seed.
        verbose: keep the trace, and not only its checksum.

    Attributes:
        faulty: faults happen; false in the quiet phase at the end.
        nodes: by name.
        trace: what happened: time, actor and event.
        problems: violations that were noticed at once.
    """

    def __init__(self, decisions: Decisions, *, verbose: bool = False) -> None:
        self.decisions = decisions
        self.loop = SimulatedLoop(  # type: ignore[abstract]  # it has what asyncio and the services call
            lambda limit: decisions.below("process", limit)
        )
        self.faulty = True
        self.nodes: dict[str, Node] = {}
        self.trace: list[str] = []
        self.checksum = 0
        self.problems: list[str] = []
        self.verbose = verbose
        self._odds = {
            name: odds * decisions.uniform(f"odds of {name}", 0.3, 3.0)
            for name, odds in FAULTS.items()
            if decisions.happens(f"class {name}", SHARE_ON)
        }
        self._slow = decisions.happens("slow network", 0.3)

    def note(self, actor: str, event: str) -> None:
        """Add a line to the trace."""
        line = f"{self.loop.time():9.4f}  {actor:<15} {event}"
        self.checksum = crc32(line.encode(), self.checksum)
        if self.verbose:
            self.trace.append(line)

    def say(self, text: str) -> None:
        """Add what a process logs to the trace, not to its checksum: it is not always asked for."""
        if self.verbose:
            self.trace.append(f"{self.loop.time():9.4f}  {running_process():<15} {text}")

    def end_faults(self) -> None:
        """Begin the quiet phase: everything works and is on time."""
        self.note("world", "faults end")
        self.faulty = False

    def happens(self, fault: str, where: str) -> bool:
        """Return whether *fault* happens now, in *where*."""
        if not self.faulty or not self.decisions.happens(f"{fault}: {where}", self._odds.get(fault, 0.0)):
            return False
        self.note(where, f"! {fault}")
        return True

    def has(self, fault: str) -> bool:
        """Return whether the seed has this class of faults."""
        return fault in self._odds

    async def latency(self, where: str) -> None:
        """Take the time of one way of the network."""
        slow = self._slow and self.faulty and self.decisions.number("slow") % 20 == 0
        await asyncio.sleep(self.decisions.uniform(where, 0.0005, SLOW_S if slow else 0.01))

    async def reach(self, where: str) -> None:
        """Take the time to reach *where*; the process may be killed or frozen at this point."""
        process = current_process()
        node = self.nodes.get(process.name)
        if node is not None and self.faulty:
            point = f"{process.name} at {where}"
            if self.happens("process killed", point):
                self.kill(node)
                await asyncio.Event().wait()
            if self.happens("process told to stop", point):
                node.told_to_stop.set()
            if self.happens("process frozen", point):
                process.frozen_until = self.loop.time() + self.decisions.uniform("freeze", 0.5, 15.0)
        await self.latency(where)

    def start(self, node: Node) -> None:
        """Start a process on *node*."""
        node.told_to_stop = asyncio.Event()
        node.process = process = Process(node.name)
        self.note(node.name, "starts")
        task = self.loop.start(process, node.start(node))
        task.add_done_callback(lambda ended: self._exited(node, process, ended))

    def kill(self, node: Node) -> None:
        """Kill the process on *node*; another starts a little later."""
        if node.process is not None:
            self.loop.kill(node.process)
        node.process = node.app = node.serve = None
        for call in list(node.calls):
            if not call.done():
                call.set_exception(ConnectionResetError())
        node.calls.clear()
        delay_s = self.decisions.uniform("restart", 0.2, 4.0)
        self.loop.call_later(delay_s, self.start, node, context=Context())  # in no process, least of all in this one

    def _exited(self, node: Node, process: Process, task: asyncio.Task[None]) -> None:
        if process.killed:
            return
        error = task.exception()
        self.note(node.name, f"exits: {type(error).__name__}" if error else "exits")
        if node.process is process:
            self.kill(node)
