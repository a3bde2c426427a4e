"""Kills the processes of all services at one point after the other while customers order."""

from __future__ import annotations

import asyncio
import re
import signal
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.crash.points import Point
from tests.crash.processes import Launcher, Running
from tests.crash.ways import WAYS, Customer
from tests.support.invariants import Books

__all__ = ["SERVICES", "Crash", "Crashes", "Target", "discover"]

SERVICES = ("inventory", "order", "notification", "processing")
SETTLED_WITHIN_S = 30.0
# an order that is to reach the point is followed by another after so long
PATIENCE_S = (1.5, 1.5, 2.0, 3.0, 4.0)
# visibility timeout, outbox lease of 30 s, the longest pause of a saga after failures
ARRIVED_WITHIN_S = 60.0
# they turn whether there is an order or not: health checks, measurements, time limits of idle connections
_BESIDE_THE_WAY = re.compile(
    r"service_common\.(http_server\.(health|connection_limits)|lifecycle|outbox\.maintenance|sqs\.queue_depth)\."
    r"|processing_service\.(lateness|postgres\.SqlSagas\.count_open)\b"
    r"|notification_service\.push\.heartbeats\."
)


@dataclass(frozen=True, slots=True)
class Target:
    """A point on the way of an order through a service.

    Attributes:
        position: of the point in the list of all points.
        ways: those on which orders reach it.
        once: it is reached only after the start of a process.
        chance: on each of these ways they don't always reach it; so a test may not insist on it.
    """

    service: str
    point: Point
    position: int
    ways: tuple[str, ...]
    once: bool
    chance: bool

    @property
    def function(self) -> str:
        """The function that its await is in."""
        return self.point.name.partition("#")[0]

    @property
    def name(self) -> str:
        """Its name for the option --at."""
        return f"{self.service}/{self.point.name}"

    @property
    def command(self) -> str:
        """The command that crashes at this point alone."""
        return f"./run test -e crash -- --at '{self.name}'"

    def __str__(self) -> str:
        return f"{self.name}, {self.point.place}: await {self.point.source}"


@dataclass(frozen=True, slots=True)
class Crash:
    """A process that died at its point."""

    target: Target
    at: datetime


async def discover(
    launcher: Launcher, running: Mapping[str, Running], customer: Customer, books: Books
) -> list[Target]:
    """Walk every way twice and return the points that were reached."""
    walks: list[tuple[str, dict[str, set[int]]]] = []
    for way in (*WAYS, *WAYS):
        for process in running.values():
            process.control.record()
        await WAYS[way](customer)
        await books.settle(SETTLED_WITHIN_S)
        walks.append((way, {service: process.control.reached() for service, process in running.items()}))
    for process in running.values():
        process.control.leave()
    numbers: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number, (_, reached) in enumerate(walks):
        for service, points in reached.items():
            for point in points:
                numbers[service, point].append(number)
    return [
        _target(service, launcher.points[point], point, [walks[number][0] for number in found], once=found == [0])
        for (service, point), found in sorted(numbers.items())
        if not _BESIDE_THE_WAY.match(launcher.points[point].name)
    ]


def _target(service: str, point: Point, position: int, walks: Sequence[str], *, once: bool) -> Target:
    chance = not once and len(walks) == len(set(walks))
    return Target(service, point, position, tuple(dict.fromkeys(walks)), once, chance)


@dataclass(slots=True)
class Crashes:
    """Drives the crashes.

    Attributes:
        launcher: starts the processes.
        running: the process of each service.
        customer: orders.
        nth: at which arrival at its point a process dies.
        done: the crashes so far.
        unreached: the points at which no process arrived.
    """

    launcher: Launcher
    running: dict[str, Running]
    customer: Customer
    nth: int = 1
    done: list[Crash] = field(default_factory=list)
    unreached: list[Target] = field(default_factory=list)
    _walks: list[asyncio.Future[None]] = field(default_factory=list)

    async def at_each(self, targets: Sequence[Target]) -> None:
        """Kill each service's process at each of its *targets*, and start it again, all services at the same time.

        Points that orders did not come to while the other services died get another turn afterwards, in peace.
        """
        async with asyncio.TaskGroup() as drivers:
            for service in self.running:
                drivers.create_task(self._at_each_of(service, targets))
        again, self.unreached = self.unreached, []
        for target in again:
            await self._at(target, fresh=True)
        await self._end_walks()

    async def _at_each_of(self, service: str, targets: Sequence[Target]) -> None:
        # a relay's lease is the longest of all: it runs out while the others have their turn
        for target in sorted(targets, key=lambda target: ".outbox." not in target.point.name):
            if target.service == service:
                await self._at(target, fresh=target.once)

    async def _at(self, target: Target, *, fresh: bool) -> None:
        if not await self._reached(target, fresh=fresh):
            self.unreached.append(target)
            return
        process = self.running[target.service]
        assert process.exit.result() == -signal.SIGKILL, f"exit status {process.exit.result()} at {target}"
        assert target.position in process.control.reached(), f"died elsewhere than at {target}"
        self.done.append(Crash(target, datetime.now(UTC)))
        self.running[target.service] = await self.launcher.start(target.service)

    async def _reached(self, target: Target, *, fresh: bool) -> bool:
        """Have orders walk to the point, in the running process or in *fresh* ones that are to die from their start on.

        A fresh one finds what was waiting for it while there was none.
        """
        process = self.running[target.service]
        if not fresh:
            process.control.kill_at(target.position, self.nth)
        for attempt, patience_s in enumerate(PATIENCE_S):
            if fresh:
                await self.launcher.kill(process)
                self._walk(*target.ways)
                process = await self.launcher.start(target.service, die_at=target.position, nth=self.nth)
                self.running[target.service] = process
            else:
                self._walk(target.ways[attempt % len(target.ways)])
            await asyncio.wait([process.exit], timeout=patience_s)
            if process.control.reached():
                await asyncio.wait([process.exit])
                return True
        process.control.leave()
        if process.control.reached():  # just now
            await asyncio.wait([process.exit])
            return True
        return False

    def _walk(self, *ways: str) -> None:
        self._walks += (asyncio.ensure_future(WAYS[way](self.customer)) for way in ways)

    async def _end_walks(self) -> None:
        """Wait for the customers; what those wait for who don't come to an end is what the test is to find."""
        if self._walks:
            _, late = await asyncio.wait(self._walks, timeout=ARRIVED_WITHIN_S)
            for walk in late:
                walk.cancel()
        for outcome in await asyncio.gather(*self._walks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
