"""The processes of the services that a test kills at a point."""

from __future__ import annotations

import asyncio
import itertools
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import aiohttp
import orjson

from tests.crash.control import Control
from tests.crash.points import Point
from tests.support.system import System
from tests.support.waiting import eventually

__all__ = ["Launcher", "Running", "launching"]

ROOT = Path(__file__).parents[2]
LONGEST_LINE_BYTES = 2**22


@dataclass(frozen=True, slots=True)
class Running:
    """A process of a service.

    Attributes:
        number: tells it from the others.
        control: the bytes that it shares with the test.
        exit: its exit status, once it has ended; minus the signal that ended it.
    """

    number: int
    control: Control
    exit: asyncio.Future[int]


class Launcher:
    """Starts processes in the place of those of the stack."""

    def __init__(self, system: System, zygote: asyncio.subprocess.Process, points: Sequence[Point]) -> None:
        self.points = points
        self._system = system
        self._zygote = zygote
        self._numbers = itertools.count(1)
        self._exits: dict[int, asyncio.Future[int]] = {}

    async def start(self, service: str, *, die_at: int | None = None, nth: int = 1) -> Running:
        """Start a process of *service* and wait until it answers, or has died at a point that it was started with."""
        data, number = self._system.stack.data, next(self._numbers)
        path = data.run / f"{service}-{number}.control"
        control = Control(path, len(self.points))
        if die_at is not None:
            control.kill_at(die_at, nth)
        ended = self._exits[number] = asyncio.get_running_loop().create_future()
        process = Running(number, control, ended)
        self._tell(
            number=number,
            module=f"{service}_service",
            environ=self._system.stack.environment(service),
            log=str(data.log_file(f"{service}-service")),
            control=str(path),
        )
        await eventually(partial(self._alive, service, process), f"{service} alive")
        path.unlink()
        assert die_at is not None or not ended.done(), f"{service} ended with {ended.result()}"
        return process

    async def kill(self, process: Running) -> None:
        """Kill it wherever it is."""
        self._tell(number=process.number)
        await asyncio.wait([process.exit])

    async def listen(self) -> None:
        """Take what the zygote tells until it ends."""
        assert self._zygote.stdout is not None
        async for line in self._zygote.stdout:
            told = orjson.loads(line)
            self._exits.pop(told["number"]).set_result(told["status"])

    def _tell(self, **what: object) -> None:
        assert self._zygote.stdin is not None
        self._zygote.stdin.write(orjson.dumps(what) + b"\n")

    async def _alive(self, service: str, process: Running) -> bool | None:
        if process.exit.done():
            return True
        try:
            async with self._system.session.get(f"{self._system.stack.url(service)}/health/live") as response:
                return response.status == 200 or None
        except aiohttp.ClientError:
            return None


@asynccontextmanager
async def launching(system: System) -> AsyncIterator[Launcher]:
    """Have a launcher for the block; its processes end with the block."""
    zygote = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.crash.zygote"),
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LONGEST_LINE_BYTES,
    )
    assert zygote.stdout is not None
    listening = None
    try:
        points = [Point(**point) for point in orjson.loads(await zygote.stdout.readline())["points"]]
        launcher = Launcher(system, zygote, points)
        listening = asyncio.create_task(launcher.listen())
        yield launcher
    finally:
        zygote.kill()
        await zygote.wait()
        if listening is not None:
            await listening
